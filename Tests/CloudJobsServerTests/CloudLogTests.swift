#if Server
import CloudJobs
import CloudJobsCore
import Logging
import Synchronization
import Testing
import Tracing

@testable import CloudJobsServer

@Suite("Logs for Cloud Logging")
struct CloudLogTests {
  private func parse(_ record: CloudLogRecord) throws -> JSONValue {
    #expect(!record.line.contains(UInt8(ascii: "\n")))
    return try JSONValue(parsing: record.line, limits: JSONLimits(bytes: .max, depth: 64))
  }

  private func record(_ message: String = "hello", _ metadata: Logger.Metadata = [:]) -> CloudLogRecord {
    CloudLogRecord(
      time: .epoch + .milliseconds(1_500), level: .notice, label: "test", message: message, metadata: metadata)
  }

  @Test("A record has the special fields, and its metadata beside them")
  func fields() throws {
    var record = record("two\nlines", ["jobId": "mail", "attempt": .stringConvertible(3), "list": ["a", ["b": "c"]]])
    record.source = ("Module/File.swift", 7, "run()")
    record.trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    record.project = "shop"
    record.labels = RunLabels(job: "other", run: RunID(job: "other", occurrence: .key("a")))
    record.error = "boom"
    #expect(
      try parse(record) == [
        "severity": "NOTICE", "message": "two\nlines", "time": "1970-01-01T00:00:01.500Z", "logger": "test",
        "error": "boom", "jobId": "mail", "attempt": 3, "list": ["a", ["b": "c"]],
        "logging.googleapis.com/sourceLocation": ["file": "Module/File.swift", "line": "7", "function": "run()"],
        "logging.googleapis.com/trace": "projects/shop/traces/0af7651916cd43dd8448eb211c80319c",
        "logging.googleapis.com/spanId": "b7ad6b7169203331", "logging.googleapis.com/trace_sampled": true,
        "logging.googleapis.com/labels": [
          "job": "mail", "run": .string(RunID(job: "other", occurrence: .key("a")).rawValue),
        ],
      ])
    record.project = nil
    #expect(try parse(record)["logging.googleapis.com/trace"] == "0af7651916cd43dd8448eb211c80319c")
  }

  @Test(
    "Levels are severities",
    arguments: zip(Logger.Level.allCases, ["DEBUG", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"]))
  func severities(level: Logger.Level, severity: String) throws {
    var record = record()
    record.level = level
    #expect(try parse(record)["severity"] == .string(severity))
  }

  @Test("Metadata with the name of a special field does not replace it")
  func names() throws {
    let json = try parse(record("hello", ["message": "forged", "logging.googleapis.com/trace": "forged"]))
    #expect(json["message"] == "hello" && json["metadata.message"] == "forged")
    #expect(json["logging.googleapis.com/trace"] == nil)
  }

  @Test("A line is bounded, whatever is logged")
  func bounds() throws {
    let long = String(repeating: "é", count: 100_000)
    let deep = (0..<50).reduce(Logger.MetadataValue.string("end")) { value, _ in .array([value]) }
    let many = Logger.Metadata(uniqueKeysWithValues: (0..<5_000).map { ("key\($0)", .string("value")) })
    #expect(try parse(record(long))["message"]?.string?.count == CloudLogRecord.maximumMessage + 1)
    let json = try parse(record("hello", ["long": .string(long), "deep": deep]))
    #expect(json["long"]?.string?.count == CloudLogRecord.maximumText + 1)
    #expect(record("hello", many).line.count < 10_000)
    #expect(record("hello", ["list": .array(Array(repeating: "x", count: 10_000))]).line.count < 10_000)
  }

  @Test("A handler writes one line a record, with the trace and the run that are in process")
  func handler() throws {
    let collected = Lines()
    var logger = Logger(label: "mail") { label in
      CloudLogHandler(label: label, project: "shop", clock: .system) { collected.add($0) }
    }
    logger[metadataKey: "a"] = "1"
    logger.logLevel = .info
    logger.debug("unheard")
    var context = ServiceContext.topLevel
    context.trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
    ServiceContext.$current.withValue(context) { logger.error("heard", metadata: ["b": "2"]) }
    let found = collected.all
    #expect(found.count == 1)
    let json = try JSONValue(parsing: found[0], limits: .service)
    #expect(json["severity"] == "ERROR" && json["a"] == "1" && json["b"] == "2" && json["logger"] == "mail")
    #expect(json["logging.googleapis.com/trace_sampled"] == false)
    #expect(json["logging.googleapis.com/sourceLocation"]?["function"] == "handler()")
  }

  private final class Lines: Sendable {
    private let lines = Mutex<[[UInt8]]>([])
    var all: [[UInt8]] { lines.withLock { $0 } }
    func add(_ line: [UInt8]) { lines.withLock { $0.append(line) } }
  }

  @Test(
    "The format is JSON on Cloud Run, unless it is chosen",
    arguments: [
      (LogFormat.auto, ["K_SERVICE": "mail"], true), (.auto, [:], false), (.auto, ["K_SERVICE": ""], false),
      (.json, [:], true), (.text, ["K_SERVICE": "mail"], false),
    ] as [(LogFormat, [String: String], Bool)])
  func format(format: LogFormat, environment: [String: String], isJSON: Bool) {
    #expect(format.isJSON(in: environment) == isJSON)
  }

  @Test("A logger of the program's own keeps its form")
  func ownLogger() {
    let own = Logger(label: "own") { _ in SwiftLogNoOpLogHandler() }
    let maker = ProgramLogger.HandlerMaker { CloudLogHandler(label: $0) }
    #expect(ProgramLogger.choose(own, maker).handler is SwiftLogNoOpLogHandler)
    var standard = Logger(label: "standard") { StreamLogHandler.standardError(label: $0) }
    standard.logLevel = .error
    let chosen = ProgramLogger.choose(standard, maker)
    #expect(chosen.handler is CloudLogHandler && chosen.logLevel == .error)
    #expect(ProgramLogger.choose(standard, nil).handler is StreamLogHandler)
  }
}
#endif
