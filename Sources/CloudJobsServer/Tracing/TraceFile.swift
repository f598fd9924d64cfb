#if Server
public import CloudJobs
public import CloudJobsCore
public import Logging
import Synchronization
public import Tracing

/// A tracer that appends spans to a file, as lines of OTLP in JSON: traces without a backend, for development.
///
/// The setting `server.traceFile` switches it on. OpenTelemetry's Collector reads the file with the receiver
/// `otlpjsonfile`. Every span is recorded, whether or not the caller samples its trace. The file grows without bound.
///
/// Source: <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>.
public final class TraceFile: Tracer {
  /// The maximum number of spans that wait to be written; those beyond are dropped.
  static let bufferLimit = 4_096
  /// The number of spans from which on they are written immediately.
  static let batch = 64
  /// The time after which spans are written at the latest.
  static let interval = Duration.seconds(1)

  private struct State {
    var spans: [JSONValue] = []
    var droppedCount = 0
    var descriptor: Int32
    var hasFailed = false
  }

  private let state: Mutex<State>
  private let service: String
  private let random: RandomSource
  private let logger: Logger

  /// Opens a file, which is created for its owner alone if it does not exist.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - service: the name of the service in the traces.
  ///   - logger: the logger of failures.
  ///   - random: the source of ids.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` if the file can't be opened.
  public init(
    path: String, service: String = "cloud-jobs", logger: Logger = Logger(label: "cloud-jobs"),
    random: RandomSource = .system
  ) throws(JobError) {
    guard let descriptor = DescriptorBytes.append(toFile: path) else {
      throw JobError(
        .invalidField, "The trace file can't be opened: \(path). Give a path in a folder that exists and is writable.",
        field: "server.traceFile")
    }
    state = Mutex(State(descriptor: descriptor))
    self.service = service
    self.random = random
    self.logger = logger
  }

  deinit {
    forceFlush()
    state.withLock { DescriptorBytes.end($0.descriptor) }
  }

  /// Begins a span.
  public func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> TraceFileSpan {
    var context = context()
    let parent = context.trace
    let trace = TraceContext(
      traceID: parent?.traceID ?? hex(words: 2), parentID: hex(words: 1), flags: (parent?.flags ?? 0) | 1)
    context.trace = trace
    let record = SpanRecord(
      name: operationName, kind: kind, trace: trace, parentID: parent?.parentID,
      start: instant().nanosecondsSinceEpoch)
    return TraceFileSpan(record, context: context) { [weak self] in self?.add($0) }
  }

  /// Reads the position of a caller from the header `traceparent`.
  public func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    let text = extractor.extract(key: "traceparent", from: carrier)
    if let trace = text.flatMap({ TraceContext(traceparent: $0) }) { context.trace = trace }
  }

  /// Writes the position of the current span into the header `traceparent`.
  public func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    if let trace = context.trace { injector.inject(trace.description, forKey: "traceparent", into: &carrier) }
  }

  /// Writes the spans that wait.
  public func forceFlush() {
    let failed = state.withLock { state -> Bool in
      guard !state.spans.isEmpty else { return false }
      let bytes = Self.line(state.spans, service: service, dropped: state.droppedCount).encoded
      (state.spans, state.droppedCount) = ([], 0)
      let isWritten = DescriptorBytes.write(bytes + [UInt8(ascii: "\n")], to: state.descriptor)
      defer { state.hasFailed = !isWritten }
      return !isWritten && !state.hasFailed
    }
    if failed { logger.warning("The trace file can't be written. Spans are lost until it can be again.") }
  }

  /// Writes spans at intervals while an operation runs, and at its end.
  func flushing<Result: Sendable>(
    by clock: any JobClock, during operation: () async throws -> Result
  ) async throws -> Result {
    defer { forceFlush() }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          try? await clock.sleep(until: clock.now() + Self.interval)
          self.forceFlush()
        }
      }
      defer { group.cancelAll() }
      return try await operation()
    }
  }

  private func add(_ record: SpanRecord) {
    let count = state.withLock { state in
      if state.spans.count < Self.bufferLimit { state.spans.append(record.json) } else { state.droppedCount += 1 }
      return state.spans.count
    }
    if count >= Self.batch { forceFlush() }
  }

  private func hex(words: Int) -> String {
    let numbers = random.draw { generator in (0..<words).map { _ in generator.next() as UInt64 } }
    return numbers.map { word in
      // An id must not be zero.
      let digits = String(max(1, word), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// Returns the message `TracesData` of spans.
  static func line(_ spans: [JSONValue], service: String, dropped: Int) -> JSONValue {
    var attributes: [JSONValue] = [["key": "service.name", "value": ["stringValue": .string(service)]]]
    if dropped > 0 {
      attributes.append(["key": "cloud_jobs.dropped_spans", "value": ["intValue": .string("\(dropped)")]])
    }
    return [
      "resourceSpans": [
        [
          "resource": ["attributes": .array(attributes)],
          "scopeSpans": [["scope": ["name": "swift-cloud-jobs"], "spans": .array(spans)]],
        ]
      ]
    ]
  }
}
#endif
