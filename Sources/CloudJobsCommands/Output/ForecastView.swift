import CloudJobsCore

/// How a forecast is shown.
struct ForecastView {
  let forecast: Forecast
  /// The forecast without the changes that are tried; nil if there are none.
  var before: Forecast?
  /// The largest cost of a month; nil for none.
  var budget: Double?
  let input: ForecastInput

  /// Whether a month costs more than the budget.
  var isOverBudget: Bool { budget.map { forecast.monthlyCost > $0 } ?? false }

  // MARK: JSON

  /// The forecast as JSON.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "from": .string("\(forecast.start)"), "to": .string("\(forecast.start + forecast.span)"),
      "deployment": .string(input.deployment.kind.rawValue), "prices": input.prices.fields,
      "jobs": .array(zip(forecast.jobs, input.jobs).map { Self.json($0, $1) }),
      "shared": .array(forecast.shared.map { Self.json($0) }), "total": Self.json(forecast.total),
      "monthlyCost": .double(forecast.monthlyCost), "firstHour": .string("\(forecast.firstHour)"),
      "hours": .array(forecast.hours.map { .double($0) }),
      "collisions": .array(forecast.herds.map { Self.json($0) }),
    ]
    if let before {
      members["before"] = [
        "jobs": .array(before.jobs.map { Self.json($0) }), "total": Self.json(before.total),
        "monthlyCost": .double(before.monthlyCost),
      ]
    }
    if let budget { members["budget"] = ["amount": .double(budget), "isExceeded": .bool(isOverBudget)] }
    return .object(members)
  }

  private static func json(_ line: ForecastLine, _ job: ForecastJob? = nil) -> JSONValue {
    var members: [String: JSONValue] = ["name": .string(line.name)]
    for (name, path) in OperationCounts.members { members[name] = .double(line.operations[keyPath: path]) }
    members["cost"] = json(line.cost)
    members["netCost"] = json(line.netCost)
    if !line.notes.isEmpty { members["notes"] = .array(line.notes.map { .string($0) }) }
    if let job {
      members["schedule"] = job.job.schedule.map { .string($0.text) }
      members["profile"] = [
        "measuredRuns": .integer(Int64(job.profile.measuredRuns)),
        "durationSeconds": .double(Double(job.profile.duration.microseconds) / 1_000_000),
        "retriesPerRun": .double(job.profile.retriesPerRun), "failedShare": .double(job.profile.failedShare),
        "enqueuedPerDay": .double(job.enqueuedPerDay),
      ]
    }
    return .object(members)
  }

  private static func json(_ cost: ForecastCost) -> JSONValue {
    var members: [String: JSONValue] = ["sum": .double(cost.sum)]
    for (name, path) in ForecastCost.services { members[name] = .double(cost[keyPath: path]) }
    return .object(members)
  }

  private static func json(_ herd: ScheduleHerd) -> JSONValue {
    [
      "jobs": .array(herd.jobs.map { .string($0.rawValue) }), "first": .string("\(herd.first)"),
      "count": .integer(Int64(herd.count)), "isHerd": .bool(herd.isHerd),
      "spread": .array(
        herd.spread.map { move in
          [
            "job": .string(move.job.rawValue), "schedule": .string(move.present),
            "suggested": .string(move.suggested), "minutes": .integer(Int64(move.minutes)),
          ]
        }),
    ]
  }

  // MARK: Text

  /// Returns the forecast for people.
  ///
  /// - Parameters:
  ///   - times: how times are shown.
  ///   - width: the number of columns of a terminal; nil for no limit.
  /// - Returns: the lines.
  func lines(_ times: TimeText, width: Int?) -> [String] {
    let days = Double(forecast.span.microseconds) / 86_400_000_000
    var lines = [
      "\(Figure.count(days)) days from \(times.text(forecast.start)), \(input.deployment.kind.sentence)", "",
    ]
    lines += table.lines(width: width)
    lines += ["", "Cost in \(forecast.currency), by the prices of \(input.prices.asOf):"]
    lines += costs.lines(width: width).map { "  \($0)" }
    lines += [
      "", "A month costs \(Figure.money(forecast.monthlyCost)) \(forecast.currency) after free tiers.",
    ]
    if let budget {
      let verdict = isOverBudget ? "is above" : "is within"
      lines.append("That \(verdict) the budget of \(Figure.money(budget)) \(forecast.currency).")
    }
    if let before {
      lines += ["", "Before and after the change:"] + changes(from: before).lines(width: width).map { "  \($0)" }
    }
    lines += collisions(times)
    return lines + notes
  }

  /// The notes, each with the jobs that have it.
  private var notes: [String] {
    var jobs: [String: [String]] = [:]
    for line in forecast.jobs {
      for note in line.notes { jobs[note, default: []].append(line.name) }
    }
    if jobs.isEmpty { return [] }
    return ["", "Notes:"] + jobs.sorted { $0.key < $1.key }.map { "  \($0.key) (\(Self.list($0.value)))" }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
  }

  /// The figures of a line, with their places in the order in which a narrow terminal leaves them out.
  private static let figures: [(title: String, path: any KeyPath<OperationCounts, Double> & Sendable, drop: Int?)] = [
    ("runs", \.runs, nil), ("attempts", \.attempts, 2), ("requests", \.requests, 5),
    ("tasks", \.taskOperations, 3), ("reads", \.storeReads, 6), ("writes", \.storeWrites, 7),
    ("deletes", \.storeDeletes, 1), ("vCPU-s", \.vCPUSeconds, 4),
  ]

  private var table: TextTable {
    TextTable(
      columns: [.init("job")] + Self.figures.map { .init($0.title, as: .number, drop: $0.drop) } + [
        .init("cost", isNumeric: true)
      ],
      rows: (forecast.jobs + forecast.shared + [forecast.total]).map { line in
        [line.name] + Self.figures.map { Figure.count(line.operations[keyPath: $0.path]) }
          + [Figure.money(line.cost.sum)]
      })
  }

  private var costs: TextTable {
    let total = forecast.total
    let rows = ForecastCost.services.map { name, path in
      [name, Figure.money(total.cost[keyPath: path]), Figure.money(total.netCost[keyPath: path])]
    }
    return TextTable(
      columns: [.init("service"), .init("list price", isNumeric: true), .init("after free tiers", isNumeric: true)],
      rows: rows + [["sum", Figure.money(total.cost.sum), Figure.money(total.netCost.sum)]])
  }

  private func changes(from before: Forecast) -> TextTable {
    let lines = zip(before.jobs + before.shared + [before.total], forecast.jobs + forecast.shared + [forecast.total])
    return TextTable(
      columns: [.init("job")]
        + ["runs", "requests", "tasks", "reads", "writes", "cost"].map { .init($0, isNumeric: true) },
      rows: lines.filter { $0.operations != $1.operations }.map { old, new in
        func change(_ path: KeyPath<OperationCounts, Double>) -> String {
          "\(Figure.count(old.operations[keyPath: path])) → \(Figure.count(new.operations[keyPath: path]))"
        }
        return [
          new.name, change(\.runs), change(\.requests), change(\.taskOperations), change(\.storeReads),
          change(\.storeWrites), "\(Figure.money(old.cost.sum)) → \(Figure.money(new.cost.sum))",
        ]
      })
  }

  private func collisions(_ times: TimeText) -> [String] {
    forecast.herds.flatMap { herd -> [String] in
      let first =
        "\(herd.isHerd ? "Herd" : "Collision"): \(herd.jobs.count) jobs are due at the same minute, "
        + "\(herd.count == 1 ? "once" : "\(herd.count) times"), first at \(times.text(herd.first)): "
        + "\(Self.list(herd.jobs.map(\.rawValue)))."
      let moves = herd.spread.map { "  jobs schedule \($0.job) \"\($0.suggested)\"    instead of \"\($0.present)\"" }
      return ["", first] + (moves.isEmpty ? [] : ["Apart, with the same periods:"] + moves)
    }
  }
}

extension ForecastDeployment.Kind {
  /// The deployment in words.
  fileprivate var sentence: String {
    switch self {
    case .cloudTasks: "with Cloud Tasks and Cloud Scheduler"
    case .masterPass: "with a master pass, and the store as the queue"
    case .worker: "with workers, and the store as the queue"
    }
  }
}
