import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Enqueue")
struct EnqueueTests {
  private let fixture = RuntimeFixture()

  struct Email: Codable, Hashable {
    var userID: String
  }

  private func runtime(queue: (any TaskQueue)? = nil) async throws -> JobRuntime {
    let effects = fixture.effects
    return try await fixture.runtime(queue: queue) {
      EndpointJob("email", input: Email.self) { email, _ in
        effects.add(email.userID)
        return .done
      }
      EndpointJob("plain") { _ in .done }
    }
  }

  @Test("A run is recorded, handed over and executed with its input")
  func whole() async throws {
    let runtime = try await runtime()
    let enqueued = try await runtime.enqueue("email", Email(userID: "42"))
    #expect((enqueued.isNew, enqueued.status) == (true, .pending))
    let run = try await fixture.run(enqueued.id)
    #expect((run.status, run.trigger, run.attempt, run.createdAt) == (.pending, .task, 0, RuntimeFixture.start))
    #expect(run.wakeAt == RuntimeFixture.start + .seconds(60))
    #expect(fixture.queue.tasks.map(\.name) == ["\(run.id)-1"])
    #expect(fixture.queue.tasks.first?.notBefore == nil)
    #expect(await fixture.deliverDue(to: runtime) == [200])
    #expect(fixture.effects.list == ["42"])
    #expect(try await fixture.run(run.id).status == .succeeded)
  }

  @Test("A key names one piece of work")
  func key() async throws {
    let runtime = try await runtime()
    let first = try await runtime.enqueue("email", Email(userID: "a"), key: "welcome")
    let second = try await runtime.enqueue("email", Email(userID: "b"), key: "welcome")
    #expect(first.id == second.id)
    #expect((first.isNew, second.isNew) == (true, false))
    #expect(first.id == RunID(job: "email", occurrence: .key("welcome")))
    #expect(fixture.queue.names.count == 1)
    await fixture.deliverDue(to: runtime)
    let third = try await runtime.enqueue("email", Email(userID: "c"), key: "welcome")
    #expect((third.isNew, third.status) == (false, .succeeded))
    #expect(fixture.effects.list == ["a"])
    #expect(try await runtime.enqueue("plain", key: "welcome").isNew)
  }

  @Test("Two requests of one batch with one key make one run, which is new once")
  func keyInBatch() async throws {
    let runtime = try await runtime()
    let enqueued = try await runtime.enqueue([
      EnqueueRequest("plain", key: "a"), EnqueueRequest("plain", key: "a"), EnqueueRequest("plain", key: "b"),
    ])
    #expect(enqueued.map(\.isNew) == [true, false, true])
    #expect(try await fixture.runs().count == 2)
  }

  @Test(
    "A key has bounds", arguments: [("", JobError.Code.invalidField), (String(repeating: "k", count: 257), .tooLarge)])
  func keyBounds(key: String, code: JobError.Code) async throws {
    let runtime = try await runtime()
    let error = await #expect(throws: JobError.self) { try await runtime.enqueue("plain", key: key) }
    #expect((error?.code, error?.field) == (code, "key"))
    #expect(try await runtime.enqueue("plain", key: String(repeating: "k", count: 256)).isNew)
  }

