import CloudJobsCore
package import CloudJobsEmulator

/// Calls over HTTP with JSON: requests to calls of methods, and responses to answers.
///
/// It holds no state and reads no clock.
///
/// Source: `google.api.HttpRule` (<https://github.com/googleapis/googleapis/blob/master/google/api/http.proto>).
package struct HTTPRouter: Sendable {
  /// A path that leads to a method.
  private struct Route: Sendable {
    var entry: MethodTable.Entry
    var binding: HTTPBinding
  }

  private let table: MethodTable
  private let routes: [String: [Route]]

  /// The router of the emulator's methods.
  package static let google = HTTPRouter(.google)

  /// Creates the router of all methods of a table.
  private init(_ table: MethodTable) {
    self.table = table
    var routes: [String: [Route]] = [:]
    for entry in table.entries.values.sorted(by: { $0.path < $1.path }) {
      for binding in entry.method.bindings {
        routes[binding.verb, default: []].append(Route(entry: entry, binding: binding))
      }
    }
    self.routes = routes
  }

  /// A call that came over HTTP.
  package struct Call: Sendable {
    /// The call.
    package var call: MethodCall
    /// The form that its answer gets.
    package var parameters: SystemParameters
  }

  /// Returns the call that a request is.
  ///
  /// - Parameter request: the request.
  /// - Returns: the call, or the answer to a request that is none.
  package func call(for request: RESTRequest) -> Result<Call, RESTFault> {
    var streams = false
    do throws(ServiceFault) {
      let (route, values) = try route(of: request)
      streams = route.entry.method.streamsResponse
      return .success(try call(route, values, request))
    } catch {
      return .failure(RESTFault(fault: error, isInList: streams))
    }
  }

  /// Returns the answer to a call.
  ///
  /// - Parameters:
  ///   - call: the call.
  ///   - result: its responses, or why it was refused; a stream is an array.
  /// - Returns: the answer.
  package func answer(_ call: Call, _ result: Result<[Message], ServiceFault>) -> RESTResponse {
    let streams = call.call.entry.method.streamsResponse
    switch result {
    case .failure(let fault): return RESTResponse(RESTFault(fault: fault, isInList: streams))
    case .success(let messages):
      let answers = messages.map { call.parameters.json($0) }
      return RESTResponse(streams ? .array(answers) : answers.first ?? .object([:]))
    }
  }

  // MARK: Routes

  private func route(of request: RESTRequest) throws(ServiceFault) -> (route: Route, values: [String]) {
    guard request.isWellFormed else {
      throw .invalidArgument("The path is not UTF-8 after its %-escapes are decoded.")
    }
    for path in Self.paths(request.path) {
      if let found = match(request.method, path) { return found }
    }
    let text = "\(request.method) /\(request.path.joined(separator: "/"))"
    guard Self.administersFirestore(request.path) else {
      throw ServiceFault(.notFound, "The emulator has no method \(text).")
    }
    throw ServiceFault(
      .unimplemented,
      "The emulator does not support \(text). A database is there when a request first names it, and its indexes are "
        + "those of the --indexes file.")
  }

  /// Whether a path is for the administration of Firestore: databases, indexes, backups and the like.
  private static func administersFirestore(_ path: [String]) -> Bool {
    guard path.count > 3, path[0] == "v1", path[1] == "projects" else { return false }
    let isBackup = path.count > 5 && path[3] == "locations" && path[5] == "backups"
    return isBackup || (path[3].prefix { $0 != ":" } == "databases" && (path.count < 6 || path[5] != "documents"))
  }

  /// The path, and those with the version that some clients leave out.
  private static func paths(_ path: [String]) -> [[String]] {
    path.first == "projects" ? [["v2"] + path, ["v1"] + path] : [path]
  }

  private func match(_ method: String, _ path: [String]) -> (route: Route, values: [String])? {
    guard let routes = routes[method], let last = path.last else { return nil }
    if let colon = last.lastIndex(of: ":") {
      var shorter = path
      shorter[path.count - 1] = String(last[..<colon])
      let verb = String(last[last.index(after: colon)...])
      if let found = Self.best(routes, shorter, verb) { return found }
    }
    // A colon before any other word belongs to an id.
    return Self.best(routes, path, nil)
  }

  /// Of Firestore's paths that are both a document's and a list's, the number of ids tells which.
  private static func best(_ routes: [Route], _ path: [String], _ verb: String?) -> (route: Route, values: [String])? {
    var second: (route: Route, values: [String])?
    for route in routes {
      guard let values = route.binding.path.match(path, verb: verb) else { continue }
      if values.allSatisfy({ isComplete($0) }) { return (route, values) }
      second = second ?? (route, values)
    }
    return second
  }

  /// Whether a name is not that of a collection.
  private static func isComplete(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count < 5 || parts[2] != "databases" || parts.count % 2 == 1
  }

  // MARK: Requests

  private func call(_ route: Route, _ values: [String], _ request: RESTRequest) throws(ServiceFault) -> Call {
    guard request.body.count <= route.entry.requestLimit else {
      throw .tooLarge(limit: route.entry.requestLimit)
    }
    var query = request.query
    let parameters = try SystemParameters(&query)
    let schema = table.schema
    try parameters.check(schema.messages[route.entry.method.response], in: schema)
    var message = Message(of: route.entry.method.request, in: schema)
    try readBody(request.body, route, into: &message)
    for (variable, value) in zip(route.binding.path.variables, values) {
      Self.set(variable.path[...], to: value, in: &message)
    }
    let bound = Set(route.binding.path.variables.map { $0.path[0] })
    try bind(query, to: &message, but: route.binding.body == .all ? nil : bound)
    return Call(call: MethodCall(route.entry, message), parameters: parameters)
  }

  private func readBody(_ body: [UInt8], _ route: Route, into message: inout Message) throws(ServiceFault) {
    // A body that a method does not have is read past, as it always was for documents.
    let isUnread = route.binding.body == .none && route.entry.service == "google.firestore.v1.Firestore"
    if body.isEmpty || isUnread { return }
    if route.entry.method.name == "BufferTask" { return Self.readBuffer(body, into: &message) }
    let json = try Self.parse(body)
    switch route.binding.body {
    case .all: message = try JSONMessageReader.read(json, into: message)
    case .field(let index):
      let field = message.type.fields[index]
      message[index] = .message(try JSONMessageReader.read(json, into: message.empty(field.name), at: field.name))
    case .none: _ = try JSONMessageReader.read(json, into: table.schema.message("google.protobuf.Empty"))
    }
  }

  /// Reads the body of which a task is made: an `HttpBody` in the form of the method's request, else the
  /// body itself.
  private static func readBuffer(_ body: [UInt8], into message: inout Message) {
    if let json = try? JSONValue(parsing: body, limits: .service), json.object?.keys.elementsEqual(["body"]) == true,
      let request = try? JSONMessageReader.read(json, into: message)
    {
      message = request
    } else {
      message.set("body") { $0.set("data", body) }
    }
  }

  private static func parse(_ body: [UInt8]) throws(ServiceFault) -> JSONValue {
    do throws(JobError) {
      return try JSONValue(parsing: body, limits: .service)
    } catch {
      throw .invalidArgument("Invalid JSON payload received. \(error.message)")
    }
  }

  private static func set(_ path: ArraySlice<String>, to value: String, in message: inout Message) {
    guard let name = path.first else { return }
    if path.count == 1 {
      message.set(name, value)
    } else {
      var inner = message.message(name) ?? message.empty(name)
      set(path.dropFirst(), to: value, in: &inner)
      message[name] = .message(inner)
    }
  }

  // MARK: Queries

  /// Sets fields to the parameters of a query.
  ///
  /// - Parameters:
  ///   - query: the parameters.
  ///   - message: the request.
  ///   - bound: the fields that the path has; nil if the body has all others.
  /// - Throws: ``ServiceFault`` `invalidArgument` with all that can't be bound.
  private func bind(
    _ query: [RESTRequest.Parameter], to message: inout Message, but bound: Set<String>?
  ) throws(ServiceFault) {
    var violations: [FieldViolation] = []
    for parameter in query {
      do throws(ServiceFault) {
        let names = parameter.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let first = message.type.index(ofField: names[0]).map { message.type.fields[$0].name }
        // The path is stronger.
        if let bound, let first, names.count == 1, bound.contains(first) { continue }
        guard bound != nil else { throw Self.unknown(parameter, "Field '\(names[0])'") }
        try Self.bind(names[...], parameter, "", to: &message)
      } catch {
        guard case .badRequest(let found)? = error.details.first else { throw error }
        violations += found
      }
    }
    if violations.isEmpty { return }
    throw .invalidArgument(violations)
  }

  private static func refusal(_ parameter: RESTRequest.Parameter, _ reason: String) -> ServiceFault {
    let text =
      "Invalid JSON payload received. Unknown name \"\(parameter.name)\": Cannot bind query parameter. \(reason)"
    return ServiceFault(.invalidArgument, text, field: "")
  }

  private static func unknown(_ parameter: RESTRequest.Parameter, _ field: String) -> ServiceFault {
    refusal(parameter, "\(field) could not be found in request message.")
  }

  private static func bind(
    _ names: ArraySlice<String>, _ parameter: RESTRequest.Parameter, _ place: String, to message: inout Message
  ) throws(ServiceFault) {
    guard let name = names.first, let index = message.type.index(ofField: name) else {
      throw unknown(parameter, "Field '\(names.first ?? "")'")
    }
    let field = message.type.fields[index]
    if names.count > 1 {
      guard case .message = field.kind, field.cardinality == .implicit else {
        throw unknown(parameter, "Field '\(names[names.startIndex + 1])'")
      }
      var inner = message.message(field.name) ?? message.empty(field.name)
      let path = place.isEmpty ? field.name : "\(place).\(field.name)"
      try bind(names.dropFirst(), parameter, path, to: &inner)
      message[index] = .message(inner)
      return
    }
    switch field.kind {
    case .message, .wellKnown(.structure), .wellKnown(.value), .wellKnown(.listValue), .wellKnown(.any):
      throw refusal(parameter, "'\(name)' is a message type. Parameters can only be bound to primitive types.")
    default: break
    }
    // Of a parameter that comes again the last one counts, but for lists and masks.
    var earlier: [FieldValue] = []
    if field.kind == .wellKnown(.fieldMask), case .list(let paths)? = message[index] { earlier = paths }
    if field.cardinality != .repeated { message[index] = nil }
    try JSONMessageReader.read(text: parameter.value, into: &message, field: index, at: place)
    if case .list(let paths)? = message[index], !earlier.isEmpty { message[index] = .list(earlier + paths) }
  }
}

/// The answer to a request over HTTP that is refused.
package struct RESTFault: Error, Sendable {
  /// Why.
  package var fault: ServiceFault
  /// Whether the method answers a list, in which the fault stands.
  package var isInList: Bool
}
