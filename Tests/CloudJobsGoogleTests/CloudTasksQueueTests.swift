#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes
import Synchronization
import Testing

@testable import CloudJobsGoogle

/// Answers each request by a rule, and keeps it.
private final class ScriptedExchange: HTTPExchange {
  private let requests = Mutex<[HTTPClientRequest]>([])
  private let answer: @Sendable (HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse

  init(_ answer: @escaping @Sendable (HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse) {
    self.answer = answer
  }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    requests.withLock { $0.append(request) }
    return try answer(request)
  }

  var all: [HTTPClientRequest] { requests.withLock { $0 } }
}

@Suite("The Cloud Tasks queue")
struct CloudTasksQueueTests {
  private static let configuration = CloudTasksConfiguration(
    project: "p", location: "l", queue: "q", target: "https://service.example/jobs/trigger")

  private static func task(_ name: String = "n-1", deadline: Duration = .seconds(30)) -> QueuedTask {
    QueuedTask(
      name: name, body: JSONText(["jobId": "greet"]), notBefore: Timestamp(seconds: 1_700_000_000),
      deadline: deadline)
  }

  @Test("A task is created by name, with its body, time and deadline")
  func create() async throws {
    let exchange = ScriptedExchange { _ in HTTPClientResponse(status: 200, body: Array("{}".utf8)) }
    var configuration = Self.configuration
    configuration.serviceAccount = "runner@p.iam.gserviceaccount.com"
    try await CloudTasksQueue(configuration, client: exchange).enqueue([Self.task()])
    let request = try #require(exchange.all.first)
    #expect(request.url == "https://cloudtasks.googleapis.com/v2/projects/p/locations/l/queues/q/tasks")
    #expect(request.method == .post)
    let expected: JSONValue = [
      "task": [
        "name": "projects/p/locations/l/queues/q/tasks/n-1", "scheduleTime": "2023-11-14T22:13:20Z",
        "dispatchDeadline": "30s",
        "httpRequest": [
          "url": "https://service.example/jobs/trigger", "httpMethod": "POST",
          "headers": ["Content-Type": "application/json"], "body": "eyJqb2JJZCI6ImdyZWV0In0=",
          "oidcToken": [
            "serviceAccountEmail": "runner@p.iam.gserviceaccount.com",
            "audience": "https://service.example/jobs/trigger",
          ],
        ],
      ]
    ]
    #expect(try JSONValue(parsing: request.body) == expected)
  }

  @Test(
    "Deadlines are kept within what Cloud Tasks allows",
    arguments: [
      (Duration.seconds(1), "15s"), (.seconds(15), "15s"), (.milliseconds(20_500), "20.500000s"),
      (.hours(2), "1800s"),
    ])
  func deadlines(span: Duration, text: String) {
    let body = CloudTasksBody.create(Self.task(deadline: span), Self.configuration)
    #expect(body["task"]?["dispatchDeadline"]?.string == text)
  }

  @Test("A name that exists is success; other refusals name their cause", arguments: [(409, true), (403, false)])
  func refusals(status: Int, isSuccess: Bool) async throws {
    let exchange = ScriptedExchange { _ in
      HTTPClientResponse(status: status, body: Array(#"{"error":{"message":"because"}}"#.utf8))
    }
    let queue = CloudTasksQueue(Self.configuration, client: exchange)
    if isSuccess {
      try await queue.enqueue([Self.task()])
    } else {
      let error = await #expect(throws: JobError.self) { try await queue.enqueue([Self.task()]) }
      #expect(error?.code == .queueUnavailable && error?.nativeCode == "HTTP \(status)")
      #expect(error?.message.contains("because") == true)
    }
  }

  @Test("A thousand tasks are created once each, and no more at once than allowed")
  func many() async throws {
    let underWay = Mutex((now: 0, most: 0))
    let exchange = ScriptedExchange { _ in
      underWay.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      defer { underWay.withLock { $0.now -= 1 } }
      return HTTPClientResponse(status: 200)
    }
    try await CloudTasksQueue(Self.configuration, client: exchange)
      .enqueue((0..<1_000).map { Self.task("n-\($0)") })
    #expect(exchange.all.count == 1_000)
    #expect(Set(exchange.all.map(\.body)).count == 1_000)
    #expect(underWay.withLock { $0.most } <= Self.configuration.concurrency)
  }

  @Test("Cancelling a task that is gone is no failure; an unreachable service is one")
  func cancel() async throws {
    let gone = ScriptedExchange { _ in HTTPClientResponse(status: 404) }
    try await CloudTasksQueue(Self.configuration, client: gone).cancel("n-1", queue: "other")
    #expect(gone.all.first?.url.hasSuffix("/queues/other/tasks/n-1") == true && gone.all.first?.method == .delete)
    let down = ScriptedExchange { _ throws(HTTPClientError) in
      throw HTTPClientError(.couldNotConnect, "Nobody listens.", nativeCode: "CURLE_COULDNT_CONNECT (7)")
    }
    let error = await #expect(throws: JobError.self) {
      try await CloudTasksQueue(Self.configuration, client: down).cancel("n-1", queue: nil)
    }
    #expect(error?.code == .queueUnavailable && error?.nativeCode == "CURLE_COULDNT_CONNECT (7)")
  }
}
#endif
