/// Lines of a run's log that were stored together.
public struct RunLogEntry: Hashable, Sendable {
  /// The run.
  public var run: RunID
  /// The position in the run's log, by attempt and then by time.
  public var sequence: Int64
  /// The lines, oldest first.
  public var lines: [RunLogLine]
  /// The time after which the entry may be deleted.
  public var expireAt: Timestamp

  /// Creates an entry.
  public init(run: RunID, sequence: Int64, lines: [RunLogLine], expireAt: Timestamp) {
    self.run = run
    self.sequence = sequence
    self.lines = lines
    self.expireAt = expireAt
  }

  /// Returns the position of an attempt's nth entry.
  package static func sequence(attempt: Int, number: Int) -> Int64 {
    Int64(min(attempt, 1 << 40)) << 20 | Int64(min(number, 1 << 20 - 1))
  }
}

/// A line of a run's log.
public struct RunLogLine: Hashable, Sendable {
  /// The time, by the clock of the instance.
  public var time: Timestamp
  /// The level: `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
  public var level: String
  /// The message.
  public var message: String
  /// The metadata that the line carries beside the run's own.
  public var metadata: [String: String]

  /// The maximum length of a stored message or value, in Unicode scalars.
  public static let maximumText = 4_000

  /// The maximum size of the metadata of a line, in bytes of its keys and values.
  public static let maximumMetadata = 32_000

  /// Creates a line; longer texts are truncated, and metadata beyond ``maximumMetadata`` is left out, the last keys
  /// first, which an entry with the key `…` tells.
  public init(time: Timestamp, level: String, message: String, metadata: [String: String] = [:]) {
    self.time = time
    self.level = level
    self.message = message.cut(to: Self.maximumText)
    self.metadata = Self.bounded(metadata)
  }

  private static func bounded(_ metadata: [String: String]) -> [String: String] {
    let metadata = metadata.mapValues { $0.cut(to: maximumText) }
    var size = metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    if size <= maximumMetadata { return metadata }
    var kept: [String: String] = [:]
    size = 0
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      size += key.utf8.count + value.utf8.count
      if size > maximumMetadata { break }
      kept[key] = value
    }
    kept["…"] = "\(metadata.count - kept.count) more"
    return kept
  }

  /// The size of the line's texts, in bytes.
  package var size: Int {
    message.utf8.count + metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } + 100
  }
}

extension RunLogEntry {
  /// Creates an entry from its stored form.
  ///
  /// - Parameter fields: an object.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first invalid field.
  package init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    let values = try reader.required("lines", reader.read("lines", "a list") { $0.array })
    var lines: [RunLogLine] = []
    for value in values { lines.append(try RunLogLine(fields: value)) }
    self.init(
      run: try reader.required("run", reader.runID("run")),
      sequence: try reader.required("sequence", reader.long("sequence")), lines: lines,
      expireAt: try reader.required("expireAt", reader.timestamp("expireAt")))
  }

  /// The stored form: an object.
  package var fields: JSONValue {
    [
      "run": .string(run.rawValue), "sequence": .integer(sequence), "lines": .array(lines.map(\.fields)),
      "expireAt": .string(expireAt.description),
    ]
  }
}

extension RunLogLine {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "lines.", field: "lines")
    self.init(
      time: try reader.required("time", reader.timestamp("time")),
      level: try reader.required("level", reader.string("level")),
      message: try reader.required("message", reader.string("message")),
      metadata: (try reader.read("metadata", "an object") { $0.object } ?? [:]).compactMapValues(\.string))
  }

  /// The line as an object.
  package var fields: JSONValue {
    var members: [String: JSONValue] = [
      "time": .string(time.description), "level": .string(level), "message": .string(message),
    ]
    if !metadata.isEmpty { members["metadata"] = .object(metadata.mapValues { .string($0) }) }
    return .object(members)
  }
}
