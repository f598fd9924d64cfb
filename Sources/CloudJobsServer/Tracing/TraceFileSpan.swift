#if Server
import CloudJobs
import CloudJobsCore
import Synchronization
public import Tracing

/// What a span of a ``TraceFile`` records.
struct SpanRecord: Sendable {
  /// The maximum number of attributes, events and links, each.
  static let limit = 128
  /// The maximum length of a text, in Unicode scalars.
  static let maximumText = 4_096

  /// The name.
  var name: String
  /// The kind.
  let kind: SpanKind
  /// The position in the trace.
  let trace: TraceContext
  /// The span that this one is part of; nil for the first one of a trace.
  let parentID: String?
  /// The begin, in nanoseconds since 1970.
  let start: UInt64
  /// The end; nil while the span is open.
  var end: UInt64?
  var attributes: SpanAttributes = [:]
  var events: [SpanEvent] = []
  var links: [SpanLink] = []
  var status: SpanStatus?

  init(name: String, kind: SpanKind, trace: TraceContext, parentID: String?, start: UInt64) {
    (self.name, self.kind, self.trace, self.parentID, self.start) = (name, kind, trace, parentID, start)
  }

  /// The span as OTLP in JSON.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "traceId": .string(trace.traceID), "spanId": .string(trace.parentID),
      "name": .string(name.cut(to: Self.maximumText)),
      "kind": .integer(kind.number), "startTimeUnixNano": .string("\(start)"),
      "endTimeUnixNano": .string("\(max(start, end ?? start))"), "flags": .integer(Int64(trace.flags)),
      "attributes": Self.json(attributes),
    ]
    members["parentSpanId"] = parentID.map { .string($0) }
    if !events.isEmpty {
      members["events"] = .array(
        events.map { event in
          [
            "timeUnixNano": .string("\(event.nanosecondsSinceEpoch)"),
            "name": .string(event.name.cut(to: Self.maximumText)),
            "attributes": Self.json(event.attributes),
          ]
        })
    }
    let linked = links.compactMap { link -> JSONValue? in
      guard let trace = link.context.trace else { return nil }
      return [
        "traceId": .string(trace.traceID), "spanId": .string(trace.parentID), "attributes": Self.json(link.attributes),
      ]
    }
    if !linked.isEmpty { members["links"] = .array(linked) }
    if let status {
      var fields: [String: JSONValue] = ["code": status.code == .ok ? 1 : 2]
      fields["message"] = status.message.map { .string($0.cut(to: Self.maximumText)) }
      members["status"] = .object(fields)
    }
    return .object(members)
  }

  private static func json(_ attributes: SpanAttributes) -> JSONValue {
    var values: [(String, JSONValue)] = []
    attributes.forEach { name, value in
      if values.count < limit { values.append((name, json(value))) }
    }
    return .array(values.sorted { $0.0 < $1.0 }.map { ["key": .string($0.cut(to: Self.maximumText)), "value": $1] })
  }

  /// Returns a value as `AnyValue`; 64-bit numbers are texts in JSON.
  private static func json(_ value: SpanAttribute) -> JSONValue {
    func number(_ value: some BinaryInteger) -> JSONValue { ["intValue": .string("\(value)")] }
    func text(_ value: String) -> JSONValue { ["stringValue": .string(value.cut(to: Self.maximumText))] }
    func real(_ value: Double) -> JSONValue {
      // Numbers that JSON does not have are texts in the mapping of Protocol Buffers.
      if value.isNaN { return ["doubleValue": "NaN"] }
      if value.isInfinite { return ["doubleValue": value < 0 ? "-Infinity" : "Infinity"] }
      return ["doubleValue": .double(value)]
    }
    func list(_ values: [JSONValue]) -> JSONValue { ["arrayValue": ["values": .array(Array(values.prefix(limit)))]] }
    switch value {
    case .int32(let value): return number(value)
    case .int64(let value): return number(value)
    case .double(let value): return real(value)
    case .bool(let value): return ["boolValue": .bool(value)]
    case .string(let value): return text(value)
    case .stringConvertible(let value): return text("\(value)")
    case .int32Array(let values): return list(values.map { number($0) })
    case .int64Array(let values): return list(values.map { number($0) })
    case .doubleArray(let values): return list(values.map { real($0) })
    case .boolArray(let values): return list(values.map { ["boolValue": .bool($0)] })
    case .stringArray(let values): return list(values.map { text($0) })
    case .stringConvertibleArray(let values): return list(values.map { text("\($0)") })
    default: return text("")
    }
  }
}

/// A span of a ``TraceFile``.
public final class TraceFileSpan: Span {
  private let record: Mutex<SpanRecord>
  private let onEnd: @Sendable (SpanRecord) -> Void
  /// The context with the span's position in its trace.
  public let context: InstrumentationContext

  init(_ record: SpanRecord, context: InstrumentationContext, onEnd: @escaping @Sendable (SpanRecord) -> Void) {
    self.record = Mutex(record)
    self.context = context
    self.onEnd = onEnd
  }

  /// Changes the record, unless the span has ended.
  private func change(_ change: (inout SpanRecord) -> Void) {
    record.withLock { if $0.end == nil { change(&$0) } }
  }

  /// The name.
  public var operationName: String {
    get { record.withLock { $0.name } }
    set { change { $0.name = newValue } }
  }

  /// The attributes.
  public var attributes: SpanAttributes {
    get { record.withLock { $0.attributes } }
    set { change { $0.attributes = newValue } }
  }

  /// Whether the span is open.
  public var isRecording: Bool { record.withLock { $0.end == nil } }

  /// Sets the status.
  public func setStatus(_ status: SpanStatus) { change { $0.status = status } }

  /// Adds an event.
  public func addEvent(_ event: SpanEvent) {
    change { if $0.events.count < SpanRecord.limit { $0.events.append(event) } }
  }

  /// Adds an error as an event.
  public func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    var attributes = attributes
    attributes["exception.type"] = "\(type(of: error))"
    attributes["exception.message"] = "\(error)"
    addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
  }

  /// Adds a link to another span.
  public func addLink(_ link: SpanLink) {
    change { if $0.links.count < SpanRecord.limit { $0.links.append(link) } }
  }

  /// Ends the span; it is written soon after.
  public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    let time = instant().nanosecondsSinceEpoch
    let ended = record.withLock { record -> SpanRecord? in
      guard record.end == nil else { return nil }
      record.end = time
      return record
    }
    if let ended { onEnd(ended) }
  }
}

extension SpanKind {
  /// The number of the kind in OTLP.
  fileprivate var number: Int64 {
    switch self {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }
}
#endif
