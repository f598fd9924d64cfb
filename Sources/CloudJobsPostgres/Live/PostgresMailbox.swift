#if PostgreSQL
import CloudJobs
import Synchronization

/// The settings of a client.
struct ClientOptions: Sendable {
  /// The parameters of the connection.
  var parameters: [(key: String, value: String)]
  /// The maximum number of connections, apart from the one that listens.
  var connections: Int
  /// The maximum number of requests that wait for a connection.
  var maxWaiting: Int
  /// The maximum time of a request, in milliseconds.
  var requestTimeout: Int64
  /// The maximum time of connecting, in milliseconds.
  var connectTimeout: Int64
  /// The channel of notifications.
  var channel: String
  /// The random numbers of the delays between attempts to connect.
  var random: RandomSource
}

/// The answer to a request.
struct Response: Sendable {
  /// The rows of each statement.
  var results: [QueryResult] = []
  /// Whether a transaction is open after the request.
  var isInTransaction = false
}

/// Statements that share one round trip, and one transaction unless they begin or end one themselves.
struct Request: Sendable {
  /// The statements, at least one.
  var statements: [Statement]
  /// The reserved connection; nil for any.
  var lease: UInt64?
  /// The time by which the answer must have arrived, in milliseconds of the monotonic clock.
  var deadline: Int64
  /// Takes the answer, on the I/O thread.
  var complete: @Sendable (Result<Response, RequestFailure>) -> Void
}

/// A request for a connection of one's own.
struct Reservation: Sendable {
  /// The number of the lease.
  var lease: UInt64
  /// Whether it is for a transaction of a caller, which may take long.
  var isCallers: Bool
  /// The time by which a connection must be free.
  var deadline: Int64
  /// Takes the answer, on the I/O thread.
  var complete: @Sendable (Result<Void, RequestFailure>) -> Void
}

/// The state that callers share with the I/O thread.
final class PostgresMailbox: Sendable {
  /// A message to the thread.
  enum Message: Sendable {
    case request(Request)
    case reservation(Reservation)
    /// The end of a lease; the connection is closed if its transaction may still be open.
    case release(lease: UInt64, isClean: Bool)
    /// The result of an attempt to connect.
    case connected(slot: Int, attempt: UInt64, Result<PostgresConnection, ConnectFailure>)
    /// Whether anyone wants notifications.
    case listen(Bool)
  }

  private struct State {
    var messages: [Message] = []
    var isStopping = false
    var hasEnded = false
    var isAwake = false
    var lastNumber: UInt64 = 0
    var listeners: [UInt64: @Sendable () -> Void] = [:]
    var endWaiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let pipe: WakeUpPipe?

  init(pipe: WakeUpPipe?) {
    self.pipe = pipe
  }

  // MARK: The callers' side

  /// Whether the client stops or has stopped.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Returns a number that was not returned before.
  func nextNumber() -> UInt64 {
    state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
  }

  /// Sends a message; false if the thread takes none any more.
  func send(_ message: Message) -> Bool {
    state.withLock { state in
      if state.isStopping { return false }
      state.messages.append(message)
      wake(&state)
      return true
    }
  }

  /// Adds a function that is called whenever work may have come due; the first one begins to listen.
  func addListener(_ listener: @escaping @Sendable () -> Void) -> UInt64 {
    let number = nextNumber()
    state.withLock { state in
      state.listeners[number] = listener
      if state.listeners.count == 1 { state.messages.append(.listen(true)) }
      wake(&state)
    }
    return number
  }

  /// Removes a function; the last one ends the listening.
  func removeListener(_ number: UInt64) {
    state.withLock { state in
      guard state.listeners.removeValue(forKey: number) != nil, state.listeners.isEmpty else { return }
      state.messages.append(.listen(false))
      wake(&state)
    }
  }

  /// Asks the thread to end.
  func stop() {
    state.withLock { state in
      state.isStopping = true
      wake(&state)
    }
  }

  /// Asks the thread to end, and waits for it.
  func stopAndWait() async {
    await withCheckedContinuation { continuation in
      let hasEnded = state.withLock { state in
        state.isStopping = true
        wake(&state)
        if !state.hasEnded { state.endWaiters.append(continuation) }
        return state.hasEnded
      }
      if hasEnded { continuation.resume() }
    }
  }

  // MARK: The thread's side

  /// Returns the messages since the last call, and whether to end.
  func take() -> (messages: [Message], isStopping: Bool) {
    state.withLock { state in
      defer { state.messages = [] }
      state.isAwake = false
      return (state.messages, state.isStopping)
    }
  }

  /// Calls the functions that wait for notifications.
  func callListeners() {
    let listeners = state.withLock { Array($0.listeners.values) }
    for listener in listeners { listener() }
  }

  /// Marks the thread as ended.
  func end() {
    let waiters = state.withLock { state in
      state.hasEnded = true
      state.isStopping = true
      defer { state.endWaiters = [] }
      return state.endWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Wakes the thread, once per call of ``take()``.
  private func wake(_ state: inout State) {
    if state.isAwake { return }
    state.isAwake = true
    pipe?.wake()
  }
}
#endif
