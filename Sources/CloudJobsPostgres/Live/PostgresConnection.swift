#if PostgreSQL
import CPostgres

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// All calls of libpq stand in this file (<https://www.postgresql.org/docs/current/libpq.html>).

/// The rows of a statement, read in place from libpq's memory.
// libpq never changes a complete result, and its accessors only read it, so that any thread may use them.
final class QueryResult: @unchecked Sendable {
  private let result: OpaquePointer

  /// Takes over a result.
  fileprivate init(_ result: OpaquePointer) {
    self.result = result
  }

  deinit {
    PQclear(result)
  }

  /// The number of rows.
  var count: Int { Int(PQntuples(result)) }

  /// The names of the columns.
  var columns: [String] { (0..<PQnfields(result)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" } }

  /// The number of rows that an `INSERT`, `UPDATE` or `DELETE` changed; 0 for other statements.
  var changedCount: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

  /// Returns the bytes of a field; nil for NULL.
  func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
    withField(row, column) { Array($0) }
  }

  /// Returns the text of a field; nil for NULL.
  func text(_ row: Int, _ column: Int) -> String? {
    withField(row, column) { String(decoding: $0, as: UTF8.self) }
  }

  /// Returns the number of a field in binary format; nil for NULL.
  func int64(_ row: Int, _ column: Int) -> Int64? {
    withField(row, column) { field in field.reduce(0) { $0 << 8 | Int64($1) } }
  }

  /// Returns the truth value of a field in binary format; nil for NULL.
  func bool(_ row: Int, _ column: Int) -> Bool? {
    withField(row, column) { $0.first == 1 }
  }

  private func withField<Value>(_ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
    let (row, column) = (Int32(row), Int32(column))
    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return nil }
    return body(UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column))))
  }
}

/// A connection in non-blocking pipeline mode, used by one thread at a time.
// One thread at a time uses a connection: the one that connects, and then the I/O thread that takes it over.
final class PostgresConnection: @unchecked Sendable {
  private let handle: OpaquePointer

  private init(_ handle: OpaquePointer) {
    self.handle = handle
  }

  deinit {
    PQfinish(handle)
  }

  /// The socket to poll.
  var socket: Int32 { PQsocket(handle) }

  // MARK: Connecting

  /// Returns the parameters of a connection string, in their order.
  ///
  /// - Parameter text: a URI or a list of `key=value` pairs
  ///   (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>).
  /// - Returns: the parameters that the text gives; nil if it is not a connection string. libpq's message would quote
  ///   it.
  static func parameters(of text: String) -> [(key: String, value: String)]? {
    guard let options = PQconninfoParse(text, nil) else { return nil }
    defer { PQconninfoFree(options) }
    return all(in: options).compactMap { key, value in value.map { (key, $0) } }
  }

  /// The version of libpq, such as `15.8`.
  static var libraryVersion: String {
    let number = PQlibVersion()
    return "\(number / 10_000).\(number % 10_000)"
  }

  /// The names of the parameters that libpq knows, as values of a URI's query.
  static var knownParameters: Set<String> {
    guard let options = PQconndefaults() else { return [] }
    defer { PQconninfoFree(options) }
    return Set(all(in: options).map(\.key)).union(["ssl"])
  }

  private static func all(in options: UnsafeMutablePointer<PQconninfoOption>) -> [(key: String, value: String?)] {
    var all: [(key: String, value: String?)] = []
    var option = options
    while let key = option.pointee.keyword {
      all.append((String(cString: key), option.pointee.val.map { String(cString: $0) }))
      option += 1
    }
    return all
  }

