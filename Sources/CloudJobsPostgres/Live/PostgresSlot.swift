#if PostgreSQL
/// The place of one connection, with the requests that are under way on it.
///
/// Used by the I/O thread only.
final class PostgresSlot {
  /// The place's number.
  let number: Int
  /// The lease of the connection; nil if it serves everyone.
  var lease: UInt64?
  /// Whether the lease is that of a caller's transaction.
  var isCallers = false
  /// Whether the connection gets no new requests, because someone waits to reserve it.
  var isHeld = false

  private enum Phase {
    case closed(retry: Int64)
    case connecting(deadline: Int64)
    case open(PostgresConnection)
  }

  /// A request under way: what its parts are answered with.
  private struct Sent {
    var request: Request
    /// For each expected answer, the name of the statement that it prepares; nil for rows.
    var parts: [String?]
    var answered = 0
    var response = Response()
    var error: ServerError?
  }

  private var phase = Phase.closed(retry: 0)
  private var sent: [Sent] = []
  private var isBroken = false
  /// The statements that the server has prepared, and those that it may be preparing.
  private var prepared: Set<String> = []
  private var preparing: Set<String> = []
  private var names: [String: String] = [:]
  private var nameCount = 0

  /// The number of the latest attempt to connect.
  private(set) var attempt: UInt64 = 0
  /// The number of failures since a request was answered.
  private(set) var failures = 0
  /// Whether bytes wait to be sent.
  private(set) var hasOutput = false

  /// The maximum number of statements that a connection keeps prepared.
  private static let preparedLimit = 256

  init(number: Int) {
    self.number = number
  }

  private var connection: PostgresConnection? {
    if case .open(let connection) = phase { connection } else { nil }
  }

  /// Whether the connection takes requests.
  var isReady: Bool { connection != nil && !isBroken }
  /// The number of requests under way.
  var requestCount: Int { sent.count }
  /// The socket to poll.
  var socket: Int32? { connection?.socket }
  /// The earliest time limit of the requests under way.
  var firstDeadline: Int64? { sent.first?.request.deadline }
  /// Whether an attempt to connect is under way.
  var isConnecting: Bool { if case .connecting = phase { true } else { false } }
  /// The time limit of the attempt to connect.
  var connectDeadline: Int64 { if case .connecting(let deadline) = phase { deadline } else { .max } }
  /// The time of the next attempt; nil if there is a connection, or an attempt is under way.
  var retryTime: Int64? { if case .closed(let retry) = phase { retry } else { nil } }

  /// Returns whether an attempt to connect may begin.
  func isIdle(at now: Int64) -> Bool { retryTime.map { $0 <= now } ?? false }

  /// Begins an attempt to connect.
  func begin(attempt: UInt64, deadline: Int64) {
    self.attempt = attempt
    phase = .connecting(deadline: deadline)
  }

  /// Takes over a connection.
  func open(_ connection: PostgresConnection) {
    phase = .open(connection)
    (isBroken, hasOutput, isHeld, lease, isCallers) = (false, false, false, nil, false)
    (prepared, preparing, names) = ([], [], [:])
  }

  /// Waits before the next attempt to connect.
  func backOff(failures: Int, until time: Int64) {
    self.failures = failures
    attempt = 0
    phase = .closed(retry: time)
  }

  /// Closes the connection; returns the requests that have no answer.
  func close() -> [Request] {
    defer { (sent, lease, isCallers, isHeld) = ([], nil, false, false) }
    phase = .closed(retry: 0)
    return sent.map(\.request)
  }

  // MARK: Sending

  /// Queues a request on the connection; a failure shows when the connection is flushed.
  func send(_ request: Request) {
    var item = Sent(request: request, parts: [])
    guard let connection, !isBroken else {
      sent.append(item)
      isBroken = true
      return
    }
    var isQueued = true
    for statement in request.statements {
      var name: String?
      if statement.isOwn, let known = preparedName(for: statement.sql) {
        name = known
        if !prepared.contains(known) {
          isQueued = isQueued && connection.prepare(statement, as: known)
          preparing.insert(known)
          item.parts.append(known)
        }
      }
      isQueued = isQueued && connection.send(statement, preparedAs: name)
      item.parts.append(nil)
    }
    isQueued = isQueued && connection.sync()
    sent.append(item)
    hasOutput = true
    if !isQueued { isBroken = true }
  }

  /// Returns the name under which a statement is or can be prepared.
  ///
  /// While its first preparation is under way, a failure before it could still skip it, so that the statement is parsed
  /// for the single use.
  private func preparedName(for sql: String) -> String? {
    if let name = names[sql] { return preparing.contains(name) ? nil : name }
    if names.count >= Self.preparedLimit { return nil }
    nameCount += 1
    let name = "cloud_jobs_\(nameCount)"
    names[sql] = name
    return name
  }

  /// Sends what is queued; false if the connection is broken.
  func flush() -> Bool {
    guard let connection else { return true }
    if isBroken { return false }
    guard hasOutput else { return true }
    guard let isLeft = connection.flush() else { return false }
    hasOutput = isLeft
    return true
  }

  // MARK: Receiving

  /// Reads what has arrived, and completes the requests that are answered; false if the connection is broken.
  func receive() -> Bool {
    guard let connection else { return true }
    let isAlive = connection.receive()
    while !sent.isEmpty, let answer = connection.nextAnswer() {
      switch answer {
      case .rows(let result):
        let item = sent[0]
        if item.answered < item.parts.count, let name = item.parts[item.answered] {
          preparing.remove(name)
          prepared.insert(name)
        } else {
          sent[0].response.results.append(result)
        }
        sent[0].answered += 1
      case .failed(let error):
        if sent[0].error == nil { sent[0].error = error }
        sent[0].answered += 1
      case .skipped: sent[0].answered += 1
      case .synced: completeFirst(connection)
      case .copy:
        isBroken = true
        return false
      }
    }
    return isAlive
  }

  private func completeFirst(_ connection: PostgresConnection) {
    var item = sent.removeFirst()
    failures = 0
    for case let name? in item.parts { preparing.remove(name) }
    if let error = item.error {
      // Statements that a migration of another session has invalidated are prepared again, under new names.
      if error.sqlState == "26000" || error.sqlState == "0A000" { names = [:] }
      item.request.complete(.failure(.server(error)))
    } else {
      item.response.isInTransaction = connection.isInTransaction
      item.request.complete(.success(item.response))
    }
  }

  /// Returns whether a notification has arrived.
  func takeNotifications() -> Bool { connection?.takeNotifications() ?? false }
}
#endif
