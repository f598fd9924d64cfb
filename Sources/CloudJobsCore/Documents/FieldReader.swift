/// A reader for the fields of a stored document; each error names the field.
struct FieldReader {
  let members: [String: JSONValue]
  let prefix: String

  init(_ value: JSONValue, prefix: String = "", field: String = "document") throws(JobError) {
    guard let members = value.object else {
      throw JobError(.invalidField, "Expected an object, found \(value.kind).", field: field)
    }
    self.members = members
    self.prefix = prefix
  }

  /// Returns a member's value, or nil if it is absent or null.
  func value(_ name: String) -> JSONValue? {
    guard let value = members[name], !value.isNull else { return nil }
    return value
  }

  func fault(_ name: String, _ expected: String, _ value: JSONValue) -> JobError {
    JobError(.invalidField, "Expected \(expected). The value, \(value.kind), is invalid.", field: prefix + name)
  }

  /// Reads a member with a function that returns nil for an invalid value.
  func read<Result>(
    _ name: String, _ expected: @autoclosure () -> String, _ read: (JSONValue) -> Result?
  ) throws(JobError) -> Result? {
    guard let value = value(name) else { return nil }
    guard let result = read(value) else { throw fault(name, expected(), value) }
    return result
  }

  func string(_ name: String) throws(JobError) -> String? {
    try read(name, "a string") { $0.string }
  }

  func bool(_ name: String) throws(JobError) -> Bool? {
    try read(name, "true or false") { $0.bool }
  }

  func int(_ name: String, _ range: ClosedRange<Int> = Int.min...Int.max) throws(JobError) -> Int? {
    try read(name, "a whole number from \(range.lowerBound) to \(range.upperBound)") { value in
      value.integer.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  func long(_ name: String) throws(JobError) -> Int64? {
    try read(name, "a whole number") { $0.integer }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws(JobError) -> Choice?
  where Choice.RawValue == String {
    try read(name, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")) { value in
      value.string.flatMap { Choice(rawValue: $0) }
    }
  }

  func timestamp(_ name: String) throws(JobError) -> Timestamp? {
    try read(name, Self.dateForms) { Self.timestamp($0) }
  }

  func calendarMoment(_ name: String) throws(JobError) -> CalendarMoment? {
    try read(name, Self.dateForms) { Self.calendarMoment($0) }
  }

  func calendarMoments(_ name: String) throws(JobError) -> [CalendarMoment]? {
    try read(name, "a list of dates") { value in
      guard let values = value.array else { return nil }
      let dates = values.compactMap { Self.calendarMoment($0) }
      return dates.count == values.count ? dates : nil
    }
  }

  /// Reads a duration: a number of seconds, or text such as `"30m"` or `"1h30m"`.
  func span(_ name: String, seconds range: ClosedRange<Int>) throws(JobError) -> Duration? {
    try read(
      name, "a whole number of seconds from \(range.lowerBound) to \(range.upperBound), or a text such as \"30m\""
    ) { value in
      IntervalText.duration(of: value).flatMap { span in
        span >= .seconds(range.lowerBound) && span <= .seconds(range.upperBound) ? span : nil
      }
    }
  }

  /// Reads a list of durations, of 1 to 100 elements.
  func spans(_ name: String, seconds range: ClosedRange<Int>) throws(JobError) -> [Duration]? {
    try read(
      name, "a list of 1 to 100 durations, each from \(range.lowerBound) to \(range.upperBound) seconds"
    ) { value in
      guard let values = value.array, (1...100).contains(values.count) else { return nil }
      let spans = values.compactMap { IntervalText.duration(of: $0) }
      let bounds = Duration.seconds(range.lowerBound)...Duration.seconds(range.upperBound)
      return spans.count == values.count && spans.allSatisfy { bounds.contains($0) } ? spans : nil
    }
  }

  func jobID(_ name: String) throws(JobError) -> JobID? {
    try read(name, "a job id") { $0.string.flatMap { try? JobID($0) } }
  }

  func runID(_ name: String) throws(JobError) -> RunID? {
    try read(name, "a run id") { $0.string.flatMap { try? RunID($0) } }
  }

  func ledger(_ name: String) throws(JobError) -> LedgerID? {
    try read(name, "a ledger's id") { $0.string.flatMap { try? LedgerID($0) } }
  }

  /// Reads a list of ledgers' ids; empty if there is none.
  func ledgers(_ name: String) throws(JobError) -> [LedgerID] {
    try read(name, "a list of ledgers' ids") { value in
      guard let values = value.array else { return nil }
      let ids = values.compactMap { $0.string.flatMap { try? LedgerID($0) } }
      return ids.count == values.count ? ids : nil
    } ?? []
  }

  func jobIDs(_ name: String) throws(JobError) -> [JobID]? {
    try read(name, "a list of job ids") { value in
      guard let values = value.array else { return nil }
      let ids = values.compactMap { $0.string.flatMap { try? JobID($0) } }
      return ids.count == values.count ? ids : nil
    }
  }

  func runIDs(_ name: String) throws(JobError) -> [RunID]? {
    try read(name, "a list of run ids") { value in
      guard let values = value.array else { return nil }
      let ids = values.compactMap { $0.string.flatMap { try? RunID($0) } }
      return ids.count == values.count ? ids : nil
    }
  }

  func strings(_ name: String) throws(JobError) -> [String]? {
    try read(name, "a list of strings") { value in
      guard let values = value.array else { return nil }
      let texts = values.compactMap(\.string)
      return texts.count == values.count ? texts : nil
    }
  }

  /// Refuses a member that is not among the known ones, of an object whose members have no other reader.
  func refuseOthers(than known: Set<String>, of owner: String) throws(JobError) {
    guard let unknown = members.keys.filter({ !known.contains($0) }).min() else { return }
    throw JobError(
      .invalidField, "Expected only the fields of \(owner): \(known.sorted().joined(separator: ", ")).",
      field: prefix + unknown)
  }

  func text(_ name: String) throws(JobError) -> JSONText? {
    value(name).map { JSONText($0) }
  }

  func required<Result>(_ name: String, _ value: Result?) throws(JobError) -> Result {
    guard let value else { throw JobError(.invalidField, "The field is missing.", field: prefix + name) }
    return value
  }

  private static let dateForms = "a timestamp, ISO 8601 text or epoch milliseconds"

  /// Returns the time of RFC 3339 text or epoch milliseconds.
  static func timestamp(_ value: JSONValue) -> Timestamp? {
    if let text = value.string { return Timestamp(rfc3339: text) }
    return value.integer.map { Timestamp(milliseconds: $0) }
  }

  /// Returns the day or instant of ISO 8601 text or epoch milliseconds.
  static func calendarMoment(_ value: JSONValue) -> CalendarMoment? {
    if let text = value.string, let day = CivilDate(text) { return .day(day) }
    return timestamp(value).map { .instant($0) }
  }
}

extension Duration {
  /// The stored form: a number of seconds, or the text of an interval if there is a fraction of a second.
  var field: JSONValue {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return rest == 0 ? .integer(seconds) : .string(IntervalText.text(microseconds: microseconds))
  }
}

extension CalendarMoment {
  /// The stored form: `YYYY-MM-DD` or RFC 3339 text.
  var field: JSONValue {
    switch self {
    case .day(let date): .string(date.description)
    case .instant(let time): .string(time.description)
    }
  }
}
