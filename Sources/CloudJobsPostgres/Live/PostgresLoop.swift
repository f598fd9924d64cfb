#if PostgreSQL
import CloudJobs

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The loop of the I/O thread, which owns all connections and requests.
///
/// It is created and used on that thread only, so it needs no lock. Connecting, which may block in a name look-up,
/// takes place on threads of its own.
final class PostgresLoop {
  private enum Work {
    case request(Request)
    case reservation(Reservation)

    var deadline: Int64 {
      switch self {
      case .request(let request): request.deadline
      case .reservation(let reservation): reservation.deadline
      }
    }

    func fail(_ failure: RequestFailure) {
      switch self {
      case .request(let request): request.complete(.failure(failure))
      case .reservation(let reservation): reservation.complete(.failure(failure))
      }
    }
  }

  private let mailbox: PostgresMailbox
  private let options: ClientOptions
  private let pipe: WakeUpPipe
  /// The connections for requests, and as the last one that for notifications.
  private var slots: [PostgresSlot]
  private var waiting: [Work] = []
  private var isListening = false

  /// The longest sleep in milliseconds; a message ends it early.
  private static let longestSleep: Int64 = 60_000
  /// The maximum number of requests under way on one connection.
  private static let depth = 32

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - mailbox: the messages to the thread.
  ///   - pipe: wakes the thread.
  ///   - options: the client's settings.
  /// - Returns: false if the system can't create a thread.
  static func start(_ mailbox: PostgresMailbox, _ pipe: WakeUpPipe, _ options: ClientOptions) -> Bool {
    PostgresThread.start(stop: { mailbox.stop() }) {
      PostgresLoop(mailbox, pipe, options).run()
      mailbox.end()
    }
  }

  private init(_ mailbox: PostgresMailbox, _ pipe: WakeUpPipe, _ options: ClientOptions) {
    (self.mailbox, self.pipe, self.options) = (mailbox, pipe, options)
    slots = (0...options.connections).map { PostgresSlot(number: $0) }
  }

  private var listener: PostgresSlot { slots[options.connections] }

  private func run() {
    while true {
      pipe.clear()
      let (messages, isStopping) = mailbox.take()
      if isStopping {
        for message in messages { refuse(message) }
        break
      }
      for message in messages { handle(message) }
      let now = MonotonicClock.milliseconds()
      expire(now)
      assign(now)
      connectListener(now)
      for slot in slots where !slot.flush() { lose(slot, "The connection broke.") }
      poll(now)
    }
    for work in waiting { work.fail(.closed) }
    for slot in slots { lose(slot, "The store was closed.") }
  }

  // MARK: Messages

  private func handle(_ message: PostgresMailbox.Message) {
    switch message {
    case .request(let request):
      if let lease = request.lease {
        guard let slot = slots.first(where: { $0.lease == lease }), slot.isReady else {
          return request.complete(.failure(.lost("The connection of the transaction broke.")))
        }
        slot.send(request)
      } else {
        enqueue(.request(request))
      }
    case .reservation(let reservation): enqueue(.reservation(reservation))
    case .release(let lease, let isClean):
      guard let slot = slots.first(where: { $0.lease == lease }) else { return }
      (slot.lease, slot.isCallers) = (nil, false)
      if !isClean { lose(slot, "The transaction was abandoned.", failures: 0) }
    case .connected(let number, let attempt, let result): connected(slots[number], attempt, result)
    case .listen(let isListening):
      self.isListening = isListening
      if !isListening { lose(listener, "Nothing listens any more.", failures: 0) }
    }
  }

  private func refuse(_ message: PostgresMailbox.Message) {
    switch message {
    case .request(let request): request.complete(.failure(.closed))
    case .reservation(let reservation): reservation.complete(.failure(.closed))
    case .release, .connected, .listen: break
    }
  }

  private func enqueue(_ work: Work) {
    if waiting.count >= options.maxWaiting { return work.fail(.queueFull(limit: options.maxWaiting)) }
    waiting.append(work)
  }

  // MARK: Assignment

  private var pool: ArraySlice<PostgresSlot> { slots.prefix(options.connections) }

  /// Gives waiting work to connections, and opens more of them if all are busy.
  private func assign(_ now: Int64) {
    if waiting.isEmpty { return }
    var kept: [Work] = []
    var (isFull, hasReservation) = (false, false)
    for work in waiting {
      switch work {
      case .request(let request):
        if !isFull, let slot = leastBusySlot() {
          slot.send(request)
        } else {
          isFull = true
          kept.append(work)
        }
      case .reservation(let reservation):
        if !mayReserve(reservation) {
          kept.append(work)
        } else if let slot = slotForReservation() {
          // The others that wait for one hold a connection of their own again, if they need to.
          for slot in pool { slot.isHeld = false }
          (slot.lease, slot.isCallers) = (reservation.lease, reservation.isCallers)
          reservation.complete(.success(()))
        } else {
          hasReservation = true
          kept.append(work)
        }
      }
    }
    waiting = kept
    if !hasReservation { for slot in pool { slot.isHeld = false } }
    let isBusy = !waiting.isEmpty || pool.contains { $0.requestCount > 1 }
    guard isBusy, !pool.contains(where: \.isConnecting) else { return }
    if let slot = pool.first(where: { $0.isIdle(at: now) }) { connect(slot, now) }
  }

  private func leastBusySlot() -> PostgresSlot? {
    pool.filter { $0.isReady && $0.lease == nil && !$0.isHeld && $0.requestCount < Self.depth }
      .min { $0.requestCount < $1.requestCount }
  }

