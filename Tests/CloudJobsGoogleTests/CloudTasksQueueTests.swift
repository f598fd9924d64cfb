#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
@testable import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Synchronization
import Testing

@Suite("Cloud Tasks queue")
struct CloudTasksQueueTests {
  private static let configuration = CloudTasksConfiguration(
    project: "p", location: "l", queue: "q", handler: "https://service.example/jobs")

  private static func task(_ name: String = "n-1", deadline: Duration = .seconds(30)) -> QueuedTask {
    QueuedTask(
      name: name, body: JSONText(["jobId": "greet"]), notBefore: Timestamp(seconds: 1_700_000_000),
      deadline: deadline)
  }

  @Test("A task is created by name, with its body, time and deadline")
  func create() async throws {
    let exchange = FakeExchange { _, _ in HTTPExchangeResponse(status: 200, body: Array("{}".utf8)) }
    var configuration = Self.configuration
    configuration.serviceAccount = "runner@p.iam.gserviceaccount.com"
    try await CloudTasksQueue(configuration, in: .at(exchange)).enqueue([Self.task()])
    let request = try #require(exchange.requests.first)
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
            "audience": "https://service.example",
          ],
        ],
      ]
    ]
    #expect(try JSONValue(parsing: request.body) == expected)
  }

  @Test("A run's position in a trace goes with the deliveries of its task, as a header")
  func trace() {
    var task = Self.task()
    task.trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    let request = CloudTasksBody.create(task, Self.configuration, now: .epoch)["task"]?["httpRequest"]
    #expect(
      request?["headers"] == [
        "Content-Type": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      ])
  }

  @Test(
    "Deadlines are clamped to the range of Cloud Tasks",
    arguments: [
      (Duration.seconds(1), "15s"), (.seconds(15), "15s"), (.milliseconds(20_500), "20.500s"),
      (.hours(2), "1800s"),
    ])
  func deadlines(span: Duration, text: String) {
    let body = CloudTasksBody.create(Self.task(deadline: span), Self.configuration, now: .epoch)
    #expect(body["task"]?["dispatchDeadline"]?.string == text)
  }

  @Test("An existing name counts as success; other errors name their cause", arguments: [(409, true), (403, false)])
  func refusals(status: Int, isSuccess: Bool) async throws {
    let exchange = FakeExchange { _, _ in
      HTTPExchangeResponse(status: status, body: Array(#"{"error":{"message":"because"}}"#.utf8))
    }
    let queue = CloudTasksQueue(Self.configuration, in: .at(exchange))
    if isSuccess {
      try await queue.enqueue([Self.task()])
    } else {
      let error = await #expect(throws: JobError.self) { try await queue.enqueue([Self.task()]) }
      #expect(error?.code == .queueUnavailable && error?.nativeCode == "HTTP \(status)")
      #expect(error?.message.contains("because") == true)
    }
  }

  @Test("A thousand tasks are created once each, within the concurrency limit")
  func many() async throws {
    let underWay = Mutex((now: 0, most: 0))
    let exchange = FakeExchange { _, _ in
      underWay.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      defer { underWay.withLock { $0.now -= 1 } }
      return HTTPExchangeResponse(status: 200)
    }
    try await CloudTasksQueue(Self.configuration, in: .at(exchange))
      .enqueue((0..<1_000).map { Self.task("n-\($0)") })
    #expect(exchange.requests.count == 1_000)
    #expect(Set(exchange.requests.map(\.body)).count == 1_000)
    #expect(underWay.withLock { $0.most } <= Self.configuration.concurrency)
  }

  @Test(
    "Times beyond the horizon of Cloud Tasks are reached in stages",
    arguments: [
      (Duration.zero, Duration.zero), (.days(29), .days(29)), (.hours(719), .hours(719)),
      (.hours(719) + .microseconds(1), .days(29)), (.days(300), .days(29)), (.seconds(-5), .seconds(-5)),
    ])
  func stages(ahead: Duration, scheduled: Duration) {
    let now = Timestamp(seconds: 1_700_000_000)
    #expect(CloudTasksBody.stage(of: now + ahead, now: now) == now + scheduled)
  }

  @Test("A task that is too large is rejected before anything is sent")
  func size() async throws {
    let exchange = FakeExchange { _, _ in HTTPExchangeResponse(status: 200) }
    let queue = CloudTasksQueue(Self.configuration, in: .at(exchange))
    func task(_ bytes: Int) -> QueuedTask {
      QueuedTask(name: "large", body: JSONText(.string(String(repeating: "x", count: bytes))), deadline: .seconds(30))
    }
    let overhead =
      2 + "large".utf8.count + "projects/p/locations/l/queues/q".utf8.count
      + "https://service.example/jobs/trigger".utf8.count + "Content-Typeapplication/json".utf8.count
    try await queue.enqueue([task(CloudTasksBody.maximumBytes - overhead)])
    #expect(exchange.requests.count == 1)
    let error = await #expect(throws: JobError.self) {
      try await queue.enqueue([Self.task(), task(CloudTasksBody.maximumBytes - overhead + 1)])
    }
    #expect(error?.code == .tooLarge && error?.message.contains("1048570") == true)
    #expect(exchange.requests.count == 1)
  }

  @Test(
    "Transient errors are retried up to three attempts, other errors are not",
    arguments: [(429, 3), (503, 3), (500, 3), (0, 3), (400, 1), (403, 1), (404, 1)])
  func tries(status: Int, calls: Int) async throws {
    let exchange = FakeExchange { (_, _) throws(HTTPExchangeError) in
      if status == 0 { throw HTTPExchangeError(.connectionClosed, "It was cut.") }
      return HTTPExchangeResponse(status: status)
    }
    let clock = VirtualClock(start: GoogleCloud.testStart, sleep: .moves)
    let queue = CloudTasksQueue(Self.configuration, in: .at(exchange, clock))
    let start = clock.now()
    await #expect(throws: JobError.self) { try await queue.enqueue([Self.task()]) }
    #expect(exchange.requests.count == calls)
    let waited = clock.now() - start
    #expect(calls == 1 ? waited == .zero : waited >= .milliseconds(300) && waited <= .milliseconds(600))
  }

  @Test("A task is created once the service recovers, under the same name and with fresh credentials")
  func recovery() async throws {
    let count = Mutex(0)
    let exchange = FakeExchange { _, _ in
      HTTPExchangeResponse(
        status: count.withLock {
          $0 += 1; return $0
        } < 3 ? 503 : 409)
    }
    let tokens = Mutex(0)
    var google = GoogleCloud.at(exchange)
    google.cloudTasks.credentials = ClosureCredentials { () throws(JobError) in
      [.authorization: "Bearer \(tokens.withLock { $0 += 1; return $0 })"]
    }
    let queue = CloudTasksQueue(Self.configuration, in: google)
    try await queue.enqueue([Self.task()])
    #expect(Set(exchange.requests.map(\.body)).count == 1)
    #expect(exchange.requests.map { $0.headers[.authorization] } == ["Bearer 1", "Bearer 2", "Bearer 3"])
  }

  @Test(
    "A creation aborted by contention is retried, and does not count as success", arguments: [(1, true), (9, false)])
  func aborted(times: Int, isSuccess: Bool) async throws {
    let count = Mutex(0)
    let exchange = FakeExchange { _, _ in
      let number = count.withLock {
        $0 += 1; return $0
      }
      let body = #"{"error":{"code":409,"message":"contention","status":"ABORTED"}}"#
      return number <= times
        ? HTTPExchangeResponse(status: 409, body: Array(body.utf8)) : HTTPExchangeResponse(status: 200)
    }
    let queue = CloudTasksQueue(Self.configuration, in: .at(exchange))
    if isSuccess {
      try await queue.enqueue([Self.task()])
      #expect(exchange.requests.count == 2)
    } else {
      let error = await #expect(throws: JobError.self) { try await queue.enqueue([Self.task()]) }
      #expect(error?.code == .queueUnavailable && error?.message.contains("contention") == true)
      #expect(exchange.requests.count == 3)
    }
  }
}