  /// Connects on the calling thread, which it blocks.
  ///
  /// - Parameters:
  ///   - parameters: the parameters of the connection.
  ///   - timeout: the maximum number of milliseconds; a name look-up may take longer.
  ///   - isStopped: whether to give up; asked several times a second.
  /// - Returns: a connection in pipeline mode, or why there is none.
  static func connect(
    _ parameters: [(key: String, value: String)], timeout: Int64, isStopped: () -> Bool
  ) -> Result<PostgresConnection, ConnectFailure> {
    let deadline = MonotonicClock.milliseconds() + timeout
    let started = withCStrings(parameters.map(\.key)) { keys in
      withCStrings(parameters.map(\.value)) { values in PQconnectStartParams(keys, values, 0) }
    }
    guard let started else { return .failure(ConnectFailure(nil, "libpq has no memory left for a connection.")) }
    let connection = PostgresConnection(started)
    // The message of a refused start then begins with its SQLSTATE.
    PQsetErrorVerbosity(started, PQERRORS_VERBOSE)
    if let failure = connection.awaitStart(until: deadline, isStopped: isStopped) { return .failure(failure) }
    guard PQserverVersion(started) >= 120_000 else {
      return .failure(ConnectFailure("0A000", "The server is older than PostgreSQL 12. Update it.", isPermanent: true))
    }
    guard PQparameterStatus(started, "server_encoding").map({ String(cString: $0) }) == "UTF8" else {
      return .failure(
        ConnectFailure(
          "22021", "The database's encoding is not UTF8. Create one with ENCODING 'UTF8'.", isPermanent: true))
    }
    PQsetErrorVerbosity(started, PQERRORS_DEFAULT)
    // Notices of the server, such as "relation already exists", are not for the standard error stream.
    PQsetNoticeReceiver(started, { _, _ in }, nil)
    guard PQsetnonblocking(started, 1) == 0, PQenterPipelineMode(started) == 1 else {
      return .failure(ConnectFailure(nil, "libpq refused its pipeline mode."))
    }
    return .success(connection)
  }

  private func awaitStart(until deadline: Int64, isStopped: () -> Bool) -> ConnectFailure? {
    var state = PGRES_POLLING_WRITING
    while true {
      if PQstatus(handle) == CONNECTION_BAD || state == PGRES_POLLING_FAILED { return failureOfStart }
      if state == PGRES_POLLING_OK { return nil }
      let left = deadline - MonotonicClock.milliseconds()
      guard left > 0, !isStopped() else {
        return ConnectFailure(nil, "The server \(place) did not accept a connection in time.")
      }
      let events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
      var descriptor = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
      if poll(&descriptor, 1, Int32(min(left, 200))) > 0 { state = PQconnectPoll(handle) }
    }
  }

  /// The user, host and port of the connection, for messages.
  private var place: String {
    func text(_ value: UnsafeMutablePointer<CChar>?) -> String { value.map { String(cString: $0) } ?? "" }
    return "\(text(PQhost(handle))):\(text(PQport(handle))) for user \(text(PQuser(handle)))"
  }

  private var failureOfStart: ConnectFailure {
    let message = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
    let password = PQpass(handle).map { String(cString: $0) } ?? ""
    return ConnectFailure(message: message, place: place, password: password)
  }

  // MARK: Sending

  /// Queues a statement; false if libpq has no memory left or the connection is broken.
  ///
  /// - Parameters:
  ///   - statement: the statement.
  ///   - name: the name of the prepared statement; nil to parse it for this use.
  /// - Returns: whether it was queued.
  func send(_ statement: Statement, preparedAs name: String?) -> Bool {
    let format: Int32 = statement.isOwn ? 1 : 0
    return statement.parameters.withPointers { types, values, lengths, formats in
      let count = Int32(values.count)
      if let name { return PQsendQueryPrepared(handle, name, count, values, lengths, formats, format) == 1 }
      return PQsendQueryParams(handle, statement.sql, count, types, values, lengths, formats, format) == 1
    }
  }

  /// Queues the preparation of a statement.
  func prepare(_ statement: Statement, as name: String) -> Bool {
    let types = statement.parameters.types
    return PQsendPrepare(handle, name, statement.sql, Int32(types.count), types) == 1
  }

  /// Queues the end of a request.
  func sync() -> Bool { PQpipelineSync(handle) == 1 }

  /// Sends what is queued; whether more is left, or nil if the connection is broken.
  func flush() -> Bool? {
    switch PQflush(handle) {
    case 0: false
    case 1: true
    default: nil
    }
  }

  // MARK: Receiving

  /// Reads what has arrived; false if the connection is broken.
  func receive() -> Bool { PQconsumeInput(handle) == 1 && PQstatus(handle) == CONNECTION_OK }

