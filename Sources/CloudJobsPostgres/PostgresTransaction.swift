#if PostgreSQL
import CloudJobs
import CloudJobsCore
import Synchronization

/// A transaction in which a caller changes tables of its own, on one connection of the store.
///
/// It is valid while the closure that received it executes. After the error of a statement PostgreSQL takes no other
/// ones, except for a `ROLLBACK TO` a savepoint; so a closure that catches such an error must throw, or the transaction
/// fails.
public struct PostgresTransaction: Sendable {
  /// Whether the transaction is still open.
  private final class State: Sendable {
    let isOpen = Mutex(true)
  }

  let connection: StoreConnection
  private let state = State()

  init(_ connection: StoreConnection) {
    self.connection = connection
  }

  /// Executes a statement.
  ///
  /// - Parameters:
  ///   - sql: one statement, with `$1`, `$2`, … for the parameters. It may not begin or end a transaction, and `COPY`
  ///     is not supported.
  ///   - parameters: the parameters, whose types the server infers.
  /// - Returns: the rows of the statement.
  /// - Throws: ``PostgresError``: the server's error, or `08006` if the connection broke.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: [PostgresValue] = []
  ) async throws(PostgresError) -> PostgresRows {
    guard state.isOpen.withLock({ $0 }) else { throw .ended }
    if let refusal = StatementRefusal(sql) { throw refusal.error }
    if parameters.contains(where: { $0.text?.utf8.contains(0) ?? false }) || sql.utf8.contains(0) {
      throw PostgresError(sqlState: "22021", message: "PostgreSQL's texts have no NUL character. Send bytes instead.")
    }
    let statement = Statement(callers: sql, parameters.map(\.text))
    switch await connection.store.client.perform([statement], on: connection.lease) {
    case .success(let response):
      if !response.isInTransaction {
        state.isOpen.withLock { $0 = false }
        throw .ended
      }
      return PostgresRows(response.results[0])
    case .failure(.server(let error)): throw PostgresError(sqlState: error.sqlState, message: error.message)
    case .failure(let failure):
      throw PostgresError(sqlState: "08006", message: StoreError(failure, mayCommit: false).message)
    }
  }

  /// Ends the use of the transaction.
  ///
  /// - Throws: ``PostgresError`` if a statement of the caller ended it.
  func end() throws(PostgresError) {
    let wasOpen = state.isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if !wasOpen { throw .ended }
  }
}

/// An error of a caller's statement.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The code of the error (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), such as `23505`.
  public var sqlState: String
  /// The server's message, which may quote values of the statement.
  public var message: String

  /// Creates an error.
  public init(sqlState: String, message: String) {
    self.sqlState = sqlState
    self.message = message
  }

  /// The message and the code.
  public var description: String { "\(message) [\(sqlState)]" }

  /// Whether another transaction was in the way.
  var isTransient: Bool { sqlState == "40P01" || sqlState == "40001" }

  static let ended = PostgresError(
    sqlState: "25000", message: "The transaction has ended. Leave COMMIT and ROLLBACK to the store.")
}

/// A parameter of a caller's statement.
public struct PostgresValue: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  /// The value in the server's text format; nil for NULL.
  public let text: String?

  /// Creates a value from its text, such as `2026-01-31` or `{1,2}`.
  public init(_ text: String?) {
    self.text = text
  }

  /// Creates a number.
  public init(_ number: some BinaryInteger) {
    text = String(number)
  }

  /// Creates a floating-point number.
  public init(_ number: Double) {
    text = number.description
  }

  /// Creates a truth value.
  public init(_ isTrue: Bool) {
    text = isTrue ? "true" : "false"
  }

  /// Creates a byte string.
  public init(bytes: [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    text = "\\x" + String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Creates a text.
  public init(stringLiteral text: String) { self.init(text) }
  /// Creates a number.
  public init(integerLiteral number: Int64) { self.init(number) }
  /// Creates a truth value.
  public init(booleanLiteral isTrue: Bool) { self.init(isTrue) }
  /// Creates NULL.
  public init(nilLiteral: ()) { text = nil }
}

/// The rows of a caller's statement, whose fields are texts.
public struct PostgresRows: Sendable, RandomAccessCollection {
  /// The names of the columns.
  public let columns: [String]
  /// The number of rows that an `INSERT`, `UPDATE` or `DELETE` changed; the number of rows of a `SELECT`.
  public let changedCount: Int
  private let result: QueryResult

  init(_ result: QueryResult) {
    columns = result.columns
    changedCount = result.changedCount
    self.result = result
  }

  /// The place of the first row.
  public var startIndex: Int { 0 }
  /// The place after the last row.
  public var endIndex: Int { result.count }

  /// Returns the fields of a row; nil for NULL.
  public subscript(row: Int) -> [String?] {
    precondition(indices.contains(row), "the row is out of range")
    return columns.indices.map { result.text(row, $0) }
  }

  /// Returns a field of a row; nil for NULL, and for a column that does not exist.
  public subscript(row: Int, column: String) -> String? {
    precondition(indices.contains(row), "the row is out of range")
    return columns.firstIndex(of: column).flatMap { result.text(row, $0) }
  }
}
#endif
