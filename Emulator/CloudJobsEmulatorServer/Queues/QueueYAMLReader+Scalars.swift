import CloudJobsCore

extension QueueYAMLReader {
  private static let secondsPerUnit: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

  func text(_ entry: YAMLBlock.Entry) throws(JobError) -> String {
    guard case .scalar(let text) = entry.value, !text.isEmpty else {
      throw YAMLLine.refusal(entry.line, "`\(entry.key)` needs a value on its line.")
    }
    return text
  }

  func integer(_ entry: YAMLBlock.Entry, from least: Int64) throws(JobError) -> Int64 {
    let text = try text(entry)
    guard let number = Int32(text), number >= least, number < Int32.max else {
      throw YAMLLine.refusal(entry.line, "`\(entry.key)` needs a whole number from \(least); this is not: \(text)")
    }
    return Int64(number)
  }

  /// A rate such as `5/s`, `0.5/m` or `100/h`, as dispatches a second.
  func rate(_ entry: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    let text = try text(entry)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count == 1, let unit = parts[1].first.flatMap({ Self.secondsPerUnit[$0] }),
      let count = Self.millionths(parts[0])
    else { throw YAMLLine.refusal(entry.line, "A rate is a number a second, minute, hour or day: `5/s`, not \(text)") }
    let millionths = (count + unit / 2) / unit
    guard millionths > 0 else {
      throw YAMLLine.refusal(
        entry.line, "So low a rate is no rate. Leave it out, and pause the queue with a request if it is to rest.")
    }
    return millionths % 1_000_000 == 0
      ? .integer(millionths / 1_000_000) : .double(Double(millionths) / 1_000_000)
  }

  /// An age such as `2d` or `4h`, as a duration of the wire.
  func age(_ entry: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    let text = try text(entry)
    guard let unit = text.last.flatMap({ Self.secondsPerUnit[$0] }), let count = Self.millionths(text.dropLast()) else {
      throw YAMLLine.refusal(entry.line, "An age is a number of s, m, h or d: `2d`, `4h`, `30m` or `10s`, not \(text)")
    }
    return Self.duration(count * unit)
  }

  /// A number of seconds, such as `10` or `0.5`, as a duration of the wire.
  func seconds(_ entry: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    let text = try text(entry)
    guard let count = Self.millionths(text[...]) else {
      throw YAMLLine.refusal(entry.line, "`\(entry.key)` needs seconds, such as 10 or 0.5; this is not: \(text)")
    }
    return Self.duration(count)
  }

  private static func duration(_ microseconds: Int64) -> JSONValue {
    let fraction = "\(1_000_000 + microseconds % 1_000_000)".dropFirst()
    return .string("\(microseconds / 1_000_000)\(fraction == "000000" ? "" : ".\(fraction)")s")
  }

  /// A decimal number of at most eight digits and six places, in millionths.
  private static func millionths(_ text: Substring) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let places = parts.count == 2 ? parts[1] : ""
    guard let whole = parts.first, !whole.isEmpty, whole.count <= 8, places.count <= 6,
      (whole + places).allSatisfy({ "0123456789".contains($0) }), parts.count == 1 || !places.isEmpty
    else { return nil }
    return Int64(whole + places + String(repeating: "0", count: 6 - places.count))
  }
}
