/// The changes that a forecast tries, and the rates that it is told: pure.
package struct ForecastChanges: Sendable {
  package private(set) var intervals: [(job: JobID, interval: Duration)] = []
  package private(set) var batches: [(job: JobID, count: Int)] = []
  /// The rates in runs a day.
  package private(set) var rates: [JobID: Double] = [:]

  /// Parses the changes.
  ///
  /// - Parameters:
  ///   - intervals: other intervals, as `JOB=5m`.
  ///   - batches: numbers of enqueued runs whose work one run does, as `JOB=10`.
  ///   - rates: rates of enqueued runs, as `JOB=1000/day`.
  ///   - prefix: what stands before the names of the options in errors.
  /// - Throws: ``JobError`` `invalidField`, which names the option.
  package init(
    intervals: [String], batches: [String], rates: [String], optionPrefix prefix: String = "--"
  ) throws(JobError) {
    for text in intervals {
      self.intervals.append(
        try Self.pair(text, "\(prefix)interval", "JOB=5m") { text in
          Duration(settingText: text).flatMap { $0 > .zero ? $0 : nil }
        })
    }
    for text in batches {
      self.batches.append(
        try Self.pair(text, "\(prefix)batch", "JOB=10") { Int($0).flatMap { (1...1_000_000).contains($0) ? $0 : nil } })
    }
    for text in rates {
      let (job, rate) = try Self.pair(text, "\(prefix)rate", "JOB=1000/day, /hour or /minute", Self.rate)
      self.rates[job] = rate
    }
  }

  /// Whether nothing is changed.
  package var isEmpty: Bool { intervals.isEmpty && batches.isEmpty }

  private static func pair<Value>(
    _ text: String, _ option: String, _ example: String, _ value: (String) -> Value?
  ) throws(JobError) -> (JobID, Value) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let value = value(String(parts[1])) else {
      throw JobError(.invalidField, "\"\(text)\" can't be read. Write it as \(example).", field: option)
    }
    return (try JobID(String(parts[0])), value)
  }

  private static func rate(_ text: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let units = ["day": 1.0, "hour": 24, "minute": 1_440]
    guard parts.count == 2, let count = Double(parts[0]), let unit = units[String(parts[1])], count.isFinite,
      (0...1e9).contains(count)
    else { return nil }
    return count * unit
  }

  /// Checks that the jobs of the rates exist.
  ///
  /// - Parameter input: the input of the forecast.
  /// - Throws: ``JobError`` `unknownJob`.
  package func checkRates(in input: ForecastInput) throws(JobError) {
    for job in rates.keys.sorted() { _ = try input.changing(job) { _ in } }
  }

  /// Returns an input with the changes.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `invalidSchedule`.
  package func applied(to input: ForecastInput) throws(JobError) -> ForecastInput {
    var input = input
    for (job, interval) in intervals {
      input = try input.changing(job) { (job) throws(JobError) in try job.setInterval(interval) }
    }
    for (job, count) in batches { input = try input.changing(job) { $0.batch(count) } }
    return input
  }
}
