import Testing

@testable import CloudJobsCore

/// Samples of jobs for forecasts.
enum ForecastSample {
  static let start = Timestamp(seconds: 1_767_225_600)

  static func job(
    _ id: JobID, _ kind: JobKind = .periodic, _ schedule: String? = nil, zone: String = "Etc/UTC",
    _ change: (inout JobPolicy) -> Void = { _ in }
  ) throws -> ForecastJob {
    var definition = JobDefinition(id: id, kind: kind, schedule: schedule.map { .text($0) }, timeZone: zone)
    change(&definition.policy)
    return ForecastJob(try ResolvedJob(definition, configuration: nil, zones: .system))
  }

  static func forecast(
    _ jobs: [ForecastJob], _ kind: ForecastDeployment.Kind = .cloudTasks, days: Int = 30,
    prices: PriceTable = .standard,
    _ change: (inout ForecastDeployment) -> Void = { _ in }
  ) -> Forecast {
    var deployment = ForecastDeployment(kind)
    deployment.age = .zero
    change(&deployment)
    return Forecast(
      ForecastInput(jobs: jobs, deployment: deployment, start: start, span: .days(days), prices: prices))
  }
}

@Suite("Forecast")
struct ForecastTests {
  @Test(
    "Each schedule has the runs of its times",
    arguments: [
      ("1m", "Etc/UTC", 1_440), ("10s", "Etc/UTC", 1_440), ("90s", "Etc/UTC", 960), ("1h", "Etc/UTC", 24),
      ("30 2 * * *", "Europe/Berlin", 1), ("*/7 * * * *", "Asia/Kolkata", 216), ("0 0 1 1 *", "Etc/UTC", 1),
      ("0 0 2 1 *", "Etc/UTC", 0),
      ("at 2026-01-01T12:00:00Z", "Etc/UTC", 1), ("every 2 hours", "Etc/UTC", 12),
    ])
  func runs(schedule: String, zone: String, count: Int) throws {
    let forecast = ForecastSample.forecast([try ForecastSample.job("a", .periodic, schedule, zone: zone)], days: 1)
    #expect(forecast.jobs[0].operations.runs == Double(count))
    #expect(forecast.jobs[0].operations.attempts == Double(count))
    #expect(forecast.hours.reduce(0, +) == Double(count))
  }

  @Test("A day with a clock change has an hour more or less of runs")
  func clockChanges() throws {
    let job = try ForecastSample.job("a", .periodic, "0 * * * *", zone: "Europe/Berlin")
    let nightly = try ForecastSample.job("b", .periodic, "30 2 * * *", zone: "Europe/Berlin")
    for day in ["2026-03-28T23:00:00Z", "2026-10-24T22:00:00Z"] {
      let start = try #require(Timestamp(rfc3339: day))
      let isSpring = day < "2026-06"
      let forecast = Forecast(
        ForecastInput(jobs: [job, nightly], start: start, span: .hours(isSpring ? 23 : 25)))
      #expect(forecast.jobs[0].operations.runs == (isSpring ? 23 : 25))
      #expect(forecast.jobs[1].operations.runs == 1)
    }
  }

  @Test("An idle service costs a request and a query a minute, and its housekeeping")
  func idle() throws {
    let forecast = ForecastSample.forecast([try ForecastSample.job("a", .endpoint)], days: 1)
    let (passes, housekeeping, purge) = (forecast.shared[0], forecast.shared[1], forecast.shared[2])
    #expect(passes.operations.requests == 1_440 && passes.operations.storeReads == 1_440)
    #expect(passes.operations.schedulerJobs == 1)
    // Each five minutes, the query of the sweep and the document of the job.
    #expect(housekeeping.operations.storeReads == 288 * 2)
    #expect(purge.operations.storeReads == 24 * 5)
    #expect(forecast.total.operations.storeWrites == 0 && forecast.jobs[0].operations == OperationCounts())
    #expect(abs(passes.operations.vCPUSeconds - 144) < 0.001)
  }

  @Test("A run by the pass costs four writes, and reads of its document and of the latest run")
  func passRun() throws {
    let forecast = ForecastSample.forecast([try ForecastSample.job("a", .periodic, "1h")], days: 1)
    let found = forecast.jobs[0].operations
    #expect(found.storeWrites == 96)
    // The first run has no earlier one.
    #expect(found.storeReads == 47)
    #expect(found.requests == 0 && found.taskOperations == 0)
  }

