import CloudJobsCore
import Logging
import Synchronization

/// The limits of a process's memory, beyond which a runtime takes no more work.
public struct MemoryLimits: Hashable, Sendable {
  /// The memory that is available, in bytes.
  ///
  /// If nil, that is the variable `CLOUD_JOBS_MEMORY_LIMIT`, such as `512Mi`, or else the limit of the process's
  /// control group.
  public var bytes: Int64?
  /// The use, in percent, from which on the log and the health report warn.
  public var warnAt = 75
  /// The use, in percent, from which on new deliveries are refused, and due jobs wait.
  public var refuseAt = 85
  /// The use, in percent, from which on the instance drains, and its server ends.
  public var drainAt = 92

  /// Creates the default limits.
  public init() {}

  /// Decides whether more work is admitted.
  ///
  /// - Parameters:
  ///   - used: the memory in use, in bytes.
  ///   - available: the memory that is available, in bytes; nil or zero if it has no limit.
  /// - Returns: the verdict.
  public func verdict(used: Int64, available: Int64?) -> MemoryVerdict {
    guard let use = Self.percentage(used, of: available) else { return .admit }
    if use >= drainAt { return .drain }
    return use >= refuseAt ? .refuse : .admit
  }

  /// Returns whether the use of memory deserves a warning.
  ///
  /// - Parameters:
  ///   - used: the memory in use, in bytes.
  ///   - available: the memory that is available, in bytes; nil or zero if it has no limit.
  /// - Returns: whether the use is at ``warnAt`` or above.
  public func warns(used: Int64, available: Int64?) -> Bool {
    Self.percentage(used, of: available).map { $0 >= warnAt } ?? false
  }

  private static func percentage(_ used: Int64, of available: Int64?) -> Int64? {
    guard let available, available > 0, used > 0 else { return nil }
    let (percent, overflow) = used.multipliedReportingOverflow(by: 100)
    return overflow ? used / max(1, available / 100) : percent / available
  }
}

/// The consequence of a process's use of memory.
public enum MemoryVerdict: Hashable, Sendable {
  /// More work is admitted.
  case admit
  /// New deliveries are refused, and due jobs wait, until memory is free again.
  case refuse
  /// The instance drains: what is under way ends, and the process should be replaced.
  case drain
}

/// The amount of memory in use, and the amount available.
package struct MemoryReading: Hashable, Sendable {
  /// The memory in use, in bytes.
  package var used: Int64
  /// The memory that is available, in bytes; nil if it has no limit.
  package var available: Int64?

  /// Creates a reading.
  package init(used: Int64, available: Int64?) {
    self.used = used
    self.available = available
  }

  /// The reading in words.
  var text: String {
    let mebibyte: Int64 = 1 << 20
    return "\(used / mebibyte) MiB" + (available.map { " of \($0 / mebibyte) MiB of memory" } ?? "")
  }

  /// The reading as metadata of a log line.
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["usedMiB": "\(used >> 20)"]
    if let available { metadata["availableMiB"] = "\(available >> 20)" }
    return metadata
  }

  /// Parses an amount: bytes, or a number with one of the units of Kubernetes, such as `512Mi` or `2G`.
  package static func bytes(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits) else { return nil }
    let units: [String: Int64] = [
      "": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30,
    ]
    guard let unit = units[String(text[digits.endIndex...])] else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }

  /// Returns the limit in a file of a control group; nil for none: `max`, or the number that version 1 uses for it.
  static func limit(_ text: String) -> Int64? {
    guard let bytes = Int64(text.filter { !$0.isWhitespace }), bytes < 1 << 60 else { return nil }
    return bytes
  }

  /// Returns the working set of a control group: its memory without the file pages that the kernel can drop at once.
  ///
  /// - Parameters:
  ///   - current: the file of the memory in use.
  ///   - statistics: the file `memory.stat`.
  /// - Returns: the working set, in bytes; nil if the files can't be parsed.
  static func workingSet(current: String, statistics: String) -> Int64? {
    guard let current = Int64(current.filter { !$0.isWhitespace }) else { return nil }
    var values: [Substring: Int64] = [:]
    for line in statistics.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2 { values[words[0]] = Int64(words[1]) }
    }
    return max(0, current - (values["total_inactive_file"] ?? values["inactive_file"] ?? 0))
  }

  /// Returns the paths of the control group and its parents, the group's own first, from `/proc/self/cgroup`.
  static func groups(_ text: String) -> [String] {
    let line = text.split(separator: "\n").first { $0.hasPrefix("0::") }
    var path = line.map { String($0.dropFirst(3)) } ?? "/"
    var paths = [String]()
    while path.hasPrefix("/"), path.count > 1 {
      paths.append(path)
      path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
    return paths + [""]
  }

  /// Returns the resident memory in `/proc/self/statm`.
  static func residentBytes(_ text: String, pageSize: Int) -> Int64? {
    let words = text.split(separator: " ")
    return words.count > 1 ? Int64(words[1]).map { $0 * Int64(pageSize) } : nil
  }
}

