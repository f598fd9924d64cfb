#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// What a visitor asks a forecast for.
struct ForecastQuery: Sendable {
  /// The number of days, 1 to 366.
  var days = 7
  /// Whether the visitor has chosen the number of days.
  var hasDays = false
  /// The deployment; nil for the runtime's own.
  var deployment: ForecastDeployment.Kind?
  /// The number of workers.
  var workers = 1
  /// The processors of an instance.
  var vCPUs = 1.0
  /// The memory of an instance, in GiB.
  var memory = 0.5
  /// The largest cost of a month; nil for none.
  var budget: Double?
  /// The texts of the changes to try, each on a line.
  var texts: [String: String] = [:]
  /// The changes to try, and the rates.
  var changes: ForecastChanges?
  /// Why the parameters could not be read; nil if they could.
  var refusal: JobError?

  /// Reads the parameters of a query; the first that can't be read is told.
  init(_ query: PageFields) {
    do throws(JobError) {
      days = try Self.number(query, "days", 1...366) ?? days
      hasDays = query["days"] != nil
      workers = try Self.number(query, "workers", 1...10_000) ?? workers
      vCPUs = try Self.amount(query, "vcpu") ?? vCPUs
      memory = try Self.amount(query, "memory") ?? memory
      budget = try Self.amount(query, "budget")
      if let name = query["deployment"] {
        guard let kind = ForecastDeployment.Kind(rawValue: name) else {
          throw JobError(.invalidField, "There is no such deployment.", field: "deployment")
        }
        deployment = kind
      }
      for name in ["interval", "batch", "rate"] { texts[name] = query.text(name).map { String($0.prefix(4_000)) } }
      func lines(_ name: String) -> [String] {
        (texts[name] ?? "").split { $0.isWhitespace }.map(String.init)
      }
      changes = try ForecastChanges(
        intervals: lines("interval"), batches: lines("batch"), rates: lines("rate"), optionPrefix: "")
    } catch {
      refusal = error
    }
  }

  private static func number(
    _ query: PageFields, _ name: String, _ range: ClosedRange<Int>
  ) throws(JobError) -> Int? {
    guard let text = query[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw JobError(
        .invalidField, "Expected a whole number from \(range.lowerBound) to \(range.upperBound).", field: name)
    }
    return number
  }

  private static func amount(_ query: PageFields, _ name: String) throws(JobError) -> Double? {
    guard let text = query[name] else { return nil }
    guard let number = Double(text), number.isFinite, (0...1e9).contains(number) else {
      throw JobError(.invalidField, "Expected a number from 0.", field: name)
    }
    return number
  }

  /// Returns the deployment that is asked for.
  ///
  /// - Parameters:
  ///   - own: that of the runtime.
  ///   - isStoreBilled: whether the store is paid by its operations.
  /// - Returns: the deployment.
  func deployment(over own: ForecastDeployment, isStoreBilled: Bool) -> ForecastDeployment {
    var result = own
    if let deployment {
      result.kind = deployment
      result.scheduleOwner = ForecastDeployment(deployment).scheduleOwner
    }
    result.isStoreBilled = isStoreBilled
    result.workers.count = workers
    (result.vCPUs, result.memoryGiB) = (vCPUs, memory)
    return result
  }
}

/// A forecast, and that without the changes to try.
struct ForecastResult: Sendable {
  /// What it was made from.
  var input: ForecastInput
  /// The forecast.
  var forecast: Forecast
  /// The forecast without the changes; nil if there are none.
  var before: Forecast?
  /// The time at which the recent runs were measured.
  var measuredAt: Timestamp
}

/// The values of the page of a forecast.
struct ForecastPageView: Sendable {
  /// A line of the table.
  struct Line: Sendable {
    /// The id of the job, or the name of shared work.
    var lineName: String
    /// The path of the job's page; nil for shared work.
    var lineHref: String?
    /// The numbers, in the order of the columns.
    var numbers: [Number]
    /// The cost at list prices.
    var cost: String
    /// Whether it is the sum.
    var isSum: Bool
  }

  /// A number of a line.
  struct Number: Sendable {
    /// What it counts.
    var numberName: String
    /// The number.
    var numberText: String
  }

  /// The cost of a service.
  struct Service: Sendable {
    /// The name of the service.
    var serviceName: String
    /// The cost at list prices.
    var listPrice: String
    /// The cost after free tiers.
    var netPrice: String
  }

