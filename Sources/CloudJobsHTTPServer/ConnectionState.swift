/// What a server knows of one connection, and what follows from it: pure, and by times that it is told.
///
/// A connection waits for a head, then reads the body while the request is answered, and waits again. After its last
/// answer it *lingers*: it has said that nothing more will come, and drops what the client still sends, because closing
/// a socket with unread bytes would take the answer away from the client (RFC 9112, section 9.6).
struct ConnectionState: Sendable {
  /// What the connection's shell has to do about an event.
  enum Action: Hashable, Sendable {
    /// Pass the event on.
    case pass
    /// Drop it.
    case drop
    /// Answer in the place of the application, close the output, and drop what still comes.
    case refuse(HTTPRefusal)
    /// Close the output once everything is written, and drop what still comes.
    case linger
    /// Close the connection.
    case close
  }

  /// What of a request's head matters here.
  struct Head: Hashable, Sendable {
    /// How many `Host` fields there are.
    var hosts: Int
    /// Whether the version demands one.
    var needsHost: Bool
    /// Whether another request may follow.
    var keepsAlive: Bool
  }

  private enum Phase: Hashable, Sendable {
    case open
    case lingering(since: Duration)
    case closed
  }

  private let limits: HTTPServerLimits
  private var phase = Phase.open
  /// Since when the next head is waited for.
  private var waitingSince: Duration
  private var isFirst = true
  /// How many requests are not answered.
  private var unanswered = 0
  /// Whether the body of the latest request is incomplete.
  private var isReadingBody = false
  /// Since when it is the client's turn to send that body.
  private var bodySince = Duration.zero
  private var isResponding = false
  private var respondingSince = Duration.zero
  /// Whether no request is taken after those that are there.
  private(set) var isLast = false
  private var pendingRefusal: HTTPRefusal?
  private var shutdownSince: Duration?

  /// The state of a connection that has just been opened.
  init(limits: HTTPServerLimits, at now: Duration) {
    self.limits = limits
    waitingSince = now
  }

  /// Whether the connection only waits for its end.
  var isLingering: Bool { phase != .open }

  /// Whether an answer should say that the connection ends with it.
  var announcesClose: Bool { isLast || shutdownSince != nil }

  /// When ``expire(at:)`` is to be called next; nil while it is the application's turn.
  var deadline: Duration? {
    switch phase {
    case .closed: nil
    case .lingering(let since): since + limits.lingerTimeout
    case .open where isResponding: respondingSince + limits.requestTimeout
    case .open where unanswered == 1 && isReadingBody:
      min(
        bodySince + limits.requestTimeout, (shutdownSince ?? bodySince + limits.requestTimeout) + limits.shutdownGrace)
    case .open where unanswered > 0: nil
    case .open where isReadingBody: bodySince + limits.lingerTimeout
    case .open: waitingSince + (isFirst ? limits.requestTimeout : limits.idleTimeout)
    }
  }

  /// A request's head has come.
  mutating func head(_ head: Head, at now: Duration) -> Action {
    guard phase == .open, !isLast else { return .drop }
    isFirst = false
    let refusal: HTTPRefusal? = head.hosts > 1 ? .severalHosts : head.hosts == 0 && head.needsHost ? .missingHost : nil
    if let refusal {
      isLast = true
      guard unanswered == 0 else {
        // The answers keep the order of the requests.
        pendingRefusal = refusal
        return .drop
      }
      return refuse(refusal, at: now)
    }
    unanswered += 1
    isReadingBody = true
    bodySince = now
    isLast = !head.keepsAlive
    return .pass
  }

  /// A piece of a request's body has come.
  mutating func body() -> Action {
    phase == .open && isReadingBody ? .pass : .drop
  }

  /// A request's end has come.
  mutating func end(at now: Duration) -> Action {
    guard phase == .open, isReadingBody else { return .drop }
    isReadingBody = false
    if unanswered == 0 { waitingSince = now }
    return .pass
  }

  /// The application begins an answer.
  mutating func responseHead(at now: Duration) -> Action {
    guard phase == .open else { return .drop }
    isResponding = true
    respondingSince = now
    return .pass
  }

  /// The application has written an answer's end.
  mutating func responseEnd(at now: Duration) -> Action {
    guard phase == .open else { return .drop }
    isResponding = false
    unanswered = max(0, unanswered - 1)
    waitingSince = now
    bodySince = now
    guard unanswered == 0 else { return .pass }
    if let pendingRefusal { return refuse(pendingRefusal, at: now) }
    guard isLast else { return .pass }
    phase = .lingering(since: now)
    return .linger
  }

  /// What came is no HTTP; the application answers that, and nothing follows.
  mutating func malformed(at now: Duration) -> Action {
    guard phase == .open else { return .drop }
    isLast = true
    isReadingBody = false
    return .pass
  }

  /// The server shuts down.
  mutating func shutDown(at now: Duration) {
    shutdownSince = shutdownSince ?? now
  }

  /// The client has closed its side.
  mutating func inputClosed() -> Action {
    guard phase != .open else { return .pass }
    phase = .closed
    return .close
  }

  /// The connection is gone.
  mutating func closed() {
    phase = .closed
  }

  /// A deadline may have passed.
  mutating func expire(at now: Duration) -> Action {
    guard let deadline, deadline <= now else { return .pass }
    if phase == .open, unanswered == 1, isReadingBody, !isResponding {
      let isSlow = now >= bodySince + limits.requestTimeout
      return refuse(isSlow ? .slowBody : .shuttingDown, at: now)
    }
    phase = .closed
    return .close
  }

  private mutating func refuse(_ refusal: HTTPRefusal, at now: Duration) -> Action {
    phase = .lingering(since: now)
    return .refuse(refusal)
  }
}