  @Test("A run may start after a while or at a time")
  func later() async throws {
    let runtime = try await runtime()
    let first = try await runtime.enqueue("email", Email(userID: "in"), after: .minutes(5))
    let second = try await runtime.enqueue("email", Email(userID: "at"), at: RuntimeFixture.start + .minutes(10))
    let past = try await runtime.enqueue("email", Email(userID: "past"), at: RuntimeFixture.start - .minutes(10))
    #expect([first.status, second.status, past.status] == [.scheduled, .scheduled, .pending])
    #expect(
      fixture.queue.tasks.map(\.notBefore) == [
        RuntimeFixture.start + .minutes(5), RuntimeFixture.start + .minutes(10), nil,
      ])
    #expect(try await fixture.run(first.id).wakeAt == RuntimeFixture.start + .minutes(6))
    await fixture.deliverDue(to: runtime)
    #expect(fixture.effects.list == ["past"])
    fixture.clock.advance(by: .minutes(5))
    await fixture.deliverDue(to: runtime)
    fixture.clock.advance(by: .minutes(5))
    await fixture.deliverDue(to: runtime)
    #expect(fixture.effects.list == ["past", "in", "at"])
  }

  @Test("A clock ahead of the store's does not make a run come before its time")
  func clockAhead() async throws {
    let ahead = VirtualClock(start: RuntimeFixture.start + .minutes(3))
    var options = fixture.options()
    options.clock = ahead
    let effects = fixture.effects
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("plain") { _ in
        effects.add("ran")
        return .done
      }
    }
    let enqueued = try await runtime.enqueue("plain")
    #expect(try await fixture.run(enqueued.id).notBefore == RuntimeFixture.start)
    #expect(await fixture.deliverDue(to: runtime) == [200])
    #expect(fixture.effects.count == 1)
  }

  @Test("A batch of 1,200 is recorded and handed over")
  func batch() async throws {
    let runtime = try await runtime()
    let enqueued = try await runtime.enqueue((0..<1_200).map { EnqueueRequest("email", Email(userID: "\($0)")) })
    #expect(Set(enqueued.map(\.id)).count == 1_200)
    #expect(enqueued.allSatisfy { $0.isNew })
    #expect(fixture.queue.tasks.count == 1_200)
    #expect(fixture.store.counts.commits == 3)
    #expect(try await fixture.run(enqueued[700].id).input == JSONText(["userID": "700"]))
  }

  @Test("What can't be taken is refused before anything is written")
  func refused() async throws {
    let runtime = try await runtime()
    let large = Email(userID: String(repeating: "x", count: 1 << 20))
    let tooLarge = await #expect(throws: JobError.self) {
      try await runtime.enqueue([EnqueueRequest("plain"), EnqueueRequest("email", large)])
    }
    #expect(tooLarge?.code == .tooLarge)
    let unknown = await #expect(throws: JobError.self) {
      try await runtime.enqueue([EnqueueRequest("plain"), EnqueueRequest("nothing")])
    }
    #expect((unknown?.code, unknown?.field) == (.unknownJob, "jobId"))
    let unencodable = await #expect(throws: JobError.self) { try await runtime.enqueue("plain", Double.nan) }
    #expect(unencodable?.code == .invalidInput)
    #expect(fixture.store.counts.commits == 0)
    #expect(fixture.queue.tasks.isEmpty)
  }

  @Test("What is recorded is enqueued though the queue is down: its id is answered, and the sweep enqueues it once")
  func queueDown() async throws {
    let runtime = try await runtime()
    fixture.queue.isDown = true
    let unnamed = try await runtime.enqueue("plain")
    #expect(unnamed.isNew && unnamed.status == .pending)
    #expect(try await fixture.run(unnamed.id).status == .pending)
    fixture.queue.isDown = false
    fixture.clock.advance(by: .minutes(8))
    _ = await runtime.runMasterPass()
    #expect(fixture.queue.tasks.map(\.name) == ["\(unnamed.id)-1-1"])
    _ = await fixture.deliverDue(to: runtime)
    #expect(try await fixture.run(unnamed.id).status == .succeeded)
  }

  @Test("A second call with the key enqueues what the queue refused the first time")
  func queueDownWithKey() async throws {
    let runtime = try await runtime()
    fixture.queue.isDown = true
    try await runtime.enqueue("plain", key: "one")
    #expect(try await fixture.runs().map(\.status) == [.pending])
    fixture.queue.isDown = false
    let again = try await runtime.enqueue("plain", key: "one")
    #expect(again.isNew == false)
    #expect(fixture.queue.tasks.map(\.name) == ["\(again.id)-1"])
  }

  @Test("Whatever happens to the commit, a key makes one run and one task", arguments: Fault.allCases, [1, 2])
  func faults(_ fault: Fault, number: Int) async throws {
    let runtime = try await runtime()
    fixture.store.fail(commit: number, fault)
    do {
      let first = try await runtime.enqueue("plain", key: "one")
      #expect(first.isNew)
    } catch {
      #expect((fault, number) == (.unavailable, 1))
    }
    _ = try await runtime.enqueue("plain", key: "one")
    #expect(try await fixture.runs().count == 1)
    #expect(fixture.queue.names.count == 1)
  }

  @Test(
    "Whatever happens to the commits that replace a run, its end is reported once",
    arguments: [Fault.conflict, .lostBefore, .lostAfter], [1, 2])
  func replacement(_ fault: Fault, times: Int) async throws {
    let runtime = try await runtime()
    let ends = Effects()
    runtime.events.subscribe(EventFilter(names: [.completed])) { event in ends.add(event.runID?.description ?? "none") }
    var request = EnqueueRequest("plain")
    request.unique = Uniqueness("one", onConflict: .replace)
    let replaced = try await runtime.enqueue([request])[0]
    for number in 1...times { fixture.store.fail(commit: number, fault) }
    #expect(try await runtime.enqueue([request])[0].isNew)
    #expect(try await fixture.run(replaced.id).status == .cancelled)
    #expect(ends.list == ["\(replaced.id)"])
  }

  @Test("Without a queue nothing is enqueued")
  func caller() async throws {
    let runtime = try await runtime(queue: .caller)
    let error = await #expect(throws: JobError.self) { try await runtime.enqueue("plain") }
    #expect(error?.code == .queueUnavailable)
    #expect(try await fixture.runs().isEmpty)
  }

  @Test("The document's queue, priority, attempts and time limit hold from the first attempt on")
  func documentPolicy() async throws {
    let runtime = try await runtime()
    fixture.memory.importJob(
      id: "plain", fields: ["queue": "slow", "priority": 7, "maxRetries": 1, "timeout": 40])
    let run = try await fixture.run(try await runtime.enqueue("plain").id)
    #expect((run.queue, run.priority, run.maxAttempts) == ("slow", 7, 2))
    #expect(fixture.queue.tasks.first?.queue == "slow")
    #expect(fixture.queue.tasks.first?.deadline == .seconds(55))
  }

  @Test("The queue of a request counts before that of the document, and that before the one in code")
  func queues() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in .done }.queue("code")
      EndpointJob("plain") { _ in .done }
    }
    var request = EnqueueRequest("job", key: "request")
    request.queue = "request"
    try await runtime.enqueue("plain", key: "plain")
    try await runtime.enqueue("job", key: "code")
    try await runtime.enqueue([request])
    fixture.memory.importJob(id: "job", fields: ["queue": "document"])
    try await runtime.enqueue("job", key: "document")
    request.key = "both"
    try await runtime.enqueue([request])
    #expect(fixture.queue.tasks.map(\.queue) == [nil, "code", "request", "document", "request"])
    for (key, queue) in [("code", "code"), ("request", "request"), ("document", "document"), ("both", "request")] {
      #expect(try await fixture.run(RunID(job: "job", occurrence: .key(key))).queue == queue)
    }
  }

  @Test("Queue, time limit, attempts and retention of the options are those of jobs that set none")
  func defaults() async throws {
    var options = fixture.options()
    (options.defaults.queue, options.defaults.timeout) = ("bulk", .seconds(7))
    options.defaults.retry = RetryPolicy(
      maxAttempts: 9, backoff: .exponential(.seconds(2), multiplier: 3), maxDelay: .minutes(1))
    options.defaults.retention = Retention(.days(3), latest: 50)
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("plain") { context in throw JobFailure.failed("\(context.timeRemaining.components.seconds) s left") }
      EndpointJob("own") { _ in .done }.queue("fast").retry(.never).timeout(.seconds(3)).retention(.days(1))
    }
    for job in ["plain", "own"] as [JobID] { try await runtime.enqueue(job, key: "a") }
    #expect(fixture.queue.tasks.map(\.queue) == ["bulk", "fast"])
    await fixture.deliverDue(to: runtime)
    let plain = try await fixture.run(RunID(job: "plain", occurrence: .key("a")))
    #expect((plain.queue, plain.maxAttempts, plain.failure?.message) == ("bulk", 9, "7 s left"))
    // Up to half is taken off the delay.
    let delay = plain.notBefore - RuntimeFixture.start
    #expect(delay >= .seconds(1) && delay <= .seconds(2))
    let own = try await fixture.run(RunID(job: "own", occurrence: .key("a")))
    #expect((own.queue, own.maxAttempts, own.expireAt) == ("fast", 1, RuntimeFixture.start + .days(1)))
  }

  @Test("A job enqueues children that name it")
  func children() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("child") { _ in .done }
      EndpointJob("parent") { context in
        try await context.enqueue("child", key: "of \(context.runID)")
        return .done
      }
    }
    let parent = try await runtime.enqueue("parent")
    await fixture.deliverDue(to: runtime)
    let child = try #require(try await fixture.runs().first { $0.job == "child" })
    #expect((child.parent, child.trigger, child.correlationID) == (parent.id, .parent, parent.id.rawValue))
    #expect(child.status == .succeeded)
  }
}
