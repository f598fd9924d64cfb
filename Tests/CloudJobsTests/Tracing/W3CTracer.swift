import CloudJobsCore
import InMemoryTracing
import Synchronization
import Tracing

/// A tracer in memory that propagates the header `traceparent`.
struct W3CTracer: Tracer {
  let memory: InMemoryTracer

  init() {
    let source = HexNumbers()
    memory = InMemoryTracer(
      idGenerator: InMemoryTracer.IDGenerator(nextTraceID: { source.next(32) }, nextSpanID: { source.next(16) }))
  }

  /// The spans that have ended, in the order of their ends.
  var spans: [FinishedInMemorySpan] { memory.finishedSpans }

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> InMemorySpan {
    memory.startSpan(
      operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID, line: line)
  }

  func forceFlush() { memory.forceFlush() }

  func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let span = context.inMemorySpanContext else { return }
    injector.inject("00-\(span.traceID)-\(span.spanID)-01", forKey: "traceparent", into: &carrier)
  }

  func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let text = extractor.extract(key: "traceparent", from: carrier), let trace = TraceContext(traceparent: text)
    else { return }
    context.inMemorySpanContext = InMemorySpanContext(
      traceID: trace.traceID, spanID: trace.parentID, parentSpanID: nil)
  }
}

/// Numbers as hexadecimal digits.
private final class HexNumbers: Sendable {
  private let last = Mutex<UInt64>(0)

  func next(_ length: Int) -> String {
    let number = last.withLock { number -> UInt64 in
      number += 1
      return number
    }
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: length - digits.count) + digits
  }
}
