#if PostgreSQL
import CloudJobs

/// The asynchronous face of the I/O thread.
///
/// No call observes cancellation: a commit that was sent is awaited.
final class PostgresClient: Sendable {
  private let mailbox: PostgresMailbox
  private let requestTimeout: Int64

  /// Creates a client and starts its thread, which connects when the first request comes.
  init(_ options: ClientOptions) {
    requestTimeout = options.requestTimeout
    let pipe = WakeUpPipe()
    mailbox = PostgresMailbox(pipe: pipe)
    if let pipe, PostgresLoop.start(mailbox, pipe, options) { return }
    mailbox.end()
  }

  deinit {
    mailbox.stop()
  }

  /// Executes statements in one round trip, on any connection or that of a lease.
  ///
  /// - Parameters:
  ///   - statements: the statements, at least one.
  ///   - lease: the lease of a connection.
  ///   - timeout: the time limit in milliseconds; nil for the request timeout.
  /// - Returns: the rows of the statements, or the failure of the request as a whole.
  func perform(
    _ statements: [Statement], on lease: UInt64? = nil, timeout: Int64? = nil
  ) async -> Result<Response, RequestFailure> {
    await withCheckedContinuation { continuation in
      post(statements, on: lease, timeout: timeout) { continuation.resume(returning: $0) }
    }
  }

  /// Executes statements without waiting for the answer.
  func post(
    _ statements: [Statement], on lease: UInt64? = nil, timeout: Int64? = nil,
    _ complete: @escaping @Sendable (Result<Response, RequestFailure>) -> Void
  ) {
    let deadline = MonotonicClock.milliseconds() + (timeout ?? requestTimeout)
    let request = Request(statements: statements, lease: lease, deadline: deadline, complete: complete)
    if !mailbox.send(.request(request)) { complete(.failure(.closed)) }
  }

  /// Reserves a connection for several round trips.
  ///
  /// - Parameter isCallers: whether it is for a transaction of a caller, which may take long.
  /// - Returns: the lease, to be given back by ``release(_:isClean:)``.
  func reserve(isCallers: Bool = false) async -> Result<UInt64, RequestFailure> {
    let lease = mailbox.nextNumber()
    let deadline = MonotonicClock.milliseconds() + requestTimeout
    return await withCheckedContinuation { continuation in
      let reservation = Reservation(lease: lease, isCallers: isCallers, deadline: deadline) { result in
        continuation.resume(returning: result.map { lease })
      }
      if !mailbox.send(.reservation(reservation)) { continuation.resume(returning: .failure(.closed)) }
    }
  }

  /// Gives a connection back.
  ///
  /// - Parameters:
  ///   - lease: the lease.
  ///   - isClean: whether no transaction is open; otherwise the connection is closed.
  func release(_ lease: UInt64, isClean: Bool) {
    _ = mailbox.send(.release(lease: lease, isClean: isClean))
  }

  /// Calls a function after each notification, and after each connection that listens is made, until it is removed.
  func addListener(_ listener: @escaping @Sendable () -> Void) -> UInt64 { mailbox.addListener(listener) }

  /// Removes a function.
  func removeListener(_ number: UInt64) { mailbox.removeListener(number) }

  /// Ends the thread, and waits for it.
  func close() async { await mailbox.stopAndWait() }
}
#endif
