import CloudJobsCore
import CloudJobsEmulator

/// Turns the blocks of a `queue.yaml` into Cloud Tasks v2 `Queue` objects.
///
/// Source: <https://cloud.google.com/appengine/docs/legacy/standard/python/config/queueref>.
struct QueueYAMLReader {
  /// Where queues go whose names don't say it.
  let location: String
  /// What was read but has no effect.
  private(set) var notes: [String] = []
  private var names: Set<String> = []

  init(location: String) {
    self.location = location
  }

  /// The queues of a file.
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
      throw YAMLLine.refusal(named.line, "\(name) stands in the file twice. Remove one.")
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
      // The limit counts retries, Cloud Tasks counts the first attempt too.
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
    notes.append("Line \(entry.line): `\(entry.key)` has no effect in Cloud Tasks; it was read past.")
  }

  private func unknown(_ entry: YAMLBlock.Entry, _ known: String) -> JobError {
    YAMLLine.refusal(entry.line, "`\(entry.key)` is not known here. Remove it; these are known: \(known).")
  }
}
