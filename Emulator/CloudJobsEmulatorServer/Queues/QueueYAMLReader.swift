import CloudJobsCore
import CloudJobsEmulator

/// A reader that converts a `queue.yaml` into Cloud Tasks v2 `Queue` objects.
///
/// Source: <https://cloud.google.com/appengine/docs/legacy/standard/python/config/queueref>.
struct QueueYAMLReader {
  /// The location of queues whose names do not include one.
  let location: String
  /// Messages about entries that have no effect.
  private(set) var notes: [String] = []
  private var names: Set<String> = []

  init(location: String) {
    self.location = location
  }

  /// Returns the queues of a file.
  ///
  /// - Throws: ``JobError`` `invalidField` with the line and the remedy.
  mutating func read(_ file: YAMLBlock) throws(JobError) -> [JSONValue] {
    guard case .mapping(let entries) = file, entries.contains(where: { $0.key == "queue" }) else {
      throw YAMLLine.refusal(1, "The file has no queues. Begin with `queue:` and a list: `- name: mail`.")
    }
    var queues: [JSONValue] = []
    for entry in entries {
      switch (entry.key, entry.value) {
      case ("queue", .list(let items)):
        for item in items { queues.append(try queue(item)) }
      case ("queue", .empty): break
      case ("queue", _): throw YAMLLine.refusal(entry.line, "`queue` needs a list: `- name: mail`.")
      case ("total_storage_limit", .scalar): note(entry)
      default: throw unknown(entry, "queue")
      }
    }
    return queues
  }

  private mutating func queue(_ item: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    guard case .mapping(let entries) = item.value, let named = entries.first(where: { $0.key == "name" }) else {
      throw YAMLLine.refusal(item.line, "The queue has no name. Write `- name: mail`.")
    }
    let place = "Line \(named.line)"
    let name = try QueuesFile.fullName(try text(named), in: location, place: place)
    guard names.insert(name).inserted else {
      throw YAMLLine.refusal(named.line, "\(name) is defined twice in the file. Remove one definition.")
    }
    var queue: [String: JSONValue] = ["name": .string(name)]
    var limits: [String: JSONValue] = [:]
    for entry in entries {
      switch entry.key {
      case "name": break
      case "rate": limits["maxDispatchesPerSecond"] = try rate(entry)
      case "max_concurrent_requests": limits["maxConcurrentDispatches"] = .integer(try integer(entry, from: 1))
      case "bucket_size":
        _ = try integer(entry, from: 1)
        note(entry)
      case "target":
        _ = try text(entry)
        note(entry)
      case "mode":
        guard try text(entry) == "push" else {
          throw YAMLLine.refusal(
            entry.line, "Cloud Tasks has push queues only. Remove the queue, or write `mode: push`.")
        }
      case "retry_parameters": queue["retryConfig"] = try retryConfig(entry)
      default: throw unknown(entry, "name, rate, bucket_size, max_concurrent_requests, retry_parameters, target, mode")
      }
    }
    if !limits.isEmpty { queue["rateLimits"] = .object(limits) }
    return .object(queue)
  }

  private func retryConfig(_ parameters: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    guard case .mapping(let entries) = parameters.value else {
      throw YAMLLine.refusal(parameters.line, "`retry_parameters` needs indented entries: `task_retry_limit: 7`.")
    }
    var config: [String: JSONValue] = [:]
    for entry in entries {
      switch entry.key {
      // `task_retry_limit` counts retries; Cloud Tasks also counts the first attempt.
      case "task_retry_limit": config["maxAttempts"] = .integer(try integer(entry, from: 0) + 1)
      case "task_age_limit": config["maxRetryDuration"] = try age(entry)
      case "min_backoff_seconds": config["minBackoff"] = try seconds(entry)
      case "max_backoff_seconds": config["maxBackoff"] = try seconds(entry)
      case "max_doublings": config["maxDoublings"] = .integer(try integer(entry, from: 0))
      default:
        throw unknown(
          entry, "task_retry_limit, task_age_limit, min_backoff_seconds, max_backoff_seconds, max_doublings")
      }
    }
    return .object(config)
  }

  private mutating func note(_ entry: YAMLBlock.Entry) {
    notes.append("Line \(entry.line): `\(entry.key)` has no effect in Cloud Tasks and was ignored.")
  }

  private func unknown(_ entry: YAMLBlock.Entry, _ known: String) -> JobError {
    YAMLLine.refusal(entry.line, "`\(entry.key)` is unknown. Remove it; supported: \(known).")
  }

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
      throw YAMLLine.refusal(entry.line, "`\(entry.key)` needs a whole number from \(least), not: \(text)")
    }
    return Int64(number)
  }

  /// Parses a rate such as `5/s`, `0.5/m` or `100/h` into deliveries per second.
  func rate(_ entry: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    let text = try text(entry)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count == 1, let unit = parts[1].first.flatMap({ Self.secondsPerUnit[$0] }),
      let count = Self.millionths(parts[0])
    else { throw YAMLLine.refusal(entry.line, "A rate is a number per s, m, h or d, such as `5/s`, not: \(text)") }
    let millionths = (count + unit / 2) / unit
    guard millionths > 0 else {
      throw YAMLLine.refusal(
        entry.line, "The rate is below the minimum. Remove it, and pause the queue with a request instead.")
    }
    return millionths % 1_000_000 == 0
      ? .integer(millionths / 1_000_000) : .double(Double(millionths) / 1_000_000)
  }

  /// Parses an age such as `2d` or `4h` into a duration in wire format.
  func age(_ entry: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    let text = try text(entry)
    guard let unit = text.last.flatMap({ Self.secondsPerUnit[$0] }), let count = Self.millionths(text.dropLast()) else {
      throw YAMLLine.refusal(entry.line, "An age is a number of s, m, h or d, such as `2d` or `30m`, not: \(text)")
    }
    return Self.duration(count * unit)
  }

  /// Parses a number of seconds such as `10` or `0.5` into a duration in wire format.
  func seconds(_ entry: YAMLBlock.Entry) throws(JobError) -> JSONValue {
    let text = try text(entry)
    guard let count = Self.millionths(text[...]) else {
      throw YAMLLine.refusal(entry.line, "`\(entry.key)` needs seconds, such as 10 or 0.5, not: \(text)")
    }
    return Self.duration(count)
  }

  private static func duration(_ microseconds: Int64) -> JSONValue {
    let fraction = "\(1_000_000 + microseconds % 1_000_000)".dropFirst()
    return .string("\(microseconds / 1_000_000)\(fraction == "000000" ? "" : ".\(fraction)")s")
  }

  /// Parses a decimal number of at most eight digits and six decimals into millionths.
  private static func millionths(_ text: Substring) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let places = parts.count == 2 ? parts[1] : ""
    guard let whole = parts.first, !whole.isEmpty, whole.count <= 8, places.count <= 6,
      (whole + places).allSatisfy({ "0123456789".contains($0) }), parts.count == 1 || !places.isEmpty
    else { return nil }
    return Int64(whole + places + String(repeating: "0", count: 6 - places.count))
  }
}