/// The admission of work by memory: the shell around ``MemoryLimits/verdict(used:available:)``.
final class MemoryGuard: Sendable {
  private struct State {
    var checkedAt: Timestamp?
    var verdict = MemoryVerdict.admit
    /// The reading of a use that deserves a warning, and the time since when.
    var warning: (since: Timestamp, reading: MemoryReading)?
  }

  /// A change that the log tells.
  private enum News {
    case warning(MemoryReading)
    case relief(MemoryReading)
  }

  /// The time for which a reading counts.
  private static let interval = Duration.milliseconds(100)

  /// Opens when the instance must drain for lack of memory.
  let exhausted = Latch()
  private let limits: MemoryLimits?
  private let clock: any JobClock
  private let logger: Logger
  private let read: @Sendable (MemoryLimits) -> MemoryReading?
  private let state = Mutex(State())

  init(_ options: RuntimeOptions, read: @escaping @Sendable (MemoryLimits) -> MemoryReading?) {
    limits = options.memory
    clock = options.clock
    logger = options.logger
    self.read = read
  }

  /// Returns whether more work is admitted; once the instance must drain, that is final.
  func verdict() -> MemoryVerdict {
    guard let limits else { return .admit }
    let now = clock.now()
    let (verdict, news) = state.withLock { state -> (MemoryVerdict, News?) in
      if state.verdict == .drain { return (state.verdict, nil) }
      if let checkedAt = state.checkedAt, checkedAt <= now, now < checkedAt + Self.interval {
        return (state.verdict, nil)
      }
      state.checkedAt = now
      let reading = read(limits)
      state.verdict = reading.map { limits.verdict(used: $0.used, available: $0.available) } ?? .admit
      return (state.verdict, note(reading, in: &state, at: now))
    }
    switch news {
    case .warning(let reading):
      logger.warning("The memory is nearly used up.", metadata: reading.metadata)
    case .relief(let reading):
      logger.notice("There is enough memory again.", metadata: reading.metadata)
    case nil: break
    }
    if verdict == .drain { exhausted.open() }
    return verdict
  }

  /// Notes whether a reading deserves a warning, which is told once until there is enough memory again.
  private func note(_ reading: MemoryReading?, in state: inout State, at now: Timestamp) -> News? {
    let isWarned = state.warning != nil
    guard let limits, let reading, limits.warns(used: reading.used, available: reading.available) else {
      state.warning = nil
      return isWarned ? reading.map { .relief($0) } : nil
    }
    state.warning = (state.warning?.since ?? now, reading)
    return isWarned ? nil : .warning(reading)
  }

  /// The problem of a use of memory that deserves a warning, after a look at it.
  func problem() -> JobHealth.Problem? {
    _ = verdict()
    guard let limits, let (since, reading) = state.withLock({ $0.warning }) else { return nil }
    return JobHealth.Problem(
      code: .memoryLow,
      message: "\(reading.text) are in use. From \(limits.refuseAt) % on, new work is refused, and from "
        + "\(limits.drainAt) % on the instance ends. Give it more memory, or let it do less at once.", since: since)
  }
}
