package import CloudJobsEmulator

/// The stream of `google.firestore.v1.Firestore/Write`: commits in their order, each under the token of the one before.
///
/// Source: <https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1#writerequest>.
package struct WriteSession: Sendable {
  private let empty: Message
  private var database: String?
  private var count: UInt64 = 0

  /// Creates a session.
  ///
  /// - Parameter response: an empty `WriteResponse`.
  package init(_ response: Message) {
    empty = response
  }

  /// Returns the commit that a request asks for; nil for the first request, which opens the stream.
  ///
  /// - Parameter request: a `WriteRequest`.
  /// - Returns: the `CommitRequest`.
  /// - Throws: ``ServiceFault`` `invalidArgument`, which ends the stream.
  package mutating func commit(_ request: Message) throws(ServiceFault) -> Message? {
    guard let database else {
      guard !request.string("database").isEmpty, request.messages("writes").isEmpty else {
        throw .invalidArgument("The first request of a write stream must have a database and no writes.")
      }
      self.database = request.string("database")
      return nil
    }
    var commit = request.schema.message("google.firestore.v1.CommitRequest")
    commit.set("database", database)
    commit["writes"] = request["writes"]
    return commit
  }

  /// Returns the response to a request.
  ///
  /// - Parameter result: the `CommitResponse`; nil for the request that opened the stream.
  /// - Returns: the `WriteResponse`.
  package mutating func response(_ result: Message?) -> Message {
    count += 1
    var response = empty
    response.set("stream_token", withUnsafeBytes(of: count.bigEndian) { Array($0) })
    if let result {
      response["write_results"] = result["write_results"]
      response["commit_time"] = result["commit_time"]
    } else {
      response.set("stream_id", "stream")
    }
    return response
  }
}