  @Test("A run by Cloud Scheduler costs its request and its scheduler job")
  func scheduled() throws {
    let forecast = ForecastSample.forecast([try ForecastSample.job("a", .scheduled, "0 * * * *")], days: 1)
    let found = forecast.jobs[0].operations
    #expect(found.requests == 24 && found.schedulerJobs == 1 && found.storeWrites == 96)
    #expect(found.storeReads == 24 * 3 - 1)
    let passed = ForecastSample.forecast([try ForecastSample.job("a", .scheduled, "0 * * * *")], days: 1) {
      $0.scheduleOwner = .masterPass
    }
    #expect(passed.jobs[0].operations.requests == 0 && passed.jobs[0].operations.schedulerJobs == 0)
  }

  @Test("An enqueued run costs two operations of Cloud Tasks, a request, three reads and three writes")
  func enqueued() throws {
    var job = try ForecastSample.job("a", .endpoint)
    job.enqueuedPerDay = 1_000
    let found = ForecastSample.forecast([job], days: 1).jobs[0].operations
    #expect(found.runs == 1_000 && found.taskOperations == 2_000 && found.requests == 1_000)
    #expect(found.storeReads == 3_000 && found.storeWrites == 3_000)
    job.profile.retriesPerRun = 0.5
    let retried = ForecastSample.forecast([job], days: 1).jobs[0].operations
    #expect(retried.attempts == 1_500 && retried.taskOperations == 3_000 && retried.storeWrites == 4_000)
    job.batch(10)
    let batched = ForecastSample.forecast([job], days: 1).jobs[0].operations
    #expect(batched.runs == 100 && batched.attempts == 150)
  }

  @Test(
    "An attempt under way asks for its cancellation at each interval",
    arguments: [(0, 0), (5_000, 0), (5_001, 1), (10_000, 1), (12_000, 2), (400_000, 59)])
  func polls(milliseconds: Int, polls: Int) throws {
    var job = try ForecastSample.job("a", .scheduled, "0 12 * * *")
    let idle = ForecastSample.forecast([job], days: 1).total.operations.storeReads
    job.profile.duration = .milliseconds(milliseconds)
    // An attempt ends at its time limit of five minutes.
    #expect(ForecastSample.forecast([job], days: 1).total.operations.storeReads - idle == Double(polls))
  }

  @Test("Gates close for days, ends and disabled jobs, and skipped times cost a write and an entry of the journal")
  func gates() throws {
    let day = CivilDate(year: 2026, month: 1, day: 2)
    let jobs = [
      try ForecastSample.job("a", .periodic, "1h") { $0.skipDates = [.day(day)] },
      try ForecastSample.job("b", .periodic, "1h") { $0.endAt = .day(day) },
      try ForecastSample.job("c", .periodic, "1h") { $0.startAt = .day(day) },
      try ForecastSample.job("d", .periodic, "1h") { $0.enabled = false },
      try ForecastSample.job("e", .scheduled, "0 * * * *") { $0.paused = true },
    ]
    let forecast = ForecastSample.forecast(jobs, days: 4)
    #expect(forecast.jobs.map(\.operations.runs) == [72, 48, 72, 0, 0])
    #expect(forecast.jobs[0].operations.skips == 24 && forecast.jobs[1].operations.skips == 1)
    // The commit of a skip has the state and an entry of the journal.
    #expect(forecast.shared[0].operations.storeWrites == 0)
    #expect(forecast.jobs[0].operations.storeWrites == 72 * 4 + 24 * 2)
    #expect(forecast.jobs[3].operations == OperationCounts())
    #expect(forecast.jobs[4].operations.requests == 0 && forecast.jobs[4].notes == ["It is paused."])
  }

  @Test("A pass that executes long attempts delays the next one")
  func longPass() throws {
    var job = try ForecastSample.job("a", .periodic, "1m")
    job.profile.duration = .seconds(150)
    let found = ForecastSample.forecast([job], days: 1)
    #expect(abs(found.jobs[0].operations.runs - 576) <= 1)
    #expect(abs(found.shared[0].operations.requests - 576) <= 2)
  }