  /// A figure at the top.
  struct Total: Sendable {
    /// The number.
    var number: String
    /// What it counts.
    var label: String
    /// The class of its colour.
    var look: String
  }

  /// Jobs that are due at the same minutes.
  struct Spike: Sendable {
    /// The jobs and the times.
    var spikeText: String
    /// The schedules that would move them apart.
    var moves: [String]
  }

  /// A change of a job's numbers by what is tried.
  struct Change: Sendable {
    /// The id of the job, or the name of shared work.
    var changeName: String
    /// The runs before and after.
    var changeRuns: String
    /// The cost before and after.
    var changeCost: String
  }

  /// The columns of the table.
  private static let columns: [(name: String, path: any KeyPath<OperationCounts, Double> & Sendable)] = [
    ("Runs", \.runs), ("Attempts", \.attempts), ("Requests", \.requests), ("Tasks", \.taskOperations),
    ("Reads", \.storeReads), ("Writes", \.storeWrites), ("vCPU s", \.vCPUSeconds),
  ]
  /// The maximum number of jobs in the table.
  private static let lineLimit = 100

  var sentence = ""
  var measuredAt: PageTime?
  var figures: [Total] = []
  var columns: [String] = ForecastPageView.columns.map(\.name)
  var lines: [Line] = []
  var services: [Service] = []
  var changes: [Change] = []
  var hasChanges = false
  var spikes: [Spike] = []
  var hasSpikes = false
  var notes: [String] = []
  var hasNotes = false
  var heat: HeatTable?
  var currency = ""
  var pricesDay = ""
  var pricesSource = ""
  var hasResult = false
  var budgetVerdict: String?
  var refusalText: String?
  var days: Int
  var deployments: [PageChoice]
  var workers: Int
  var vCPUs: String
  var memory: String
  var budget: String
  var intervalText: String
  var batchText: String
  var rateText: String
  var action: String

  /// Makes the page: pure.
  ///
  /// - Parameters:
  ///   - query: what is asked for.
  ///   - own: the deployment that the runtime is set up for.
  ///   - result: the forecast; nil if it was refused.
  ///   - refusal: why; nil if it was made.
  ///   - context: the paths of the page.
  init(
    _ query: ForecastQuery, own: ForecastDeployment.Kind, _ result: ForecastResult?, refusal: JobError?,
    _ context: DashboardContext
  ) {
    days = query.days
    let chosen = query.deployment ?? own
    deployments = ForecastDeployment.Kind.allCases.map { kind in
      PageChoice(kind.rawValue, Self.words(kind), isChosen: kind == chosen)
    }
    workers = query.workers
    (vCPUs, memory) = ("\(query.vCPUs)", "\(query.memory)")
    budget = query.budget.map { "\($0)" } ?? ""
    intervalText = query.texts["interval"] ?? ""
    batchText = query.texts["batch"] ?? ""
    rateText = query.texts["rate"] ?? ""
    action = context.link("forecast").href
    refusalText = refusal.map { error in
      "The forecast was not made. \(error.field.map { "\($0): " } ?? "")\(error.message)"
    }
    guard let result else { return }
    hasResult = true
    let forecast = result.forecast
    sentence =
      "\(PageNumber.text(query.days, "day")) from \(PageTime.exact(forecast.start)), "
      + Self.words(result.input.deployment.kind)
    if context.now - result.measuredAt >= .seconds(1) { measuredAt = context.time(result.measuredAt) }
    (currency, pricesDay) = (forecast.currency, result.input.prices.asOf)
    pricesSource = BoundedText.cut(result.input.prices.source, to: 200)
    figures = Self.figures(forecast, query)
    lines = Self.lines(forecast, context)
    services = Self.services(forecast)
    changes = Self.changes(result)
    hasChanges = result.before != nil
    spikes = Self.spikes(forecast)
    hasSpikes = !spikes.isEmpty
    notes = Self.notes(forecast)
    hasNotes = !notes.isEmpty
    let calendar = ForecastCalendar(forecast, in: .utc)
    heat = HeatTable(calendar, "Runs an hour, UTC", limit: 31)
    if let budget = query.budget {
      let verdict = forecast.monthlyCost > budget ? "above" : "within"
      budgetVerdict =
        "A month is \(verdict) the budget of \(Figure.money(budget)) \(forecast.currency)."
    }
  }

