/// The state of one connection, as a pure state machine whose events carry the time.
///
/// A connection waits for a request head, reads the body while the request is answered, and waits again. After its last
/// response it *lingers*: its output is closed and further input is dropped, because closing a socket with unread bytes
/// could destroy the response before the client reads it (RFC 9112, section 9.6).
struct ConnectionState: Sendable {
  /// The action that the connection's shell takes for an event.
  enum Action: Hashable, Sendable {
    /// Pass the event on.
    case pass
    /// Drop the event.
    case drop
    /// Respond instead of the application, close the output, and drop further input.
    case refuse(HTTPRefusal)
    /// Close the output once everything is written, and drop further input.
    case linger
    /// Close the connection.
    case close
  }

  /// The relevant parts of a request head.
  struct Head: Hashable, Sendable {
    /// The number of `Host` fields.
    var hosts: Int
    /// Whether the HTTP version requires one.
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
  /// The start of the wait for the next head.
  private var waitingSince: Duration
  private var isFirst = true
  /// The number of unanswered requests.
  private var unanswered = 0
  /// Whether the body of the latest request is incomplete.
  private var isReadingBody = false
  /// The start of the client's time for sending that body.
  private var bodySince = Duration.zero
  private var isResponding = false
  private var respondingSince = Duration.zero
  /// Whether no further request is accepted.
  private(set) var isLast = false
  private var pendingRefusal: HTTPRefusal?
  private var shutdownSince: Duration?

  /// Creates the state of a new connection.
  init(limits: HTTPServerLimits, at now: Duration) {
    self.limits = limits
    waitingSince = now
  }

  /// Whether the connection only waits for its end.
  var isLingering: Bool { phase != .open }

  /// Whether responses announce the end of the connection.
  var announcesClose: Bool { isLast || shutdownSince != nil }

  /// The time at which ``expire(at:)`` must be called next; nil while the application is working.
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

  /// Handles a request head.
  mutating func head(_ head: Head, at now: Duration) -> Action {
    guard phase == .open, !isLast else { return .drop }
    isFirst = false
    let refusal: HTTPRefusal? = head.hosts > 1 ? .severalHosts : head.hosts == 0 && head.needsHost ? .missingHost : nil
    if let refusal {
      isLast = true
      guard unanswered == 0 else {
        // Responses keep the order of requests.
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

  /// Handles a piece of a request body.
  mutating func body() -> Action {
    phase == .open && isReadingBody ? .pass : .drop
  }

  /// Handles the end of a request.
  mutating func end(at now: Duration) -> Action {
    guard phase == .open, isReadingBody else { return .drop }
    isReadingBody = false
    if unanswered == 0 { waitingSince = now }
    return .pass
  }

  /// Handles the start of the application's response.
  mutating func responseHead(at now: Duration) -> Action {
    guard phase == .open else { return .drop }
    isResponding = true
    respondingSince = now
    return .pass
  }

  /// Handles a part of the body of the application's response.
  ///
  /// The client's time to read begins again: a part comes once the client has read enough of those before. So a
  /// stream of events may last as long as it has something to tell.
  mutating func responseBody(at now: Duration) -> Action {
    guard !isLingering else { return .drop }
    respondingSince = now
    return .pass
  }

  /// Handles the end of the application's response.
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

  /// Handles input that is not HTTP; the application responds, and nothing follows.
  mutating func malformed(at now: Duration) -> Action {
    guard phase == .open else { return .drop }
    isLast = true
    isReadingBody = false
    return .pass
  }

  /// Handles the start of the shutdown.
  mutating func shutDown(at now: Duration) {
    shutdownSince = shutdownSince ?? now
  }

  /// Handles the client's closing of its side.
  mutating func inputClosed() -> Action {
    guard phase != .open else { return .pass }
    phase = .closed
    return .close
  }

  /// Handles the end of the connection.
  mutating func closed() {
    phase = .closed
  }

  /// Handles the timer: a deadline may have passed.
  mutating func expire(at now: Duration) -> Action {
    guard let deadline, deadline <= now else { return .pass }
    if phase == .open, unanswered == 1, isReadingBody, !isResponding {
      let isSlow = now >= bodySince + limits.requestTimeout
      return refuse(isSlow ? .slowBody : .shuttingDown, at: now)
    }
    phase = .closed
    return .close
  }

  /// Handles the imminent end of the process: a request that the application has not answered is refused.
  mutating func processEnds(at now: Duration) -> Action {
    guard phase == .open, unanswered > 0, !isResponding else { return .pass }
    return refuse(.processEnds, at: now)
  }

  private mutating func refuse(_ refusal: HTTPRefusal, at now: Duration) -> Action {
    phase = .lingering(since: now)
    return .refuse(refusal)
  }
}

/// Limits on a server's connections and their timeouts.
package struct HTTPServerLimits: Hashable, Sendable {
  /// The maximum number of connections served; more wait until one ends.
  package var maxConnections = 1_024
  /// The timeout of a connection's first request head, and of each request body after its head, regardless of progress.
  package var requestTimeout = Duration.seconds(30)
  /// The timeout of an idle connection, including the next request's head.
  package var idleTimeout = Duration.seconds(60)
  /// The time that the client may keep sending after its last response, so that it can read the response.
  package var lingerTimeout = Duration.seconds(2)
  /// The time that a server waits for incomplete requests once it shuts down.
  package var shutdownGrace = Duration.milliseconds(500)

  /// The maximum number of calls at once on a connection of HTTP/2.
  package var maxStreams = 1_000
  /// The number of bytes that a client may send on a connection of HTTP/2, and in one of its calls, before the server
  /// has read them.
  package var windowSize = 1_048_576

  /// Creates the default limits.
  package init() {}
}

/// The reason for which the server itself responds to a request, before the application runs.
package enum HTTPRefusal: Hashable, Sendable, CaseIterable {
  /// An HTTP/1.1 request without a `Host` field.
  case missingHost
  /// A request with several `Host` fields.
  case severalHosts
  /// The body did not arrive in time.
  case slowBody
  /// The server is shutting down, and the request was incomplete.
  case shuttingDown
  /// The process ends before the application can answer.
  case processEnds

  /// The HTTP status.
  package var status: Int {
    switch self {
    // RFC 9112, section 3.2.
    case .missingHost, .severalHosts: 400
    case .slowBody: 408
    case .shuttingDown, .processEnds: 503
    }
  }

  /// What failed, and the remedy.
  package var message: String {
    switch self {
    case .missingHost: "The request has no Host field. Send one, as HTTP/1.1 requires."
    case .severalHosts: "The request has several Host fields. Send one."
    case .slowBody: "The body did not arrive in time. Send it again, faster."
    case .processEnds: "The server's process ends because its threads are blocked. Send the request again."
    case .shuttingDown: "The server is shutting down. Send the request again."
    }
  }
}
