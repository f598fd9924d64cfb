import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Logging
import Synchronization
import Testing

/// A set of jobs that is simulated and forecast.
struct ForecastStory: Sendable, CustomTestStringConvertible {
  /// A job with what its runs are like.
  struct Job: Sendable {
    var handler: @Sendable (JobScript) -> any JobHandler
    var script = JobScript()
    var id: JobID
    /// The time between two runs that are enqueued; nil for none.
    var enqueuedEvery: Duration?
  }

  var name: String
  var owner = ScheduleOwner.cloudScheduler
  var jobs: [Job]

  var testDescription: String { name }

  /// The registry of the jobs.
  func registry() throws -> JobRegistry {
    try JobRegistry {
      for job in jobs { job.handler(job.script) }
    }
  }

  /// Returns the forecast of the jobs, whose profiles are given and not measured.
  func input(of runtime: JobRuntime, from start: Timestamp, for span: Duration) async throws -> ForecastInput {
    var options = ForecastOptions()
    (options.start, options.span, options.measuredRuns) = (start, span, 0)
    var deployment = runtime.forecastDeployment
    deployment.age = .zero
    options.deployment = deployment
    var input = try await runtime.forecastInput(options)
    for index in input.jobs.indices {
      guard let job = jobs.first(where: { $0.id == input.jobs[index].job.id }) else { continue }
      input.jobs[index].profile = job.script.profile
      if let interval = job.enqueuedEvery {
        input.jobs[index].enqueuedPerDay = Double(86_400_000_000) / Double(interval.microseconds)
      }
    }
    return input
  }
}

/// What the handler of a job does: it takes a time, and fails in some runs.
struct JobScript: Sendable {
  /// The duration of an attempt.
  var duration = Duration.zero
  /// Each run with a multiple of this number fails in its first attempt; 0 for none.
  var failsEvery = 0
  /// Each run with a multiple of this number fails for good; 0 for none.
  var diesEvery = 0
  /// Whether each attempt logs a line.
  var logs = false
  private let count = RunCount()

  private final class RunCount: Sendable {
    let number = Atomic(0)
  }

  /// The profile of the runs.
  var profile: RunProfile {
    RunProfile(
      duration: duration, retriesPerRun: failsEvery > 0 ? 1 / Double(failsEvery) : 0,
      failedShare: diesEvery > 0 ? 1 / Double(diesEvery) : 0, logEntriesPerAttempt: logs ? 1 : 0)
  }

  init(_ duration: Duration = .zero, failsEvery: Int = 0, diesEvery: Int = 0, logs: Bool = false) {
    (self.duration, self.failsEvery, self.diesEvery, self.logs) = (duration, failsEvery, diesEvery, logs)
  }

  func run(_ context: JobContext) async throws {
    if logs { context.logger.info("An attempt.") }
    if duration > .zero { try await context.clock.sleep(for: duration) }
    guard context.attempt == 1 else { return }
    let number = count.number.add(1, ordering: .relaxed).newValue
    if failsEvery > 0, number % failsEvery == 0 { throw JobFailure.failed("The first attempt fails.") }
    if diesEvery > 0, number % diesEvery == 0 { throw JobFailure.permanent("The run fails for good.") }
  }
}

extension ForecastStory.Job {
  /// A periodic job.
  static func every(
    _ interval: Duration, _ id: JobID, _ script: JobScript = JobScript(),
    _ change: @escaping @Sendable (PeriodicJob<NoInput>) -> PeriodicJob<NoInput> = { $0 }
  ) -> Self {
    Self(
      handler: { script in change(PeriodicJob(id, every: interval) { try await script.run($0) }) }, script: script,
      id: id)
  }

  /// A periodic job by cron.
  static func cron(
    _ text: String, _ id: JobID, in zone: String = "Etc/UTC", _ script: JobScript = JobScript(),
    _ change: @escaping @Sendable (PeriodicJob<NoInput>) -> PeriodicJob<NoInput> = { $0 }
  ) -> Self {
    Self(
      handler: { script in change(PeriodicJob(id, cron: text, in: zone) { try await script.run($0) }) },
      script: script, id: id)
  }

