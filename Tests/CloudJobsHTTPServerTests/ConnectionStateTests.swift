#if Server
import Testing

@testable import CloudJobsHTTPServer

@Suite("Connection state")
struct ConnectionStateTests {
  private static let head = ConnectionState.Head(hosts: 1, needsHost: true, keepsAlive: true)
  private static let last = ConnectionState.Head(hosts: 1, needsHost: true, keepsAlive: false)

  private static var limits: HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.requestTimeout = .seconds(30)
    limits.idleTimeout = .seconds(60)
    limits.lingerTimeout = .seconds(2)
    limits.shutdownGrace = .milliseconds(500)
    return limits
  }

  private var state = ConnectionState(limits: Self.limits, at: .seconds(100))

  /// Returns a state after a whole request and its response.
  private mutating func serve(_ head: ConnectionState.Head = Self.head, at now: Duration) -> ConnectionState.Action {
    #expect(state.head(head, at: now) == .pass)
    #expect(state.end(at: now) == .pass)
    #expect(state.responseHead(at: now) == .pass)
    return state.responseEnd(at: now)
  }

  @Test("The first head has the request timeout, and later ones the idle timeout")
  mutating func heads() {
    #expect(state.deadline == .seconds(130))
    #expect(state.expire(at: .milliseconds(129_999)) == .pass)
    #expect(serve(at: .seconds(110)) == .pass)
    #expect(state.deadline == .seconds(170))
    #expect(state.expire(at: .seconds(170)) == .close)
    #expect(state.deadline == nil)
  }

  @Test("A body has its timeout from the head on, regardless of progress; then the application has no deadline")
  mutating func bodies() {
    #expect(state.head(Self.head, at: .seconds(105)) == .pass)
    #expect(state.body() == .pass)
    #expect(state.deadline == .seconds(135))
    #expect(state.expire(at: .milliseconds(134_999)) == .pass)
    var slow = state
    #expect(slow.expire(at: .seconds(135)) == .refuse(.slowBody))
    #expect(slow.deadline == .seconds(137))
    #expect((slow.body(), slow.end(at: .seconds(136)), slow.responseEnd(at: .seconds(136))) == (.drop, .drop, .drop))
    #expect(slow.expire(at: .seconds(137)) == .close)
    #expect(state.end(at: .seconds(134)) == .pass)
    #expect(state.deadline == nil)
    #expect(state.responseHead(at: .seconds(900)) == .pass)
    #expect(state.deadline == .seconds(930))
  }

  @Test("A response whose parts keep coming lasts, and one whose client does not read on ends")
  func stream() {
    var state = ConnectionState(limits: HTTPServerLimits(), at: .zero)
    #expect(state.head(ConnectionState.Head(hosts: 1, needsHost: true, keepsAlive: true), at: .zero) == .pass)
    #expect(state.end(at: .zero) == .pass)
    #expect(state.responseHead(at: .seconds(1)) == .pass)
    for second in stride(from: 15, through: 600, by: 15) {
      #expect(state.expire(at: .seconds(second)) == .pass)
      #expect(state.responseBody(at: .seconds(second)) == .pass)
    }
    #expect(state.deadline == .seconds(630))
    #expect(state.expire(at: .seconds(630) - .milliseconds(1)) == .pass)
    #expect(state.expire(at: .seconds(630)) == .close)
    #expect(state.responseBody(at: .seconds(631)) == .drop)
  }

  @Test(
    "A request has one Host field; an HTTP/1.0 request may have none",
    arguments: [
      (1, true, .pass), (0, true, .refuse(.missingHost)), (0, false, .pass), (2, true, .refuse(.severalHosts)),
      (2, false, .refuse(.severalHosts)),
    ] as [(Int, Bool, ConnectionState.Action)])
  func hosts(count: Int, needsHost: Bool, action: ConnectionState.Action) {
    var state = state
    let head = ConnectionState.Head(hosts: count, needsHost: needsHost, keepsAlive: true)
    #expect(state.head(head, at: .seconds(101)) == action)
    #expect(state.isLingering == (action != .pass))
  }

  @Test("A refusal waits for the responses to earlier requests")
  mutating func order() {
    #expect(state.head(Self.head, at: .seconds(101)) == .pass)
    #expect(state.end(at: .seconds(101)) == .pass)
    #expect(state.head(.init(hosts: 0, needsHost: true, keepsAlive: true), at: .seconds(101)) == .drop)
    #expect((state.body(), state.end(at: .seconds(101))) == (.drop, .drop))
    #expect(state.head(Self.head, at: .seconds(101)) == .drop)
    #expect(state.responseHead(at: .seconds(102)) == .pass)
    #expect(state.responseEnd(at: .seconds(102)) == .refuse(.missingHost))
  }

  @Test("After the last response the client may finish within a time; then the connection is closed")
  mutating func lingers() {
    #expect(serve(Self.last, at: .seconds(101)) == .linger)
    #expect(state.isLingering)
    var finished = state
    #expect(finished.inputClosed() == .close)
    #expect(state.expire(at: .milliseconds(102_999)) == .pass)
    #expect(state.expire(at: .seconds(103)) == .close)
  }

  @Test("A response before the end of the body leaves the rest little time, with and without keep-alive")
  mutating func early() {
    var closing = state
    #expect(closing.head(Self.last, at: .seconds(101)) == .pass)
    #expect(closing.responseHead(at: .seconds(102)) == .pass)
    #expect(closing.responseEnd(at: .seconds(102)) == .linger)
    #expect(closing.body() == .drop)
    #expect(state.head(Self.head, at: .seconds(101)) == .pass)
    #expect(state.responseHead(at: .seconds(102)) == .pass)
    #expect(state.responseEnd(at: .seconds(102)) == .pass)
    #expect((state.body(), state.deadline) == (.pass, .seconds(104)))
    var late = state
    #expect(late.expire(at: .seconds(104)) == .close)
    #expect(state.end(at: .seconds(103)) == .pass)
    #expect(state.deadline == .seconds(163))
  }

  @Test("A pipelined request gets its time once the previous one is answered")
  mutating func pipeline() {
    #expect(state.head(Self.head, at: .seconds(101)) == .pass)
    #expect(state.end(at: .seconds(101)) == .pass)
    #expect(state.head(Self.head, at: .seconds(102)) == .pass)
    #expect(state.deadline == nil)
    #expect(state.responseHead(at: .seconds(200)) == .pass)
    #expect(state.responseEnd(at: .seconds(200)) == .pass)
    #expect(state.deadline == .seconds(230))
  }

  @Test("At shutdown an incomplete body is rejected after a moment")
  mutating func shutDown() {
    #expect(state.head(Self.head, at: .seconds(101)) == .pass)
    state.shutDown(at: .seconds(110))
    state.shutDown(at: .seconds(111))
    #expect(state.announcesClose)
    #expect(state.deadline == .milliseconds(110_500))
    #expect(state.expire(at: .milliseconds(110_499)) == .pass)
    #expect(state.expire(at: .milliseconds(110_500)) == .refuse(.shuttingDown))
  }

  @Test("Input that is not HTTP is answered by the application, and is the last")
  mutating func malformed() {
    #expect(state.malformed(at: .seconds(101)) == .pass)
    #expect(state.responseHead(at: .seconds(101)) == .pass)
    #expect(state.responseEnd(at: .seconds(101)) == .linger)
    #expect(state.malformed(at: .seconds(101)) == .drop)
  }
}

@Suite("Start-up errors")
struct StartUpErrorTests {
  private struct Faults: Error, CustomStringConvertible {
    let description = "There are 2 faults:\n  - one. \n  - two."
  }

  @Test("An error is one line, whatever its text")
  func line() {
    #expect(StartUpError.line(for: Faults()) == "error: There are 2 faults: - one. - two.")
  }
}
#endif