  /// Returns whether a connection may be reserved.
  ///
  /// One connection is never reserved, and one more not for transactions of callers, so that those never hold up the
  /// requests and commits of others, or wait for their own.
  private func mayReserve(_ reservation: Reservation) -> Bool {
    let leased = pool.filter { $0.lease != nil }
    return leased.count < options.connections - 1
      && (!reservation.isCallers || leased.count(where: \.isCallers) < options.connections - 2)
  }

  /// Returns a connection without requests; if there is none, one gets no new requests from now on.
  private func slotForReservation() -> PostgresSlot? {
    let candidates = pool.filter { $0.isReady && $0.lease == nil }
    if let free = candidates.first(where: { $0.requestCount == 0 }) { return free }
    if !candidates.contains(where: \.isHeld), candidates.count > 1 {
      candidates.min { $0.requestCount < $1.requestCount }?.isHeld = true
    }
    return nil
  }

  // MARK: Connecting

  private func connectListener(_ now: Int64) {
    if isListening, listener.isIdle(at: now) { connect(listener, now) }
  }

  private func connect(_ slot: PostgresSlot, _ now: Int64) {
    let attempt = mailbox.nextNumber()
    slot.begin(attempt: attempt, deadline: now + options.connectTimeout + 1_000)
    let (mailbox, options, number) = (mailbox, options, slot.number)
    let hasStarted = PostgresThread.start(stop: { mailbox.stop() }) {
      let result = PostgresConnection.connect(options.parameters, timeout: options.connectTimeout) {
        mailbox.isStopping
      }
      _ = mailbox.send(.connected(slot: number, attempt: attempt, result))
    }
    if !hasStarted {
      connected(slot, attempt, .failure(ConnectFailure(nil, "The system has no thread left to connect with.")))
    }
  }

  private func connected(
    _ slot: PostgresSlot, _ attempt: UInt64, _ result: Result<PostgresConnection, ConnectFailure>
  ) {
    guard slot.attempt == attempt else { return }
    switch result {
    case .success(let connection):
      PostgresThread.stopAllAtExit()
      slot.open(connection)
      if slot === listener { listen(slot) }
    case .failure(let failure):
      backOff(slot, failures: slot.failures + 1)
      // The others' requests wait for connections that still work, or for their time limit.
      if slot !== listener, pool.allSatisfy({ !$0.isReady }) {
        for work in waiting { work.fail(.notConnected(failure)) }
        waiting = []
      }
    }
  }

  /// Begins to listen; notifications may have been lost before, so that the listeners are called in any case.
  private func listen(_ slot: PostgresSlot) {
    let (mailbox, deadline) = (mailbox, MonotonicClock.milliseconds() + options.requestTimeout)
    slot.send(
      Request(statements: [Statement("LISTEN \"\(options.channel)\"")], lease: nil, deadline: deadline) { result in
        if case .success = result { mailbox.callListeners() }
      })
  }

  /// Closes a connection and fails its requests.
  private func lose(_ slot: PostgresSlot, _ reason: String, failures: Int? = nil) {
    let lost = slot.close()
    backOff(slot, failures: failures ?? slot.failures + 1)
    for request in lost { request.complete(.failure(.lost(reason))) }
  }

  private func backOff(_ slot: PostgresSlot, failures: Int) {
    let random = options.random.draw { $0.next() as UInt64 }
    let delay = failures == 0 ? 0 : ReconnectBackoff.delay(failures: failures, random: random)
    slot.backOff(failures: failures, until: MonotonicClock.milliseconds() + delay)
  }

  // MARK: Time limits

  private func expire(_ now: Int64) {
    if waiting.contains(where: { $0.deadline <= now }) {
      let expired = waiting.filter { $0.deadline <= now }
      waiting.removeAll { $0.deadline <= now }
      for work in expired { work.fail(.waitedTooLong) }
    }
    for slot in slots {
      // The server cancels a statement at the time limit itself; without any answer, the connection is useless.
      if let deadline = slot.firstDeadline, deadline + Self.grace <= now {
        lose(slot, "The server did not answer within the request timeout.")
      } else if slot.isConnecting, slot.connectDeadline <= now {
        connected(slot, slot.attempt, .failure(ConnectFailure(nil, "The server did not accept a connection in time.")))
      }
    }
  }

  /// The number of milliseconds for which the server's own time limit may be late.
  private static let grace: Int64 = 1_000

  private func sleep(_ now: Int64) -> Int64 {
    var wake = now + Self.longestSleep
    if let first = waiting.first { wake = min(wake, first.deadline) }
    for slot in slots {
      if let deadline = slot.firstDeadline { wake = min(wake, deadline + Self.grace) }
      if slot.isConnecting { wake = min(wake, slot.connectDeadline) }
      if let retry = slot.retryTime, slot === listener ? isListening : !waiting.isEmpty { wake = min(wake, retry) }
    }
    return max(0, wake - now)
  }

  // MARK: Input and output

  private func poll(_ now: Int64) {
    var descriptors = [pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0)]
    var polled: [PostgresSlot] = []
    for slot in slots {
      guard let socket = slot.socket else { continue }
      descriptors.append(pollfd(fd: socket, events: Int16(slot.hasOutput ? POLLIN | POLLOUT : POLLIN), revents: 0))
      polled.append(slot)
    }
    let count = nfds_t(descriptors.count)
    if awaitEvents(&descriptors, count, Int32(sleep(now))) <= 0 { return }
    for (slot, descriptor) in zip(polled, descriptors.dropFirst()) where descriptor.revents != 0 {
      let isAlive = slot.receive()
      if slot === listener, slot.takeNotifications() { mailbox.callListeners() }
      if !isAlive { lose(slot, "The connection broke.") }
    }
  }
}

private func awaitEvents(_ descriptors: inout [pollfd], _ count: nfds_t, _ timeout: Int32) -> Int32 {
  poll(&descriptors, count, timeout)
}
#endif