  // MARK: Parts

  private static func words(_ kind: ForecastDeployment.Kind) -> String {
    switch kind {
    case .cloudTasks: "with Cloud Tasks and Cloud Scheduler"
    case .masterPass: "with a master pass, and the store as the queue"
    case .worker: "with workers, and the store as the queue"
    }
  }

  private static func figures(_ forecast: Forecast, _ query: ForecastQuery) -> [Total] {
    let total = forecast.total.operations
    let perDay = total.runs / Double(max(1, query.days))
    let busiest = forecast.hours.max() ?? 0
    let isOver = query.budget.map { forecast.monthlyCost > $0 } ?? false
    let month = "\(Figure.money(forecast.monthlyCost)) \(forecast.currency)"
    return [
      Total(number: Figure.count(total.runs), label: "runs", look: ""),
      Total(number: Figure.count(perDay), label: "runs a day", look: ""),
      Total(number: Figure.count(busiest), label: "in the busiest hour", look: ""),
      Total(number: Figure.count(total.skips), label: "skipped times", look: ""),
      Total(number: month, label: "a month on Google Cloud", look: isOver ? "bad" : ""),
    ]
  }

  private static func lines(_ forecast: Forecast, _ context: DashboardContext) -> [Line] {
    func line(_ line: ForecastLine, href: String?, isSum: Bool = false) -> Line {
      Line(
        lineName: line.name, lineHref: href,
        numbers: columns.map { name, path in
          Number(numberName: name, numberText: Figure.count(line.operations[keyPath: path]))
        }, cost: Figure.money(line.cost.sum), isSum: isSum)
    }
    let jobs = forecast.jobs.prefix(lineLimit).map { line($0, href: context.link("jobs", $0.name).href) }
    return jobs + forecast.shared.map { line($0, href: nil) } + [line(forecast.total, href: nil, isSum: true)]
  }

  private static func services(_ forecast: Forecast) -> [Service] {
    func money(_ value: Double) -> String { Figure.money(value) }
    let total = forecast.total
    let names = ["tasks": "Cloud Tasks", "scheduler": "Cloud Scheduler", "store": "Store", "compute": "Compute"]
    let rows = ForecastCost.services.map { name, path in
      Service(
        serviceName: names[name] ?? name, listPrice: money(total.cost[keyPath: path]),
        netPrice: money(total.netCost[keyPath: path]))
    }
    return rows + [
      Service(serviceName: "Sum", listPrice: money(total.cost.sum), netPrice: money(total.netCost.sum))
    ]
  }

  private static func changes(_ result: ForecastResult) -> [Change] {
    guard let before = result.before else { return [] }
    let now = result.forecast
    let lines = zip(before.jobs + before.shared + [before.total], now.jobs + now.shared + [now.total])
    return lines.filter { $0.operations != $1.operations }.prefix(lineLimit).map { old, new in
      let (runs, was) = (new.operations.runs, old.operations.runs)
      return Change(
        changeName: new.name,
        changeRuns: "\(Figure.count(was)) → \(Figure.count(runs))",
        changeCost: "\(Figure.money(old.cost.sum)) → \(Figure.money(new.cost.sum))")
    }
  }

  private static func spikes(_ forecast: Forecast) -> [Spike] {
    forecast.herds.map { herd in
      let names = herd.jobs.prefix(8).map(\.rawValue).joined(separator: ", ")
      let more = herd.jobs.count > 8 ? " and \(herd.jobs.count - 8) more" : ""
      let times = herd.count == 1 ? "once" : "\(PageNumber.text(herd.count)) times"
      return Spike(
        spikeText: "\(herd.jobs.count) jobs are due at the same minute, \(times), first at "
          + "\(PageTime.exact(herd.first)): \(names)\(more).",
        moves: herd.spread.prefix(20).map { "\($0.job): \($0.suggested) instead of \($0.present)" })
    }
  }

  private static func notes(_ forecast: Forecast) -> [String] {
    var jobs: [String: [String]] = [:]
    for line in forecast.jobs {
      for note in line.notes { jobs[note, default: []].append(line.name) }
    }
    return jobs.sorted { $0.key < $1.key }.prefix(20).map { note, names in
      let more = names.count > 8 ? " and \(names.count - 8) more" : ""
      return "\(BoundedText.cut(note)) (\(names.prefix(8).joined(separator: ", "))\(more))"
    }
  }
}
#endif