  /// A part of an answer.
  enum Answer {
    /// The rows of a statement, or the end of its preparation.
    case rows(QueryResult)
    /// The statement failed; the rest of its request is skipped.
    case failed(ServerError)
    /// The statement was skipped, because one before it failed.
    case skipped
    /// The end of a request.
    case synced
    /// The server waits for data of a `COPY`, or sends them: the connection can't be used any more.
    case copy
  }

  /// Returns the next part that has arrived, without waiting; nil if there is none.
  func nextAnswer() -> Answer? {
    // A result of NULL separates statements. Two in a row are no answer, even if libpq is not busy.
    for _ in 0..<2 where PQisBusy(handle) == 0 {
      guard let result = PQgetResult(handle) else { continue }
      switch PQresultStatus(result) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE: return .rows(QueryResult(result))
      case PGRES_PIPELINE_SYNC:
        PQclear(result)
        return .synced
      case PGRES_PIPELINE_ABORTED:
        PQclear(result)
        return .skipped
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        PQclear(result)
        return .copy
      default:
        defer { PQclear(result) }
        return .failed(Self.error(of: result))
      }
    }
    return nil
  }

  private static func error(of result: OpaquePointer) -> ServerError {
    func field(_ code: Character) -> String? {
      PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
    }
    let severity = field("V")
    return ServerError(
      sqlState: field("C") ?? "08006", message: field("M") ?? "The connection was lost.",
      constraint: field("n"), isFatal: severity == "FATAL" || severity == "PANIC" || field("C") == nil)
  }

  /// Returns whether a notification has arrived; those that have are taken.
  func takeNotifications() -> Bool {
    var hasArrived = false
    while let notification = PQnotifies(handle) {
      hasArrived = true
      PQfreemem(notification)
    }
    return hasArrived
  }

  /// Whether a transaction is open after a request; or others are under way, whose answers will tell.
  var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }
}

extension Parameters {
  /// Calls a function with the parameters as libpq takes them: types, values, lengths and formats.
  fileprivate func withPointers<Value>(
    _ body: ([UInt32], [UnsafePointer<CChar>?], [Int32], [Int32]) -> Value
  ) -> Value {
    let lengths = places.map { Int32($0?.count ?? 0) }
    // One byte more, because an empty value needs a pointer too: without one it is NULL.
    return (storage + [0]).withUnsafeBytes { storage in
      let base = storage.baseAddress?.assumingMemoryBound(to: CChar.self)
      let values = places.map { place in place.flatMap { place in base.map { $0 + place.lowerBound } } }
      return body(types, values, lengths, formats)
    }
  }
}

/// Calls a function with C strings, ended by NULL.
private func withCStrings<Value>(
  _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
) -> Value {
  let copies = texts.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  let pointers = copies.map { UnsafePointer($0) } + [nil]
  return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}

// MARK: - A caller's connection

/// A connection of the caller, in the caller's transaction: each statement blocks the calling thread.
struct CallersConnection {
  private let handle: OpaquePointer

  /// Uses a connection of libpq.
  init(_ handle: OpaquePointer) {
    self.handle = handle
  }

  /// Whether the connection is in a transaction that has not failed.
  var isInTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS }

  /// Whether texts are exchanged in UTF-8.
  var hasUTF8: Bool { PQparameterStatus(handle, "client_encoding").map { String(cString: $0) } == "UTF8" }

  /// Executes a statement.
  ///
  /// - Parameter statement: the statement.
  /// - Returns: its rows.
  /// - Throws: ``ServerError``.
  func perform(_ statement: Statement) throws(ServerError) -> QueryResult {
    let result = statement.parameters.withPointers { types, values, lengths, formats in
      PQexecParams(handle, statement.sql, Int32(values.count), types, values, lengths, formats, 1)
    }
    guard let result else {
      throw ServerError(sqlState: "08006", message: "The connection was lost.", constraint: nil, isFatal: true)
    }
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK: return QueryResult(result)
    default:
      defer { PQclear(result) }
      throw ServerError(
        sqlState: PQresultErrorField(result, 67).map { String(cString: $0) } ?? "08006",
        message: PQresultErrorField(result, 77).map { String(cString: $0) } ?? "The connection was lost.",
        constraint: nil, isFatal: false)
    }
  }
}
#endif
