import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsStores
import ProgramConsole

/// `forecast`.
struct ForecastCommand: AsyncParsableCommand {
  /// The exit code of a forecast above its budget.
  static let overBudget: Int32 = 3

  static let configuration = CommandConfiguration(
    commandName: "forecast", abstract: "Tells the load and the cost of the store's jobs for a month.",
    discussion: """
      It counts the runs of each schedule, and what the runtime does for them: requests, operations of Cloud Tasks, \
      reads, writes and deletes of the store, processor time and money. Durations, retries and rates are measured from \
      recent runs. With --interval and --batch it shows what a change would save.
      """)

  @Option(help: "The number of days, 1 to 366.") var days = 30
  @Option(help: "The beginning, in RFC 3339; now if it is left out.") var from: String?
  @Option(help: "A file of prices, as JSON; Google Cloud's list prices if it is left out.") var prices: String?
  @Option(help: "Tries another interval: JOB=5m. May be repeated.") var interval: [String] = []
  @Option(help: "Tries to do the work of several enqueued runs in one: JOB=10. May be repeated.")
  var batch: [String] = []
  @Option(help: "The rate of enqueued runs: JOB=1000/day (hour, minute). Measured if it is left out.")
  var rate: [String] = []
  @Option(help: "The number of recent runs of each job that are measured, 0 to 500.") var measure = 100
  @Option(help: "The largest cost of a month; the exit code is 3 if it is exceeded.") var budget: Double?
  @OptionGroup var setup: ForecastDeploymentOptions
  @Flag(help: "Shows the runs of each day.") var calendar = false
  @Flag(help: "Shows the runs of each hour.") var heatMap = false
  @Option(help: "Writes the calendar and the heat map to a file, as SVG.") var svg: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  /// The number of due times from which a walk is announced, and that from which it is refused.
  private static let (longWalk, longestWalk) = (200_000.0, 3_000_000.0)

  func validate() throws {
    guard (1...366).contains(days) else { throw ValidationError("--days is a number from 1 to 366.") }
    guard (0...500).contains(measure) else { throw ValidationError("--measure is a number from 0 to 500.") }
    if let budget, !budget.isFinite || budget < 0 { throw ValidationError("--budget is a number from 0.") }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      let plan = try ForecastChanges(intervals: interval, batches: batch, rates: rate)
      let runtime = try await store.runtime()
      var options = ForecastOptions()
      options.start = try RunFilterOptions.time(from, "--from")
      options.span = .seconds(86_400 * days)
      if let prices { options.prices = try PriceTable(fields: try Self.json(at: prices)) }
      options.measuredRuns = measure
      options.enqueuedPerDay = plan.rates
      options.deployment = try setup.deployment(runtime.forecastDeployment, store.address())
      var input = try await runtime.forecastInput(options)
      input.jobs.sort { $0.job.id < $1.job.id }
      try plan.checkRates(in: input)
      let changed = try plan.applied(to: input)
      try Self.announce(max(input.estimatedTimes, changed.estimatedTimes))
      let view = ForecastView(
        forecast: Forecast(changed), before: plan.isEmpty ? nil : Forecast(input), budget: budget, input: changed)
      let shown = ForecastCalendar(view.forecast, in: output.times.zone)
      if let svg { try write(shown, to: svg) }
      try output.show(view.json) { _, times in
        view.lines(times, width: Terminal.current.width) + (calendar ? [""] + shown.lines() : [])
          + (heatMap ? [""] + shown.heatMapLines() : [])
      }
      if view.isOverBudget { throw ExitCode(Self.overBudget) }
    }
  }

  /// Tells that a walk takes long, on standard error.
  ///
  /// - Throws: ``JobError`` `invalidField` for one that would take too long.
  private static func announce(_ times: Double) throws(JobError) {
    let text = "The schedules have about \(Int(times.rounded())) due times."
    guard times <= longestWalk else {
      throw JobError(.invalidField, "\(text) Give fewer days, or longer intervals.", field: "--days")
    }
    if times > longWalk { StandardStreams.writeErrorLine("\(text) To walk through them takes a while.") }
  }

  private func write(_ calendar: ForecastCalendar, to path: String) throws {
    let last = calendar.days.last.map { " to \($0.date)" } ?? ""
    let title = "Runs from \(calendar.days.first.map { "\($0.date)" } ?? "")\(last)"
    let text = ForecastDrawing.svg(calendar, title: title, subtitle: "\(try store.address())")
    guard TextFile.write(text, to: path) else {
      throw ProgramFailure("The file \(path) can't be written. Check its folder and its permissions.")
    }
  }

  private static func json(at path: String) throws(JobError) -> JSONValue {
    guard let bytes = TextFile.read(path, upTo: 1 << 20) else {
      throw JobError(.notFound, "The file \(path) can't be read, or is larger than 1 MiB.", field: "--prices")
    }
    return try JSONValue(parsing: bytes)
  }
}

/// The options of the deployment that a forecast is for.
struct ForecastDeploymentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The deployment: cloud-tasks, master-pass or worker. By default Firestore has Cloud Tasks, others a worker."))
  var deployment: String?
  @Option(help: "The number of workers.") var workers = 1
  @Option(help: "The processors of an instance.") var vcpu = 1.0
  @Option(help: "The memory of an instance, in GiB.") var memory = 0.5

  private static let kinds: [String: ForecastDeployment.Kind] = [
    "cloud-tasks": .cloudTasks, "master-pass": .masterPass, "worker": .worker,
  ]

  func validate() throws {
    if let deployment, Self.kinds[deployment] == nil {
      throw ValidationError("--deployment is cloud-tasks, master-pass or worker.")
    }
    guard workers >= 1, vcpu >= 0, memory >= 0, vcpu.isFinite, memory.isFinite else {
      throw ValidationError("--workers is a number from 1, --vcpu and --memory are numbers from 0.")
    }
  }

  /// Returns the deployment.
  ///
  /// - Parameters:
  ///   - own: the deployment with the options of the runtime.
  ///   - address: the store, which is billed by its operations if it is Firestore.
  /// - Returns: the deployment.
  func deployment(_ own: ForecastDeployment, _ address: StoreAddress) -> ForecastDeployment {
    let isFirestore = if case .firestore = address.kind { true } else { false }
    let kind = deployment.flatMap { Self.kinds[$0] } ?? (isFirestore ? .cloudTasks : .worker)
    var deployment = own
    deployment.kind = kind
    deployment.scheduleOwner = ForecastDeployment(kind).scheduleOwner
    deployment.isStoreBilled = isFirestore
    deployment.workers.count = workers
    (deployment.vCPUs, deployment.memoryGiB) = (vcpu, memory)
    return deployment
  }
}
