#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// A client for a database's methods; each call is one attempt with a timeout.
struct FirestoreClient: Sendable {
  let configuration: FirestoreConfiguration
  let exchange: any HTTPExchange
  let access: GoogleAccess
  /// The clock for the time at which a response was received.
  let clock: any JobClock

  /// Calls a method.
  ///
  /// - Parameters:
  ///   - method: the method, such as `commit`.
  ///   - body: the request.
  /// - Returns: the response's body, an object or a list.
  /// - Throws: ``FirestoreFault``.
  func call(_ method: String, _ body: JSONValue) async throws(FirestoreFault) -> JSONValue {
    var fields: HTTPFields
    do throws(JobError) { fields = try await access.credentials.headers() } catch { throw .unauthorized(error) }
    fields[.contentType] = "application/json"
    let request = HTTPExchangeRequest(
      method: .post, url: access.endpoint + configuration.path(method), headers: fields, body: body.encoded,
      timeout: configuration.callTimeout, isIdempotent: method != "commit")
    let response: HTTPExchangeResponse
    do throws(HTTPExchangeError) { response = try await exchange.send(request) } catch { throw .unanswered(error) }
    let answer = try? JSONValue(parsing: response.body, limits: .service)
    // A streaming method reports an error inside its list, possibly after successful elements.
    let error = answer?["error"] ?? answer?.array?.lazy.compactMap { $0["error"] }.first
    guard (200..<300).contains(response.status), error == nil else {
      let status = error?["code"]?.integer.flatMap { Int(exactly: $0) } ?? response.status
      throw FirestoreFault(
        status: (200..<300).contains(response.status) ? status : response.status, error: error,
        retryAfter: RequestedDelay.span(response, error: error, at: clock.now()))
    }
    guard let answer else { throw .unreadable(status: response.status) }
    return answer
  }

  /// Calls `batchGet`.
  ///
  /// - Parameters:
  ///   - names: the documents' resource names.
  ///   - fields: the fields to return; nil for all of them.
  /// - Returns: the existing documents, and the latest read time.
  /// - Throws: ``FirestoreFault``.
  func batchGet(
    _ names: [String], fields: [String]? = nil
  ) async throws(FirestoreFault) -> (documents: [FirestoreDocument], time: Timestamp) {
    var body: [String: JSONValue] = ["documents": .array(names.map { .string($0) })]
    body["mask"] = fields.map { ["fieldPaths": .array($0.map { .string($0) })] }
    return try Self.list(try await call("batchGet", .object(body)), member: "found")
  }

  /// Calls `runQuery`.
  func runQuery(
    _ query: FirestoreQuery, limit: Int
  ) async throws(FirestoreFault) -> (documents: [FirestoreDocument], time: Timestamp) {
    try Self.list(try await call("runQuery", query.body(limit: limit)), member: "document")
  }

  /// Calls `runAggregationQuery` to count a query's results.
  ///
  /// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredAggregationQuery>.
  func count(_ query: FirestoreQuery) async throws(FirestoreFault) -> Int {
    let answer = try await call("runAggregationQuery", query.countBody)
    let found = answer.array?.lazy.compactMap { $0["result"]?["aggregateFields"]?["count"]?["integerValue"] }.first
    guard let found, let count = found.integer.map({ Int($0) }) ?? found.string.flatMap({ Int($0) }) else {
      throw .unreadable(status: 200)
    }
    return count
  }

  /// Calls `commit`.
  ///
  /// - Parameter body: the writes.
  /// - Returns: the commit time, and each document's update time; nil for a deleted one.
  /// - Throws: ``FirestoreFault``.
  func commit(_ body: JSONValue) async throws(FirestoreFault) -> (time: Timestamp, updateTimes: [Timestamp?]) {
    let answer = try await call("commit", body)
    guard let time = answer["commitTime"]?.string.flatMap({ Timestamp(rfc3339: $0) }) else {
      throw .unreadable(status: 200)
    }
    let results = answer["writeResults"]?.array ?? []
    return (time, results.map { $0["updateTime"]?.string.flatMap { Timestamp(rfc3339: $0) } })
  }

  private static func list(
    _ answer: JSONValue, member: String
  ) throws(FirestoreFault) -> (documents: [FirestoreDocument], time: Timestamp) {
    var documents = [FirestoreDocument]()
    var time: Timestamp?
    for element in answer.array ?? [] {
      if let readTime = element["readTime"]?.string.flatMap({ Timestamp(rfc3339: $0) }) {
        time = max(time ?? readTime, readTime)
      }
      guard let found = element[member] else { continue }
      guard let document = FirestoreDocument(found) else { throw .unreadable(status: 200) }
      documents.append(document)
    }
    guard let time else { throw .unreadable(status: 200) }
    return (documents, time)
  }
}
#endif
