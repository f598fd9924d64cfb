import CloudJobsCore
import CloudJobsEmulator

/// A request to Firestore on its way through the face: `/v1/projects/P/databases/D/documents…`, with a verb or without.
struct FirestoreCall {
  /// The largest request, in bytes.
  static let bodyLimit = 11_534_336
  /// The verbs of `POST`; a colon before any other word belongs to an id.
  private static let verbs: Set<String> = [
    "batchGet", "batchWrite", "beginTransaction", "commit", "executePipeline", "listCollectionIds", "listen",
    "partitionQuery", "rollback", "runAggregationQuery", "runQuery", "write",
  ]

  /// The verbs that answer a stream, which over REST is an array.
  private static let streams: Set<String> = [
    "batchGet", "executePipeline", "listen", "runAggregationQuery", "runQuery", "write",
  ]

  let method: String
  let database: Firestore.DatabaseName
  /// The ids after `documents`.
  let ids: [String]
  let verb: String?
  let now: Timestamp
  let parameters: FirestoreParameters
  private let body: [UInt8]
  private let isClearing: Bool

  /// A call, or nil where the request is not for Firestore.
  init?(_ request: RESTRequest, at now: Timestamp) {
    var parts = request.path
    // The official emulator's way to empty a database, which test suites in many languages call.
    isClearing = request.method == "DELETE" && parts.first == "emulator"
    if isClearing { parts.removeFirst() }
    // What lies above the documents is for the administration of databases, which `RESTRouter` refuses.
    guard parts.count >= 6, parts[0] == "v1", parts[1] == "projects", parts[3] == "databases" else { return nil }
    var verb: String?
    if request.method == "POST", let last = parts.last, let colon = last.lastIndex(of: ":"),
      Self.verbs.contains(String(last[last.index(after: colon)...]))
    {
      verb = String(last[last.index(after: colon)...])
      parts[parts.count - 1] = String(last[..<colon])
    }
    guard parts[5] == "documents" else { return nil }
    self.verb = verb
    method = request.method
    database = Firestore.DatabaseName(project: parts[2], database: parts[4])
    ids = Array(parts.dropFirst(6))
    body = request.body
    parameters = FirestoreParameters(request.query)
    self.now = now
  }

  /// Serves the call; methods that stream answer, and are refused, in an array.
  func respond(_ service: inout FirestoreService) -> RESTResponse {
    let streams = verb.map { Self.streams.contains($0) } ?? false
    do throws(ServiceFault) {
      return RESTResponse(try serve(&service))
    } catch {
      var response = RESTResponse(error)
      if streams { response.body = [response.body] }
      return response
    }
  }

  private func serve(_ service: inout FirestoreService) throws(ServiceFault) -> JSONValue {
    guard body.count <= Self.bodyLimit else {
      throw .invalidArgument("Request payload size exceeds the limit: \(Self.bodyLimit) bytes.")
    }
    if isClearing, ids.isEmpty {
      service.removeAll(in: database)
      return .object([:])
    }
    guard let verb else { return try serveDocuments(&service) }
    let takesParent: Set = ["runQuery", "runAggregationQuery", "listCollectionIds", "partitionQuery"]
    guard ids.isEmpty || takesParent.contains(verb) else { throw unknownRoute }
    try parameters.finish()
    var reader = try message()
    reader.ignore("requestOptions", "parent", "database", "labels")
    switch verb {
    case "batchGet": return try batchGet(&service, &reader)
    case "batchWrite": return try batchWrite(&service, &reader)
    case "beginTransaction": return try beginTransaction(&service, &reader)
    case "commit": return try commit(&service, &reader)
    case "listCollectionIds": return try listCollectionIDs(&service, &reader)
    case "partitionQuery": return try partitionQuery(service, &reader)
    case "rollback": return try rollback(&service, &reader)
    case "runAggregationQuery": return try runAggregationQuery(&service, &reader)
    case "runQuery": return try runQuery(&service, &reader)
    default: throw ServiceFault(.unimplemented, "The emulator does not support \(verb).")
    }
  }

  /// Reads the body.
  func message() throws(ServiceFault) -> MessageReader { try MessageReader(body: body) }

  /// The document or the root that the path names.
  func parent(_ ids: [String]) throws(ServiceFault) -> Firestore.Name {
    try Firestore.Name(parent: text(ids))
  }

  /// The document that the path names.
  func document() throws(ServiceFault) -> Firestore.Name { try Firestore.Name(document: text(ids)) }

  /// What there is no route for.
  var unknownRoute: ServiceFault {
    ServiceFault(.notFound, "The emulator has no method \(method) /v1/\(text(ids))\(verb.map { ":\($0)" } ?? "").")
  }

  private func text(_ ids: [String]) -> String {
    (["\(database)/documents"] + ids).joined(separator: "/")
  }
}
