import CloudJobsCore
import CloudJobsEmulator

extension FirestoreCall {
  /// Serves `commit`.
  func commit(_ service: inout FirestoreService, _ reader: inout MessageReader) throws(ServiceFault) -> JSONValue {
    let writes = try reader.writes()
    let transaction = try reader.bytes("transaction").flatMap { $0.isEmpty ? nil : $0 }
    try reader.finish()
    let result = try service.commit(writes, in: database, transaction: transaction, at: now)
    var answer: [String: JSONValue] = ["commitTime": .string("\(result.commitTime)")]
    if !result.writeResults.isEmpty { answer["writeResults"] = .array(result.writeResults.map(\.json)) }
    return .object(answer)
  }

  /// Serves `batchWrite`.
  func batchWrite(_ service: inout FirestoreService, _ reader: inout MessageReader) throws(ServiceFault) -> JSONValue {
    let writes = try reader.writes()
    try reader.finish()
    let results = try service.batchWrite(writes, in: database, at: now)
    guard !results.isEmpty else { return .object([:]) }
    return [
      "writeResults": .array(results.map { (try? $0.get().json) ?? .object([:]) }),
      "status": .array(
        results.map { result in
          guard case .failure(let fault) = result else { return .object([:]) }
          return ["code": .integer(Int64(fault.code.rawValue)), "message": .string(fault.message)]
        }),
    ]
  }

  /// Serves `beginTransaction`.
  func beginTransaction(
    _ service: inout FirestoreService, _ reader: inout MessageReader
  ) throws(ServiceFault) -> JSONValue {
    var options = Firestore.TransactionOptions.readWrite()
    if var inner = try reader.message("options") { options = try inner.transactionOptions() ?? options }
    try reader.finish()
    let id = try service.beginTransaction(in: database, options, at: now)
    return ["transaction": .string(Base64.encode(id))]
  }

  /// Serves `rollback`.
  func rollback(_ service: inout FirestoreService, _ reader: inout MessageReader) throws(ServiceFault) -> JSONValue {
    let id = try reader.bytes("transaction") ?? []
    try reader.finish()
    try service.rollback(id, in: database, at: now)
    return .object([:])
  }
}

extension Firestore.WriteResult {
  /// The result as JSON.
  var json: JSONValue {
    var members: [String: JSONValue] = [:]
    if let updateTime { members["updateTime"] = .string("\(updateTime)") }
    if !transformResults.isEmpty { members["transformResults"] = .array(transformResults.map(\.json)) }
    return .object(members)
  }
}
