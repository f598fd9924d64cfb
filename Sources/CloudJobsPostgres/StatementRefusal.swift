#if PostgreSQL
/// The reason why a caller's statement is not sent.
enum StatementRefusal: Hashable, Sendable {
  /// It would end the store's transaction, or begin another one.
  case transaction
  /// It needs a protocol of its own.
  case copy

  /// Creates the refusal of a statement by its first word; nil if it may be sent.
  ///
  /// A statement that hides behind a comment is sent; then the end of the transaction is noticed afterwards.
  init?(_ sql: String) {
    let words = sql.prefix(200).split(maxSplits: 3, omittingEmptySubsequences: true) { $0.isWhitespace || $0 == ";" }
    let text = words.prefix(3).map { $0.uppercased() }
    switch text.first {
    case "BEGIN"?, "START"?, "COMMIT"?, "END"?, "ABORT"?: self = .transaction
    case "PREPARE"? where text.dropFirst().first == "TRANSACTION": self = .transaction
    case "ROLLBACK"? where !text.contains("TO"): self = .transaction
    case "COPY"?: self = .copy
    default: return nil
    }
  }

  /// The error; nothing was sent.
  var error: PostgresError {
    switch self {
    case .transaction:
      PostgresError(sqlState: "25000", message: "Leave BEGIN, COMMIT and ROLLBACK to the store, and use savepoints.")
    case .copy:
      PostgresError(sqlState: "0A000", message: "COPY is not supported here. Insert rows, many in one statement.")
    }
  }
}
#endif