@Suite("Delays beyond the horizon of Cloud Tasks")
struct StagingTests {
  @Test("A run in 100 days is scheduled in stages and executed once, and stages do not count as attempts")
  func stages() async throws {
    let clock = VirtualClock(start: Timestamp(seconds: 1_795_000_000), sleep: .skips(upTo: .seconds(5)))
    let start = clock.now()
    let exchange = FakeExchange { _, _ in HTTPExchangeResponse(status: 200) }
    let configuration = CloudTasksConfiguration(
      project: "p", location: "l", queue: "q", handler: "https://s/jobs")
    let executed = Mutex<[Timestamp]>([])
    var options = RuntimeOptions()
    options.clock = clock
    let runtime = try await JobRuntime.prepared(
      try JobRegistry {
        EndpointJob("job") { _ in
          executed.withLock { $0.append(clock.now()) }
          return .done
        }
      }, store: MemoryStore(clock: clock), queue: CloudTasksQueue(configuration, in: .at(exchange, clock)),
      authentication: .trustLoopback, options: options)
    let id = try await runtime.enqueue("job", after: .days(100)).id
    var delivered = 0
    while delivered < exchange.requests.count {
      let task = try #require(try JSONValue(parsing: exchange.requests[delivered].body)["task"])
      let time = try #require(task["scheduleTime"]?.string.flatMap { Timestamp(rfc3339: $0) })
      #expect(time - clock.now() <= .hours(720))
      clock.move(to: time)
      let body = try #require(task["httpRequest"]?["body"]?.string.flatMap { Base64.decode($0) })
      #expect(await runtime.handleRequest(body: body, peer: .inProcess).status == 200)
      delivered += 1
    }
    #expect(delivered == 4)
    #expect(executed.withLock { $0 } == [start + .days(100)])
    let run = try #require(try await runtime.store.read(jobs: [], runs: [id]).runs[id]).run.get()
    #expect((run.status, run.attempt, run.failures, run.reenqueues) == (.succeeded, 1, 0, 0))
    let names = try exchange.requests.map { try JSONValue(parsing: $0.body)["task"]?["name"]?.string }
    #expect(Set(names).count == 4)
  }
}
#endif
