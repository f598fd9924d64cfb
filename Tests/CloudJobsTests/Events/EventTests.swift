import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Logging
import Testing

@Suite("Events")
struct EventTests {
  private let fixture = RuntimeFixture()

  /// The events so far, as the stream tells them.
  private func all(of stream: AsyncStream<JobEvent>, _ runtime: JobRuntime) async -> [JobEvent] {
    await runtime.drain()
    return await stream.reduce(into: []) { $0.append($1) }
  }

  @Test("The stream tells each step with its members, in order")
  func order() async throws {
    let clock = fixture.clock
    let runtime = try await fixture.runtime {
      EndpointJob("job") { context in
        clock.advance(by: .milliseconds(250))
        if context.attempt == 1 { throw JobFailure.failed("once", kind: "flaky") }
        return .done
      }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
      EndpointJob("dead") { _ in throw JobFailure.permanent("never") }
      EndpointJob("naps") { _ in .snooze(.seconds(5)) }
      EndpointJob("ends") { _ in .cancel(reason: "withdrawn") }
      EndpointJob("off") { _ in .done }.enabled(false)
    }
    let stream = runtime.events.stream()
    var delivery = Delivery(job: "job", trigger: .task, occurrence: .key("one"))
    delivery.correlationID = "cause"
    _ = await runtime.deliver(delivery)
    clock.advance(by: .seconds(10))
    _ = await runtime.deliver(delivery)
    _ = await runtime.deliver(delivery)
    for job in ["dead", "naps", "ends", "off"] as [JobID] { _ = try await runtime.run(job) }
    let events = await all(of: stream, runtime)
    #expect(
      events.map { "\($0.job) \($0.name.rawValue)" } == [
        "job job.started", "job job.retrying", "job job.started", "job job.succeeded", "job job.completed",
        "job job.duplicate", "dead job.started", "dead job.failed", "dead job.completed", "naps job.started",
        "naps job.snoozed", "ends job.started", "ends job.skipped", "ends job.completed", "off job.skipped",
      ])
    let id = RunID(job: "job", occurrence: .key("one"))
    #expect(events[0...5].allSatisfy { $0.runID == id && $0.correlationID == "cause" })
    #expect(events[0...5].map(\.attempt) == [1, 1, 2, 2, 2, 2])
    #expect(events[0...3].map(\.duration) == [nil, .milliseconds(250), nil, .milliseconds(250)])
    #expect(events[1].failure == RunFailure(kind: "flaky", message: "once"))
    #expect(events[1].next == RuntimeFixture.start + .milliseconds(10_250))
    #expect(events[1].time == RuntimeFixture.start + .milliseconds(250))
    #expect((events[7].failure?.message, events[7].reason) == ("never", "The failure is permanent."))
    #expect((events[12].reason, events[14].reason) == ("withdrawn", "The job is disabled."))
    #expect((events[14].runID, events[14].attempt) == (nil, nil))
    #expect((events[14].skipped, events[4].runStatus) == (.skippedDisabled, .succeeded))
  }

  @Test("Each listener hears all; a slow one loses the oldest")
  func listeners() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job") { _ in .done } }
    let (whole, short) = (runtime.events.stream(), runtime.events.stream(buffering: 2))
    for key in ["a", "b"] { _ = try await runtime.run("job", key: key) }
    let events = await all(of: whole, runtime)
    #expect(events.count == 6)
    #expect(await short.reduce(into: []) { $0.append($1) } == events.suffix(2))
  }

  @Test("A pass tells what it ran and what it did not")
  func pass() async throws {
    let runtime = try await fixture.runtime {
      PeriodicJob("runs", every: .minutes(1)) { _ in .done }
      PeriodicJob("waits", every: .minutes(1)) { _ in .done }.depends(on: "never").priority(1)
      EndpointJob("never") { _ in .done }
    }
    var options = fixture.options()
    options.passConcurrency = 1
    let stream = runtime.events.stream()
    fixture.clock.advance(by: .minutes(1))
    _ = await runtime.runMasterPass()
    let events = await all(of: stream, runtime)
    #expect(
      Set(events.map { "\($0.job) \($0.name.rawValue)" })
        == ["waits job.skipped", "runs job.started", "runs job.succeeded", "runs job.completed"])
    #expect(events.first { $0.job == "waits" }?.reason == "It depends on never, which has not run yet.")
  }

  @Test("A filter selects by job, by run and by name, for streams and for closures")
  func filters() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("a") { context in try context.emit("own") }
      EndpointJob("b") { _ in .done }
    }
    let first = RunID(job: "a", occurrence: .key("1"))
    let ends: Set<JobEvent.Name> = [.succeeded, .failed]
    let table: [(EventFilter, [String])] = [
      (EventFilter(run: first), ["a1 started", "a1 event", "a1 succeeded", "a1 completed"]),
      (EventFilter(job: "b"), ["b1 started", "b1 succeeded", "b1 completed"]),
      (EventFilter(names: ends), ["a1 succeeded", "a2 succeeded", "b1 succeeded"]),
      (EventFilter(job: "a", names: ends), ["a1 succeeded", "a2 succeeded"]),
      (EventFilter(customName: "own"), ["a1 event", "a2 event"]),
      (EventFilter(run: first, customName: "own"), ["a1 event"]),
      (EventFilter(customName: "other"), []), (EventFilter(job: "b", run: first), []), (EventFilter(names: []), []),
    ]
    let seen = table.map { _ in Effects() }
    let streams = zip(table, seen).map { row, effects in
      runtime.events.subscribe(row.0) { effects.add(Self.words($0)) }
      return runtime.events.stream(row.0)
    }
    for (job, key) in [("a", "1"), ("a", "2"), ("b", "1")] as [(JobID, String)] {
      _ = try await runtime.run(job, key: key)
    }
    await runtime.drain()
    for ((filter, expected), (effects, stream)) in zip(table, zip(seen, streams)) {
      #expect(effects.list == expected, "\(filter)")
      #expect(await stream.reduce(into: []) { $0.append(Self.words($1)) } == expected, "\(filter)")
    }
  }

  /// The job, the key of the run and the end of the event's name.
  private static func words(_ event: JobEvent) -> String {
    let key = event.runID == RunID(job: event.job, occurrence: .key("1")) ? "1" : "2"
    return "\(event.job)\(key) \(event.name.rawValue.dropFirst("job.".count))"
  }

  @Test("A subscription that is cancelled gets no further events, and others go on")
  func cancelledSubscription() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job") { _ in .done } }
    let (short, whole) = (Effects(), Effects())
    let subscription = runtime.events.subscribe { _ in short.add("event") }
    runtime.events.subscribe { _ in whole.add("event") }
    _ = try await runtime.run("job")
    subscription.cancel()
    _ = try await runtime.run("job")
    #expect((short.count, whole.count) == (3, 6))
  }

  @Test(
    "The lines from the option's level on are kept and told as events; nil keeps none",
    arguments: [
      (.trace, ["trace", "debug", "info", "notice", "warning", "error", "critical"]),
      (.info, ["info", "notice", "warning", "error", "critical"]), (.warning, ["warning", "error", "critical"]),
      (.critical, ["critical"]), (nil, []),
    ] as [(Logger.Level?, [String])])
  func logLevels(level: Logger.Level?, kept: [String]) async throws {
    var options = fixture.options()
    options.runLogLevel = level
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("job") { context in
        for level in Logger.Level.allCases { context.logger.log(level: level, "\(level)") }
      }
    }
    let events = Effects()
    runtime.events.subscribe(EventFilter(names: [.log])) { events.add($0.line?.level ?? "none") }
    let id = try #require(try await runtime.run("job").runID)
    #expect(try await runtime.log(ofRun: id).map(\.level) == kept)
    #expect(events.list == kept)
  }
}