  /// A scheduled job.
  static func scheduled(
    _ text: String, _ id: JobID, in zone: String = "Etc/UTC", _ script: JobScript = JobScript(),
    _ change: @escaping @Sendable (ScheduledJob<NoInput>) -> ScheduledJob<NoInput> = { $0 }
  ) -> Self {
    Self(
      handler: { script in change(ScheduledJob(id, cron: text, in: zone) { try await script.run($0) }) },
      script: script, id: id)
  }

  /// An endpoint whose runs are enqueued at a steady rate.
  static func endpoint(
    _ id: JobID, each interval: Duration, _ script: JobScript = JobScript(),
    _ change: @escaping @Sendable (EndpointJob<NoInput, NoOutput>) -> EndpointJob<NoInput, NoOutput> = { $0 }
  ) -> Self {
    Self(
      handler: { script in change(EndpointJob(id) { try await script.run($0) }) }, script: script, id: id,
      enqueuedEvery: interval)
  }
}

extension ForecastStory {
  /// The stories: at least one for each thing that a forecast counts.
  static let all: [ForecastStory] = [
    ForecastStory(
      name: "intervals",
      jobs: [
        .every(.seconds(60), "minutely"), .every(.seconds(10), "ten_seconds"), .every(.seconds(90), "ninety_seconds"),
        .every(.seconds(300), "five"),
        .every(.seconds(900), "quarter"), .every(.seconds(3_600), "hourly"), .every(.seconds(86_400), "daily"),
      ]),
    ForecastStory(
      name: "cron in zones, over clock changes",
      jobs: [
        .cron("30 2 * * *", "berlin", in: "Europe/Berlin"), .cron("0 9-17 * * 1-5", "new_york", in: "America/New_York"),
        .cron("*/20 * * * *", "kolkata", in: "Asia/Kolkata"), .cron("0 0 L * *", "last_day"),
        .cron("15 */2 * * *", "adelaide", in: "Australia/Adelaide"),
      ]),
    ForecastStory(
      name: "scheduled by Cloud Scheduler",
      jobs: [
        .scheduled("*/10 * * * *", "often", JobScript(.seconds(7))),
        .scheduled("every 2 hours", "english"), .scheduled("0 3 * * *", "nightly", in: "Europe/Berlin"),
        .scheduled("0 8 1 * *", "monthly"), .scheduled("*/5 * * * *", "off") { $0.enabled(false) },
      ]),
    ForecastStory(
      name: "scheduled by the master pass", owner: .masterPass,
      jobs: [
        .scheduled("*/10 * * * *", "often"), .scheduled("0 * * * *", "hourly", JobScript(.seconds(12))),
        .scheduled("0 3 * * *", "nightly", in: "Europe/Berlin"),
      ]),
    ForecastStory(
      name: "endpoints at a steady rate",
      jobs: [
        .endpoint("mail", each: .seconds(600)), .endpoint("image", each: .seconds(1_800), JobScript(.seconds(12))),
        .endpoint("report", each: .seconds(7_200)) { $0.overlap(.skip) },
      ]),
    ForecastStory(
      name: "retries",
      jobs: [
        .every(.seconds(600), "pass", JobScript(failsEvery: 4)),
        .scheduled("*/15 * * * *", "cron", JobScript(.seconds(6), failsEvery: 5)),
        .endpoint("mail", each: .seconds(900), JobScript(failsEvery: 3)),
      ]),
    ForecastStory(
      name: "dead letters, short retention and logs",
      jobs: [
        .every(.seconds(600), "pass", JobScript(diesEvery: 10, logs: true)) { $0.retention(.seconds(86_400)) },
        .scheduled("*/30 * * * *", "cron", JobScript(diesEvery: 7)) {
          $0.retention(Retention(succeeded: .seconds(3_600), failed: .seconds(864_000), cancelled: .zero))
        },
        .endpoint("mail", each: .seconds(900), JobScript(diesEvery: 10)) { $0.retention(.seconds(7_200)) },
      ]),
    ForecastStory(
      name: "start, end, days without runs, disabled jobs",
      jobs: [
        .every(.seconds(60), "off") { $0.enabled(false) },
        .endpoint("refused", each: .seconds(3_600)) { $0.enabled(false) },
        .every(.seconds(1_800), "starts") { $0.active(from: .day(CivilDate(year: 2026, month: 3, day: 12))) },
        .every(.seconds(1_800), "ends") { $0.active(through: .day(CivilDate(year: 2026, month: 3, day: 20))) },
        .cron("*/30 * * * *", "pauses", in: "Europe/Berlin") {
          $0.skipping(.day(CivilDate(year: 2026, month: 3, day: 10)), .day(CivilDate(year: 2026, month: 3, day: 29)))
        },
        .scheduled("0 * * * *", "scheduled") {
          $0.skipping(.day(CivilDate(year: 2026, month: 3, day: 10)))
            .active(through: .day(CivilDate(year: 2026, month: 3, day: 25)))
        },
      ]),
    ForecastStory(
      name: "limits",
      jobs: [
        .endpoint("single", each: .seconds(900)) { $0.maxConcurrent(1) },
        .every(.seconds(600), "own", JobScript(.seconds(3))) {
          $0.maxConcurrent(2).rate(RateLimit(100, per: .seconds(60)))
        },
        .every(.seconds(1_200), "a", JobScript(.seconds(3))) { $0.group("mail", maxConcurrent: 1) },
        .every(.seconds(1_200), "b", JobScript(.seconds(3))) { $0.group("mail", maxConcurrent: 1) },
        .scheduled("5 * * * *", "c", JobScript(.seconds(3))) { $0.group("mail", maxConcurrent: 1) },
      ]),
    ForecastStory(
      name: "dependencies and breakers",
      jobs: [
        .every(.seconds(3_600), "extract", JobScript(diesEvery: 5)) { $0.breaker(CircuitBreaker()) },
        .every(.seconds(3_600), "load") { $0.depends(on: "extract") },
        .cron("30 * * * *", "report") { $0.depends(on: "extract", "load") },
        .scheduled("45 * * * *", "publish") { $0.depends(on: "report") },
        .endpoint("notify", each: .seconds(1_800), JobScript(diesEvery: 8)) { $0.breaker(CircuitBreaker()) },
      ]),
    ForecastStory(
      name: "long attempts that overlap their schedules",
      jobs: [
        .every(.seconds(600), "slow", JobScript(.seconds(154))), .every(.seconds(3_600), "beside"),
        .scheduled("*/5 * * * *", "slower", JobScript(.seconds(288), failsEvery: 6)),
        .cron("*/15 * * * *", "queued", JobScript(.seconds(33), failsEvery: 2)) { $0.overlap(.queue) },
      ]),
    mixed,
  ]

