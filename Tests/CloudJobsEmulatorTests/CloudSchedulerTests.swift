import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Cloud Scheduler")
struct CloudSchedulerTests {
  /// The first whole minute after the fixture's start.
  private static let minute = Timestamp(seconds: (Fixture.start.seconds / 60 + 1) * 60)

  @Test("runs on its schedule with the measured headers")
  func fires() async throws {
    let fixture = Fixture()
    let target = HTTPTarget(url: "http://127.0.0.1/j", headers: [.init("X-Mine", "1")], body: [1])
    try fixture.makeJob(target: .http(target))
    try await fixture.emulator.advance(to: Self.minute + .minutes(2))
    #expect(fixture.received.map(\.time) == [0, 1, 2].map { Self.minute + .minutes($0) })
    let headers = try #require(fixture.received.first).delivery.headers
    #expect(headers["User-Agent"] == "Google-Cloud-Scheduler")
    #expect(headers["X-CloudScheduler"] == "true")
    #expect(headers["X-CloudScheduler-JobName"] == "j")
    #expect(headers["X-CloudScheduler-ScheduleTime"] == "\(Self.minute)")
    #expect(headers["Content-Type"] == "application/octet-stream")
    #expect(headers["X-Mine"] == "1")
  }

  @Test("retries a failure with backoff and the same schedule time")
  func retries() async throws {
    let fixture = Fixture { _ in .status(500) }
    try fixture.makeJob(schedule: "0 0 1 1 *", retry: .init(retryCount: 3, minBackoff: .seconds(10)))
    let name = try Fixture.job()
    _ = try fixture.emulator.withState { state, now in try state.scheduler.runJob(name, at: now) }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == [0, 10, 30, 70].map { .seconds($0) })
    let times = Set(fixture.received.map { $0.delivery.headers["X-CloudScheduler-ScheduleTime"] })
    #expect(times == ["\(Fixture.start)"])
    let job = try fixture.emulator.withState { state, _ in try state.scheduler.getJob(name) }
    #expect(job.status?.code == .internal && job.lastAttemptTime == Fixture.start + .seconds(70))
    #expect(job.scheduleTime.map { $0 > Fixture.start + .days(1) } == true)
  }

  @Test("without retries waits for the next scheduled time")
  func noRetry() async throws {
    let fixture = Fixture { _ in .status(500) }
    try fixture.makeJob()
    try await fixture.emulator.advance(to: Self.minute + .seconds(61))
    #expect(fixture.received.map(\.time) == [Self.minute, Self.minute + .minutes(1)])
  }

  @Test("runs one execution at a time: a late one delays the next, and only the latest of several missed times counts")
  func overlap() async throws {
    let fixture = Fixture(taking: .seconds(150))
    try fixture.makeJob()
    try await fixture.emulator.advance(to: Self.minute + .minutes(5))
    #expect(fixture.received.map(\.time) == [0, 150, 300].map { Self.minute + .seconds($0) })
    let slots = fixture.received.map { $0.delivery.scheduledFor }
    #expect(slots == [0, 2, 5].map { Self.minute + .minutes($0) })
  }

  @Test("an attempt ends at its deadline")
  func deadline() async throws {
    let fixture = Fixture(taking: .seconds(100))
    try fixture.makeJob(schedule: "0 * * * *", deadline: .seconds(15))
    let name = try Fixture.job()
    _ = try fixture.emulator.withState { state, now in try state.scheduler.runJob(name, at: now) }
    try await fixture.emulator.advance(by: .seconds(16))
    let job = try fixture.emulator.withState { state, _ in try state.scheduler.getJob(name) }
    #expect(job.status?.code == .deadlineExceeded)
  }

  @Test("pause and resume require the matching state; run works while paused")
  func states() async throws {
    let fixture = Fixture()
    try fixture.makeJob()
    let name = try Fixture.job()
    let emulator = fixture.emulator
    #expect(
      fault { _ = try emulator.withState { state, now in try state.scheduler.resumeJob(name, at: now) } }?.code
        == .failedPrecondition)
    let paused = try emulator.withState { state, now in try state.scheduler.pauseJob(name, at: now) }
    #expect(paused.state == .paused)
    #expect(
      fault { _ = try emulator.withState { state, now in try state.scheduler.pauseJob(name, at: now) } }?.code
        == .failedPrecondition)
    try await emulator.advance(by: .hours(1))
    #expect(fixture.received.isEmpty)
    _ = try emulator.withState { state, now in try state.scheduler.runJob(name, at: now) }
    try await emulator.advance(by: .seconds(1))
    #expect(fixture.received.count == 1)
    let resumed = try emulator.withState { state, now in try state.scheduler.resumeJob(name, at: now) }
    #expect(resumed.state == .enabled)
    try await emulator.advance(by: .minutes(1))
    #expect(fixture.received.count == 2)
  }

  @Test("pausing ends retries")
  func pausedRetries() async throws {
    let fixture = Fixture { _ in .status(500) }
    try fixture.makeJob(schedule: "0 0 1 1 *", retry: .init(retryCount: 5, minBackoff: .seconds(10)))
    let name = try Fixture.job()
    _ = try fixture.emulator.withState { state, now in try state.scheduler.runJob(name, at: now) }
    try await fixture.emulator.advance(by: .seconds(5))
    _ = try fixture.emulator.withState { state, now in try state.scheduler.pauseJob(name, at: now) }
    try await fixture.emulator.advance(by: .hours(1))
    #expect(fixture.received.count == 1)
  }

  @Test(
    "rejects what the service rejects",
    arguments: [
      (CloudScheduler.JobDraft(target: .http(.init(url: "http://h")), schedule: "61 * * * *"), "Schedule or time zone"),
      (.init(target: .http(.init(url: "http://h")), schedule: ""), "Schedule or time zone is invalid."),
      (.init(target: .http(.init(url: "http://h")), schedule: "0 0 L * *"), "Schedule or time zone is invalid."),
      (
        .init(target: .http(.init(url: "http://h")), schedule: "* * * * *", timeZone: "Mars/Olympus"),
        "Schedule or time zone is invalid."
      ),
      (.init(schedule: "* * * * *"), "One of httpTarget"),
      (
        .init(target: .http(.init(url: "http://h")), schedule: "* * * * *", retryConfig: .init(retryCount: 6)),
        "RetryConfig.retryCount"
      ),
      (
        .init(target: .http(.init(url: "http://h")), schedule: "* * * * *", attemptDeadline: .seconds(14)),
        "Job.attemptDeadline must be between [15s, 30m]."
      ),
      (
        .init(name: "\(Fixture.location)/jobs/a b", target: .http(.init(url: "http://h")), schedule: "* * * * *"),
        "Job name must be formatted"
      ),
      (.init(target: .pubsub(.init(topicName: "t", data: [1])), schedule: "* * * * *"), "PubsubTarget.topicName"),
      (.init(target: .pubsub(.init(topicName: "projects/p/topics/t")), schedule: "* * * * *"), "PubsubTarget must"),
    ])
  func refusals(draft: CloudScheduler.JobDraft, message: String) throws {
    let fixture = Fixture()
    let parent = try LocationName(Fixture.location)
    let refusal = fault {
      _ = try fixture.emulator.withState { state, now in try state.scheduler.createJob(draft, in: parent, at: now) }
    }
    #expect(refusal?.code == .invalidArgument)
    #expect(refusal?.message.hasPrefix(message) == true, "\(refusal?.message ?? "not refused")")
  }

  @Test("generates a name for a job without one, and rejects a duplicate name")
  func names() throws {
    let fixture = Fixture()
    let job = try fixture.makeJob("")
    #expect(!job.name.id.isEmpty)
    try fixture.makeJob("x")
    #expect(fault { try fixture.makeJob("x") }?.code == .alreadyExists)
    let parent = try LocationName(Fixture.location)
    let listed = try fixture.emulator.withState { state, _ in try state.scheduler.listJobs(in: parent) }
    #expect(listed.items.map(\.name.id) == [job.name.id, "x"].sorted())
  }

  @Test("an update changes the masked fields and recomputes the next scheduled time")
  func update() async throws {
    let fixture = Fixture()
    try fixture.makeJob(schedule: "0 0 1 1 *", retry: .init(retryCount: 2))
    let draft = CloudScheduler.JobDraft(name: try Fixture.job().text, schedule: "every 5 minutes")
    let job = try fixture.emulator.withState { state, now in
      try state.scheduler.updateJob(draft, mask: FieldMask(["schedule"]), at: now)
    }
    #expect(job.retryConfig?.retryCount == 2)
    #expect(job.scheduleTime == Fixture.start + .minutes(5))
    let bad = fault {
      _ = try fixture.emulator.withState { state, now in
        try state.scheduler.updateJob(draft, mask: FieldMask(["scheduel"]), at: now)
      }
    }
    #expect(bad?.code == .invalidArgument)
  }

  @Test("a Pub/Sub target is pushed to its endpoint, and fails with a message without one")
  func pubsub() async throws {
    let topic = CloudScheduler.Target.pubsub(
      .init(topicName: "projects/p/topics/t", data: Array("hi".utf8), attributes: ["k": "v"]))
    let fixture = Fixture(scheduler: .init(pushEndpoints: ["projects/p/topics/t": "http://127.0.0.1/push"]))
    try fixture.makeJob(target: topic)
    try await fixture.emulator.advance(by: .minutes(1))
    let delivery = try #require(fixture.received.first).delivery
    #expect(delivery.url == "http://127.0.0.1/push")
    let body = try JSONValue(parsing: delivery.body)
    #expect(body["message"]?["data"]?.string == "aGk=")
    #expect(body["message"]?["attributes"]?["k"]?.string == "v")
    let bare = Fixture()
    try bare.makeJob(target: topic)
    try await bare.emulator.advance(by: .minutes(1))
    #expect(bare.received.isEmpty)
    #expect(bare.emulator.trace.last?.contains("no push endpoint is configured for projects/p/topics/t") == true)
  }
}
