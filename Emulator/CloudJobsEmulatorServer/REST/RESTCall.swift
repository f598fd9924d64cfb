import CloudJobsCore
import CloudJobsEmulator

/// A request on its way through the face: its path taken apart, its query and body ready to be read.
struct RESTCall {
  let method: String
  let version: String?
  /// The resource's path without version and verb, part by part.
  let resource: [String]
  /// The verb after the colon, such as `pause`.
  let verb: String?
  let now: Timestamp
  var query: QueryReader
  let body: [UInt8]
  private let path: String

  init(_ request: RESTRequest, at now: Timestamp) {
    var parts = request.path[...]
    version = parts.first.flatMap { $0 == "v1" || $0 == "v2" ? $0 : nil }
    if version != nil { parts = parts.dropFirst() }
    var verb: String?
    if let last = parts.last, let colon = last.lastIndex(of: ":"), parts.count > 4 {
      verb = String(last[last.index(after: colon)...])
      parts[parts.index(before: parts.endIndex)] = String(last[..<colon])
    }
    self.verb = verb
    resource = Array(parts)
    method = request.method
    query = QueryReader(request.query)
    body = request.body
    path = "/" + request.path.joined(separator: "/")
    self.now = now
  }

  /// The kind of resource below the location: `queues`, `jobs`.
  var collection: String? { resource.count > 4 ? resource[4] : nil }

  /// What the method, the resource's length and the verb come to.
  var route: (method: String, count: Int, verb: String?) { (method, resource.count, verb) }

  /// The name of the location, which must be right.
  func location() throws(ServiceFault) -> LocationName { try LocationName(name(of: 4)) }

  /// The resource's name up to a number of parts.
  func name(of count: Int) -> String { resource.prefix(count).joined(separator: "/") }

  /// Reads the body.
  func message() throws(ServiceFault) -> MessageReader { try MessageReader(body: body) }

  /// Refuses anything in the body or in the rest of the query.
  func finishEmpty() throws(ServiceFault) {
    try message().finish()
    try query.finish()
  }

  /// A message made by a closure.
  func answer(_ body: (inout MessageWriter) -> Void) -> JSONValue {
    MessageWriter(enumsAreNumbers: query.enumsAreNumbers).nested(body)
  }

  /// A page of messages.
  func answer<Item>(
    _ page: ResourcePage<Item>, as name: String, _ body: (inout MessageWriter, Item) -> Void
  ) -> JSONValue {
    answer { writer in
      let items = page.items.map { item in answer { body(&$0, item) } }
      if !items.isEmpty { writer.set(name, .array(items)) }
      writer.set("nextPageToken", page.nextPageToken)
    }
  }

  /// What there is no route for.
  var unknownRoute: ServiceFault {
    ServiceFault(.notFound, "The emulator has no method \(method) \(path).")
  }

  /// Whether the call is for the administration of Firestore: databases, indexes, backups and the like.
  var administersFirestore: Bool {
    guard version == "v1", resource.count > 2, resource[0] == "projects" else { return false }
    return resource[2].prefix { $0 != ":" } == "databases" || resource[2] == "locations" && collection == "backups"
  }

  /// The refusal of what the emulator knows of and doesn't do.
  var unsupported: ServiceFault {
    ServiceFault(
      .unimplemented,
      "The emulator does not support \(method) \(path). A database is there when a request first names it, and its "
        + "indexes are those of the --indexes file.")
  }

  /// Serves `locations.get`: any well-formed location exists.
  func serveLocation() throws(ServiceFault) -> JSONValue {
    guard method == "GET", verb == nil else { throw unknownRoute }
    try finishEmpty()
    let location = try location()
    return answer {
      $0.set("name", location.text)
      $0.set("locationId", resource[3])
    }
  }
}
