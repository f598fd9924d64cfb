import CloudJobsCore
import CloudJobsEmulator

extension MessageReader {
  /// As of when a request reads: `transaction`, `newTransaction`, `readTime` or none of them.
  mutating func consistency() throws(ServiceFault) -> Firestore.Consistency {
    var choices: [Firestore.Consistency] = []
    if let id = try bytes("transaction"), !id.isEmpty { choices.append(.transaction(id)) }
    if var reader = try message("newTransaction") {
      choices.append(.newTransaction(try reader.transactionOptions() ?? .readOnly()))
    }
    if let time = try timestamp("readTime") { choices.append(.readTime(time)) }
    guard choices.count <= 1 else {
      throw .invalidArgument("Only one of transaction, newTransaction and readTime may be set.")
    }
    return choices.first ?? .latest
  }

  /// `TransactionOptions`, read to their end; nil where they name no mode.
  mutating func transactionOptions() throws(ServiceFault) -> Firestore.TransactionOptions? {
    var options: Firestore.TransactionOptions?
    if var reader = try message("readOnly") {
      options = .readOnly(readTime: try reader.timestamp("readTime"))
      try reader.finish()
    }
    if var reader = try message("readWrite") {
      options = .readWrite(retry: try reader.bytes("retryTransaction"))
      reader.ignore("concurrencyMode")
      try reader.finish()
    }
    try finish()
    return options
  }
}
