#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import HTTPTypes
import Testing

@testable import CloudJobsGoogle

@Suite("Delays requested by Google")
struct RequestedDelayTests {
  private static let retryInfo = #"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}"#

  private static func answer(_ header: String?, details: String = "") -> HTTPExchangeResponse {
    var response = HTTPExchangeResponse(
      status: 429,
      body: Array(#"{"error":{"status":"RESOURCE_EXHAUSTED","message":"slowly","details":[\#(details)]}}"#.utf8))
    response.headers[.retryAfter] = header
    return response
  }

  @Test(
    "The header takes precedence over the error's detail, and unreadable values are ignored",
    arguments: [
      ("2", "", Duration.seconds(2)), ("2", retryInfo, .seconds(2)), (nil, retryInfo, .milliseconds(3_500)),
      ("soon", retryInfo, .milliseconds(3_500)), ("Thu, 01 Jan 1970 00:00:07 GMT", "", .seconds(7)),
      (nil, #"{"@type":"other"},"# + retryInfo, .milliseconds(3_500)), (nil, "", nil), ("soon", "", nil),
      (nil, retryInfo.replacing("3.5s", with: "-1s"), .zero), (nil, retryInfo.replacing("3.5s", with: "3.5"), nil),
    ] as [(String?, String, Duration?)])
  func reading(header: String?, details: String, span: Duration?) throws {
    let answer = Self.answer(header, details: details)
    let error = try JSONValue(parsing: answer.body)["error"]
    #expect(RequestedDelay.span(answer, error: error, at: .epoch) == span)
  }

  @Test(
    "A task is created after the requested delay; a delay that is too long is left to the caller",
    arguments: [("4", 2, Duration.seconds(4)), ("60", 1, .zero)])
  func creation(header: String, calls: Int, waited: Duration) async throws {
    let start = Timestamp(seconds: 1_795_000_000)
    let clock = VirtualClock(start: start, sleep: .moves)
    let exchange = FakeExchange { _, _ in
      clock.now() == start ? Self.answer(header) : HTTPExchangeResponse(status: 200)
    }
    let configuration = CloudTasksConfiguration(
      project: "p", location: "l", queue: "q", handler: "https://service.example/jobs")
    let queue = CloudTasksQueue(configuration, in: .at(exchange, clock))
    try? await queue.enqueue([QueuedTask(name: "n-1", body: JSONText([:]), deadline: .seconds(30))])
    #expect(exchange.requests.count == calls)
    #expect(clock.now() - start == waited)
  }

  @Test("A store's error carries the delay")
  func storeError() async throws {
    let store = FirestoreStore(
      FirestoreConfiguration(project: "p"), in: .at(FakeExchange { _, _ in Self.answer("4") }))
    let error = await #expect(throws: StoreError.self) { try await store.read(jobs: ["a"], runs: []) }
    #expect(error?.code == .unavailable && error?.retryAfter == .seconds(4))
  }
}
#endif
