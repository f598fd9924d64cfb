#if Server
import CloudJobs
import CloudJobsCore
import Logging

/// A record of a log as a line of JSON with the special fields of Cloud Logging: pure.
///
/// Source: <https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields>.
struct CloudLogRecord {
  /// The maximum length of a message or of an error, in Unicode scalars.
  static let maximumMessage = 16_000
  /// The maximum length of a text in the metadata, in Unicode scalars.
  static let maximumText = 4_000
  /// The maximum number of values in the metadata of a record, those in lists and dictionaries included.
  static let maximumValues = 100
  /// The maximum depth of lists and dictionaries in the metadata.
  static let maximumDepth = 4

  /// The fields that Cloud Logging takes out of the payload, or that a record has of its own.
  private static let ownNames: Set<String> = [
    "severity", "message", "time", "timestamp", "timestampSeconds", "timestampNanos", "httpRequest", "logger", "error",
    "textPayload",
  ]

  /// The time.
  var time: Timestamp
  /// The level.
  var level: Logger.Level
  /// The label of the logger.
  var label: String
  /// The message.
  var message: String
  /// The error that belongs to the record.
  var error: String?
  /// The metadata.
  var metadata: Logger.Metadata = [:]
  /// The file, the line and the function that logged.
  var source: (file: String, line: UInt, function: String)?
  /// The position in a trace.
  var trace: TraceContext?
  /// The id of the Google Cloud project that has the traces; nil if it is not known.
  var project: String?
  /// The job and the run that are in process, unless the metadata name others.
  var labels: RunLabels?

  /// The line, without its end.
  var line: [UInt8] {
    var members: [String: JSONValue] = [
      "severity": .string(level.severity), "message": .string(message.cut(to: Self.maximumMessage)),
      "time": .string(time.description), "logger": .string(label),
    ]
    var budget = Self.maximumValues
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where budget > 0 {
      let isTaken = Self.ownNames.contains(key) || key.hasPrefix("logging.googleapis.com/")
      members[isTaken ? "metadata.\(key)" : key.cut(to: Self.maximumText)] = Self.json(value, &budget, depth: 0)
    }
    members["error"] = error.map { .string($0.cut(to: Self.maximumMessage)) }
    if let source {
      members["logging.googleapis.com/sourceLocation"] = [
        "file": .string(source.file), "line": .string("\(source.line)"), "function": .string(source.function),
      ]
    }
    if let trace {
      let id = trace.traceID
      members["logging.googleapis.com/trace"] = .string(project.map { "projects/\($0)/traces/\(id)" } ?? id)
      members["logging.googleapis.com/spanId"] = .string(trace.parentID)
      members["logging.googleapis.com/trace_sampled"] = .bool(trace.isSampled)
    }
    let subject = [
      "job": metadata["jobId"].map { "\($0)" } ?? labels?.job.rawValue,
      "run": metadata["runId"].map { "\($0)" } ?? labels?.run.rawValue,
    ].compactMapValues { $0.map { JSONValue.string($0.cut(to: Self.maximumText)) } }
    if !subject.isEmpty { members["logging.googleapis.com/labels"] = .object(subject) }
    return JSONValue.object(members).encoded
  }

  private static func json(_ value: Logger.MetadataValue, _ budget: inout Int, depth: Int) -> JSONValue {
    budget -= 1
    switch value {
    case .string(let text): return .string(text.cut(to: maximumText))
    case .stringConvertible(let value):
      switch value {
      case let flag as Bool: return .bool(flag)
      case let number as Int: return .integer(Int64(number))
      default: return .string("\(value)".cut(to: maximumText))
      }
    case .array(let values):
      guard depth < maximumDepth else { return "…" }
      var list: [JSONValue] = []
      for value in values where budget > 0 { list.append(json(value, &budget, depth: depth + 1)) }
      return .array(list)
    case .dictionary(let values):
      guard depth < maximumDepth else { return "…" }
      var members: [String: JSONValue] = [:]
      for (key, value) in values.sorted(by: { $0.key < $1.key }) where budget > 0 {
        members[key.cut(to: maximumText)] = json(value, &budget, depth: depth + 1)
      }
      return .object(members)
    }
  }
}

extension Logger.Level {
  /// The severity of Cloud Logging.
  var severity: String {
    switch self {
    case .trace, .debug: "DEBUG"
    case .info: "INFO"
    case .notice: "NOTICE"
    case .warning: "WARNING"
    case .error: "ERROR"
    case .critical: "CRITICAL"
    }
  }
}
#endif
