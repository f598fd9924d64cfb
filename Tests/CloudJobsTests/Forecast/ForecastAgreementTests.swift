import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Logging
import Testing

/// The forecast against the counted operations of simulations of the same jobs.
@Suite("Forecasts agree with simulations")
struct ForecastAgreementTests {
  /// The greatest part by which a figure may differ from its count.
  static let tolerance = 0.02
  /// The number by which a figure may differ in any case: counts below a hundred have no finer parts.
  static let least = 2.0
  /// It has the clock changes of America and of Europe in it.
  static let start = RuntimeFixture.time("2026-03-06T00:00:00Z")
  static let span = Duration.seconds(30 * 86_400)

  @Test("Every figure of 30 days is within 2 % of its count", arguments: ForecastStory.all)
  func agreement(story: ForecastStory) async throws {
    let counted = try await Simulation(story)
    // The simulation's times begin after its start, and include its end.
    let input = try await story.input(of: counted.runtime, from: Self.start + .microseconds(1), for: Self.span)
    try await counted.run()
    let forecast = Forecast(input)
    let found = forecast.total.operations
    for (name, figure, count) in counted.figures(found) {
      let limit = max(Self.least, Self.tolerance * Double(count))
      #expect(
        abs(figure - Double(count)) <= limit, "\(story.name): \(name) is \(figure) in the forecast, and was \(count)")
    }
  }

  @Test("So is every figure of a service whose only trigger is its master pass")
  func storeAsQueue() async throws {
    let clock = VirtualClock(start: Self.start)
    let store = BilledStore(MemoryStore(clock: clock))
    let story = ForecastStory.storeAsQueue
    var options = RuntimeOptions()
    options.clock = clock
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let runtime = try await JobRuntime.prepared(
      try story.registry(), store: store, authentication: .trustLoopback, options: options)
    var input = try await story.input(of: runtime, from: Self.start + .microseconds(1), for: Self.span)
    input.deployment.kind = .masterPass
    let before = store.counts
    for minute in 1...30 * 1_440 {
      clock.advance(by: .seconds(60))
      for job in story.jobs {
        guard let interval = job.enqueuedEvery, minute % Int(interval.components.seconds / 60) == 0 else { continue }
        try await runtime.enqueue([EnqueueRequest(job.id)])
      }
      _ = await runtime.runMasterPass()
    }
    let found = Forecast(input).total.operations
    let counts = [
      ("runs", found.runs, store.newRuns), ("reads", found.storeReads, store.counts.reads - before.reads),
      ("writes", found.storeWrites, store.counts.writes - before.writes),
      ("deletes", found.storeDeletes, store.counts.deletes - before.deletes),
      ("requests", found.requests, 30 * 1_440), ("task operations", found.taskOperations, 0),
    ]
    for (name, figure, count) in counts {
      let limit = max(Self.least, Self.tolerance * Double(count))
      #expect(abs(figure - Double(count)) <= limit, "\(name) is \(figure) in the forecast, and was \(count)")
    }
  }
}

/// A simulation of a story whose operations are counted.
private struct Simulation {
  let story: ForecastStory
  let store: BilledStore
  let local: SimulatedRuntime
  private let before: BilledOperations

  var runtime: JobRuntime { local.runtime }

  init(_ story: ForecastStory) async throws {
    self.story = story
    let clock = VirtualClock(start: ForecastAgreementTests.start)
    store = BilledStore(MemoryStore(clock: clock))
    var options = RuntimeOptions()
    options.scheduleOwner = story.owner
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    options.logger.logLevel = .info
    let registry = try story.registry()
    local = try await JobRuntime.simulated(registry, store: store, clock: clock, options: options)
    let paused = registry.definitions.filter { $0.kind == .scheduled && !$0.policy.isActive }
    try local.emulator.withState { (state, now) throws(ServiceFault) in
      // As a sync with Cloud Scheduler does.
      for definition in paused {
        let name = try CloudScheduler.JobName(
          "\(SimulatedRuntime.location)/jobs/\(definition.id.schedulerName)")
        _ = try state.scheduler.pauseJob(name, at: now)
      }
    }
    before = store.counts
  }

  /// Lets the time pass, and enqueues runs on the way.
  func run() async throws {
    let end = ForecastAgreementTests.start + ForecastAgreementTests.span
    var times: [(time: Timestamp, job: JobID)] = []
    for job in story.jobs {
      guard let interval = job.enqueuedEvery else { continue }
      var time = ForecastAgreementTests.start + interval
      while time <= end {
        times.append((time - .seconds(1), job.id))
        time = time + interval
      }
    }
    for (time, job) in times.sorted(by: { ($0.time, $0.job) < ($1.time, $1.job) }) {
      try await local.advance(to: time)
      try await local.enqueue([EnqueueRequest(job)])
    }
    try await local.advance(to: end)
  }

  /// Returns the figures of a forecast with their counts.
  func figures(_ found: OperationCounts) -> [(name: String, figure: Double, count: Int)] {
    let (calls, counts) = (local.calls, store.counts)
    let events = local.events
    return [
      ("runs", found.runs, store.newRuns),
      ("attempts", found.attempts, events.count { $0.name == .started }),
      ("requests", found.requests, calls.requests),
      ("task operations", found.taskOperations, calls.queueCalls + calls.taskDeliveries),
      ("reads", found.storeReads, counts.reads - before.reads),
      ("writes", found.storeWrites, counts.writes - before.writes),
      ("deletes", found.storeDeletes, counts.deletes - before.deletes),
    ]
  }
}
