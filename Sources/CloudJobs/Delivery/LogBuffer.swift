import CloudJobsCore

/// Lines of a run's log that wait to be written: pure.
///
/// An entry is a document, which a store may limit to 1 MiB, and is part of the commit that ends an attempt: its size
/// is bounded, so that no log keeps an attempt from ending.
struct LogBuffer: Sendable {
  /// The maximum number of lines of one attempt.
  static let attemptLimit = 10_000
  /// The maximum number of lines of one entry, and of those that wait.
  static let (entryLimit, waitingLimit) = (200, 1_000)
  /// The size of an entry that is exceeded by its last line at most, and the maximum size of the lines that wait, in
  /// bytes as ``RunLogLine/size`` counts them.
  static let (entrySize, waitingSize) = (400_000, 2_000_000)
  /// The number of the first entry of a subprocess, behind those of the process that started it.
  static let subprocessEntry = 1_000

  private let run: RunID
  private let attempt: Int
  private let expireAt: Timestamp
  private var lines: [RunLogLine] = []
  private var size = 0
  private var entries: Int
  private var total = 0
  /// The number of lines that were dropped since the last entry.
  private var dropped = 0

  init(run: RunID, attempt: Int, expireAt: Timestamp, firstEntry: Int = 0) {
    self.run = run
    self.attempt = attempt
    self.expireAt = expireAt
    entries = firstEntry
  }

  /// Whether lines wait.
  var hasLines: Bool { !lines.isEmpty }

  /// Adds a line; one beyond the limit of an attempt is replaced by a note of that, and later ones are dropped.
  mutating func add(_ line: RunLogLine) {
    total += 1
    if total < Self.attemptLimit { append([line]) }
    if total == Self.attemptLimit {
      append([Self.note("Further lines of this attempt were not stored.", at: line.time)])
    }
  }

  /// Takes the next entry to write; nil if no line waits.
  mutating func entry() -> RunLogEntry? {
    guard let first = lines.first else { return nil }
    if dropped > 0 {
      let text = "\(dropped) line\(dropped == 1 ? "" : "s") before this one came too fast, and were not stored."
      lines.insert(Self.note(text, at: first.time), at: 0)
      dropped = 0
    }
    var (count, taken) = (0, 0)
    while count < min(lines.count, Self.entryLimit), taken < Self.entrySize {
      taken += lines[count].size
      count += 1
    }
    let part = Array(lines.prefix(count))
    lines.removeFirst(count)
    size = lines.reduce(0) { $0 + $1.size }
    entries += 1
    return RunLogEntry(
      run: run, sequence: RunLogEntry.sequence(attempt: attempt, number: entries), lines: part, expireAt: expireAt)
  }

  /// Takes all lines, as entries to write.
  mutating func allEntries() -> [RunLogEntry] {
    var all: [RunLogEntry] = []
    while let next = entry() { all.append(next) }
    return all
  }

  /// Puts the lines of an entry back that was not written.
  mutating func restore(_ entry: RunLogEntry) {
    let later = lines
    (lines, size) = ([], 0)
    append(entry.lines + later)
  }

  /// Adds lines, which are kept in memory until the next write; where they come faster, the oldest ones are dropped.
  private mutating func append(_ new: [RunLogLine]) {
    lines += new
    size += new.reduce(0) { $0 + $1.size }
    guard lines.count > Self.waitingLimit || size > Self.waitingSize else { return }
    // Some more than needed, so that not each line that follows drops one.
    let (most, largest) = (Self.waitingLimit - Self.entryLimit, Self.waitingSize - Self.entrySize)
    var count = 0
    while lines.count - count > most || size > largest {
      size -= lines[count].size
      count += 1
    }
    lines.removeFirst(count)
    dropped += count
  }

  private static func note(_ text: String, at time: Timestamp) -> RunLogLine {
    RunLogLine(time: time, level: "warning", message: text)
  }
}