  @Test("Records expire after their retention, those of the time before the forecast too")
  func retention() throws {
    let job = try ForecastSample.job("a", .periodic, "1h") { $0.retention = Retention(.days(10)) }
    let new = ForecastSample.forecast([job])
    #expect(abs(new.jobs[0].operations.storeDeletes - 480) <= 2)
    let old = ForecastSample.forecast([job]) { $0.age = nil }
    #expect(abs(old.jobs[0].operations.storeDeletes - 720) <= 2)
    let younger = ForecastSample.forecast([job]) { $0.age = .days(3) }
    #expect(abs(younger.jobs[0].operations.storeDeletes - 552) <= 3)
  }

  @Test("A worker polls, reconciles and tells that it lives, and its store may cost nothing")
  func worker() throws {
    let forecast = ForecastSample.forecast([try ForecastSample.job("a", .periodic, "1h")], .worker, days: 1) {
      $0.isStoreBilled = false
    }
    let found = forecast.shared[0].operations
    #expect(found.storeReads == 2 * 86_400 && found.storeWrites == 5_760 && found.requests == 0)
    #expect(found.vCPUSeconds == 86_400 && forecast.total.cost.store == 0)
    #expect(forecast.shared[1].operations.storeReads == 8_640)
    #expect(forecast.jobs[0].operations.runs == 24)
    #expect(forecast.shared[0].name == "workers")
  }

  @Test("Free tiers are taken off once, those of the store day by day, and lines share what is left")
  func money() throws {
    var prices = PriceTable()
    prices.firestore.freeReadsPerDay = 0
    prices.firestore.freeWritesPerDay = 100
    prices.tasks.freeOperations = 1_000
    var job = try ForecastSample.job("a", .endpoint)
    job.enqueuedPerDay = 1_000
    let forecast = ForecastSample.forecast([job], prices: prices)
    #expect(abs(forecast.total.cost.tasks - 60_000 / 1e6 * 0.4) < 1e-9)
    #expect(abs(forecast.total.netCost.tasks - 59_000 / 1e6 * 0.4) < 1e-9)
    let reads = forecast.total.operations.storeReads / 1e5 * 0.06
    #expect(abs(forecast.total.netCost.store - reads - (90_000 - 3_000) / 1e5 * 0.18) < 1e-6)
    #expect(forecast.total.netCost.scheduler == 0 && forecast.total.cost.scheduler == 0.1)
    let parts = (forecast.jobs + forecast.shared).reduce(0) { $0 + $1.netCost.sum }
    #expect(abs(parts - forecast.total.netCost.sum) < 1e-9)
    #expect(abs(forecast.monthlyCost - forecast.total.netCost.sum) < 1e-9)
    let week = ForecastSample.forecast([job], days: 15, prices: prices)
    #expect(abs(week.monthlyCost - forecast.monthlyCost) < forecast.monthlyCost * 0.01)
  }

  @Test("A profile is measured from runs that have ended")
  func profile() throws {
    func run(_ attempt: Int, _ seconds: Int, _ status: RunStatus) -> Run {
      var run = Run(
        id: RunID(job: "a", occurrence: .key("\(attempt) \(seconds)")), job: "a", trigger: .task, status: status,
        maxAttempts: 3, notBefore: ForecastSample.start, createdAt: ForecastSample.start)
      run.attempt = attempt
      run.startedAt = ForecastSample.start
      run.finishedAt = ForecastSample.start + .seconds(seconds)
      return run
    }
    #expect(RunProfile(measuring: [run(1, 5, .running)], lastDuration: nil, poll: .seconds(5)) == nil)
    let runs = [run(1, 4, .succeeded), run(1, 16, .succeeded), run(3, 90, .failed), run(1, 4, .succeeded)]
    let profile = try #require(RunProfile(measuring: runs, lastDuration: nil, poll: .seconds(5)))
    #expect(profile.duration == .seconds(8) && profile.retriesPerRun == 0.5 && profile.failedShare == 0.25)
    #expect(profile.pollsPerAttempt == 1 && profile.measuredRuns == 4)
    let last = RunProfile(measuring: [run(2, 9, .succeeded)], lastDuration: .seconds(3), poll: .seconds(5))
    #expect(last?.duration == .seconds(3))
  }
}