  /// Jobs of a service without Cloud Tasks and Cloud Scheduler.
  static let storeAsQueue = ForecastStory(
    name: "the store as the queue",
    jobs: [
      .every(.seconds(300), "five", JobScript(failsEvery: 4)), .scheduled("0 * * * *", "hourly"),
      .endpoint("mail", each: .seconds(600), JobScript(failsEvery: 5)) { $0.retention(.seconds(86_400)) },
    ])

  /// Fifty jobs of all kinds.
  private static let mixed: ForecastStory = {
    var jobs: [Job] = []
    for number in 0..<20 {
      jobs.append(
        .every(
          .seconds([900, 1_800, 3_600, 21_600][number % 4]), JobID(stringLiteral: "periodic\(number)"),
          JobScript(.seconds(number % 3), failsEvery: number % 5 == 0 ? 10 : 0)))
    }
    for number in 0..<12 {
      jobs.append(
        .cron("0 0 * * *", JobID(stringLiteral: "midnight\(number)"), JobScript(.seconds(8), logs: number % 2 == 0)))
    }
    for number in 0..<10 {
      jobs.append(
        .scheduled(
          "\(number * 5) */3 * * *", JobID(stringLiteral: "scheduled\(number)"), in: "Europe/Paris",
          JobScript(.seconds(6))))
    }
    for number in 0..<8 {
      jobs.append(
        .endpoint(
          JobID(stringLiteral: "endpoint\(number)"), each: .seconds(3_600 + Int64(number) * 300),
          JobScript(failsEvery: number == 0 ? 4 : 0)))
    }
    return ForecastStory(name: "fifty jobs", jobs: jobs)
  }()
}
