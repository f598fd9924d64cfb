#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// An error that the server answered to a statement.
struct ServerError: Error, Hashable, Sendable {
  /// The code of the error (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
  var sqlState: String
  /// The server's message, which may quote values.
  var message: String
  /// The constraint that was violated, if any.
  var constraint: String?
  /// Whether the server ends the connection.
  var isFatal: Bool
}

/// The reason why there is no connection.
struct ConnectFailure: Error, Hashable, Sendable {
  /// The code of the server's error, if the server answered one.
  var sqlState: String?
  /// The failure and its remedy, without the password.
  var message: String
  /// Whether waiting does not help.
  var isPermanent = false

  /// Creates a failure.
  init(_ sqlState: String?, _ message: String, isPermanent: Bool = false) {
    (self.sqlState, self.message, self.isPermanent) = (sqlState, message, isPermanent)
  }

  /// Creates the failure of libpq's message about a start.
  ///
  /// - Parameters:
  ///   - message: the message; one of the server begins with `FATAL:  28P01: `.
  ///   - place: the user, host and port.
  ///   - password: the password, which is removed from the message.
  init(message: String, place: String, password: String) {
    sqlState = message.firstMatch(of: #/:  ([0-9A-Z]{5}): /#).map { String($0.1) }
    let lines = message.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }.prefix(2)
    var text = lines.joined(separator: " ").replacing(#/\s+/#, with: " ")
    if !password.isEmpty { text = text.replacing(password, with: "…") }
    switch sqlState {
    case "28P01"?, "28000"?:
      isPermanent = true
      self.message =
        "The server \(place) refused the log-in. Check the user, the password and pg_hba.conf of the server."
    case "3D000"?:
      isPermanent = true
      self.message = "The server \(place) has no such database. Create it, or name another one."
    default:
      self.message = "No connection to the server \(place): \(text)"
    }
  }
}

/// The reason why a request has no answer.
enum RequestFailure: Error, Hashable, Sendable {
  /// A statement failed, and with it the whole request.
  case server(ServerError)
  /// The request was not sent: there is no connection.
  case notConnected(ConnectFailure)
  /// The connection broke, or the time limit passed, after the request had been sent.
  case lost(String)
  /// The time limit passed before a connection was free.
  case waitedTooLong
  /// Too many requests wait.
  case queueFull(limit: Int)
  /// The store was closed, before the request was sent.
  case closed
}

extension RequestFailure {
  /// Whether nothing was changed, and the same request may succeed at once: another transaction was in the way.
  var isTransient: Bool {
    guard case .server(let error) = self else { return false }
    // A deadlock, a serialization failure, a statement that another request's failure left unprepared, and a plan
    // that a migration of another process has invalidated.
    return ["40P01", "40001", "26000", "0A000"].contains(error.sqlState) && !error.isFatal
  }

  /// Whether another transaction inserted the same row first.
  var isUniqueViolation: Bool {
    if case .server(let error) = self { error.sqlState == "23505" } else { false }
  }
}

extension StoreError {
  /// Creates the error of a request.
  ///
  /// - Parameters:
  ///   - failure: the failure.
  ///   - mayCommit: whether the request would have committed changes.
  init(_ failure: RequestFailure, mayCommit: Bool) {
    switch failure {
    case .server(let error) where error.isFatal: self = .lost(error.sqlState, mayCommit: mayCommit)
    case .server(let error):
      let (code, message) = Self.meaning(of: error.sqlState)
      self.init(code, message, nativeCode: error.sqlState)
    case .notConnected(let failure):
      self.init(failure.isPermanent ? .invalid : .unavailable, failure.message, nativeCode: failure.sqlState)
    case .lost(let reason): self = .lost(reason, mayCommit: mayCommit)
    case .waitedTooLong:
      self.init(.unavailable, "No connection became free within the time limit. Retry, or allow more connections.")
    case .queueFull(let limit):
      self.init(.unavailable, "\(limit) requests are waiting already. Send fewer at a time.")
    case .closed: self.init(.unavailable, "The store was closed. Create another one.")
    }
  }

  private static func lost(_ native: String, mayCommit: Bool) -> StoreError {
    mayCommit
      ? StoreError(
        .unknownOutcome, "The connection broke before the commit was confirmed. Read again.", nativeCode: native)
      : StoreError(.unavailable, "The connection broke; nothing was changed. Retry.", nativeCode: native)
  }

  /// Returns the meaning of a code for the caller of a request, which has changed nothing.
  ///
  /// - Parameter sqlState: the five characters of the code.
  /// - Returns: the code of the store's error, and its message.
  static func meaning(of sqlState: String) -> (code: Code, message: String) {
    switch sqlState {
    case "57014":
      return (.unavailable, "A statement took longer than the request timeout. Retry; check the server's load.")
    case "55P03": return (.unavailable, "A lock was not granted in time. Retry; look for long transactions.")
    case "25P02": return (.invalid, "A statement of the transaction failed, and its error was ignored. Throw it.")
    case "25006":
      return (
        .unavailable,
        "The server is read-only, such as a standby. Add target_session_attrs=read-write to the connection."
      )
    case "42501":
      return (.invalid, "The database denied the operation. Grant the user the schema's tables and sequences.")
    case "54000", "54001", "54023": return (.invalid, "A document exceeds a limit of the database. Make it smaller.")
    case "53100": return (.unavailable, "The server's disk is full. Free some space or purge expired runs.")
    case "53300": return (.unavailable, "The server has no free connections. Raise max_connections, or use fewer.")
    default: break
    }
    switch sqlState.prefix(2) {
    case "08": return (.unavailable, "The connection failed. Retry.")
    case "22": return (.invalid, "The database cannot store a value of the document.")
    case "23": return (.invalid, "A document violates a constraint of its table.")
    case "28": return (.invalid, "The server refused the log-in. Check the user and the password.")
    case "40": return (.unavailable, "Other transactions were in the way, again and again. Retry.")
    case "3F", "42":
      return (.invalid, "The schema's tables are missing or of another form. Open the store with migrations allowed.")
    case "53": return (.unavailable, "The server ran out of a resource. Retry later; check its memory and disk.")
    case "57": return (.unavailable, "The server is shutting down or starting. Retry.")
    case "58": return (.unavailable, "The server's disk or system failed. Check its log.")
    case "XX": return (.invalid, "The server reports an internal error or damaged data. Check its log.")
    default: return (.unavailable, "The database failed. Look the code up in PostgreSQL's list of error codes.")
    }
  }
}

/// The delays between attempts to connect.
enum ReconnectBackoff {
  /// The delay after the first failure, in milliseconds.
  static let first: Int64 = 100
  /// The longest delay, in milliseconds.
  static let longest: Int64 = 5_000

  /// Returns the delay before the next attempt: doubled with each failure, between a half and the whole of it.
  ///
  /// - Parameters:
  ///   - failures: the number of failures in a row, from 1.
  ///   - random: a random number, of which any will do.
  /// - Returns: the delay in milliseconds.
  static func delay(failures: Int, random: UInt64) -> Int64 {
    let whole = min(longest, first << Int64(min(max(failures - 1, 0), 20)))
    return whole - Int64(random % UInt64(whole / 2 + 1))
  }
}
#endif
