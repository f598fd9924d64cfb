import CloudJobsCore
import Logging
import Synchronization

/// The events of a runtime: it logs them, counts them, and passes them to listeners.
public final class JobEvents: Sendable {
  private struct Listeners {
    var next = 0
    var all: [Int: (filter: EventFilter, continuation: AsyncStream<JobEvent>.Continuation)] = [:]
    var observers: [Int: @Sendable (JobEvent) -> Void] = [:]
    var isFinished = false
  }

  private let listeners = Mutex<Listeners>(Listeners())
  private let logger: Logger
  private let metrics: RuntimeMetrics

  init(logger: Logger, metrics: RuntimeMetrics) {
    self.logger = logger
    self.metrics = metrics
  }

  /// Returns a stream of the events from now on.
  ///
  /// - Parameters:
  ///   - filter: the events that the stream has.
  ///   - limit: the maximum number of events that wait for a slow listener; beyond it, the oldest are dropped.
  /// - Returns: a stream that ends when the runtime has drained.
  public func stream(_ filter: EventFilter = EventFilter(), buffering limit: Int = 1_000) -> AsyncStream<JobEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: JobEvent.self, bufferingPolicy: .bufferingNewest(max(1, limit)))
    let key: Int? = listeners.withLock { listeners in
      if listeners.isFinished { return nil }
      listeners.next += 1
      listeners.all[listeners.next] = (filter, continuation)
      return listeners.next
    }
    guard let key else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.listeners.withLock { $0.all.removeValue(forKey: key) }
    }
    return stream
  }

  /// Calls a function with each event from now on, before the next event is emitted.
  ///
  /// The function is called where the event happens, so it must return quickly.
  ///
  /// - Parameters:
  ///   - filter: the events.
  ///   - observer: the function.
  /// - Returns: the subscription, which ends the calls; it may be discarded.
  @discardableResult
  public func subscribe(
    _ filter: EventFilter = EventFilter(), _ observer: @escaping @Sendable (JobEvent) -> Void
  ) -> EventSubscription {
    let key = listeners.withLock { listeners in
      listeners.next += 1
      listeners.observers[listeners.next] = { event in
        if filter.matches(event) { observer(event) }
      }
      return listeners.next
    }
    return EventSubscription { [weak self] in self?.listeners.withLock { _ = $0.observers.removeValue(forKey: key) } }
  }

  /// Ends all streams.
  func finish() {
    let all = listeners.withLock { listeners in
      listeners.isFinished = true
      return Array(listeners.all.values)
    }
    for listener in all { listener.continuation.finish() }
  }

  func emit(_ event: JobEvent) {
    // Lines of handlers are logged by their own logger.
    if event.name != .log { record(event) }
    let (observers, streams) = listeners.withLock { ($0.observers.values.map(\.self), Array($0.all.values)) }
    for observer in observers { observer(event) }
    for stream in streams where stream.filter.matches(event) { stream.continuation.yield(event) }
  }

  private func record(_ event: JobEvent) {
    metrics.count(event)
    logger.log(level: event.name.level, "\(event.name.rawValue)", metadata: event.metadata)
  }
}

extension JobEvent.Name {
  /// The log level of the event.
  var level: Logger.Level {
    switch self {
    case .started, .duplicate, .completed, .log: .debug
    case .succeeded, .snoozed, .event: .info
    case .skipped, .breakerClosed: .notice
    case .retrying, .leaseLost, .breakerOpened, .blocking: .warning
    case .failed: .error
    }
  }
}

extension JobState {
  /// The event of a change that opens or closes the circuit breaker, or nil.
  func breakerEvent(of patch: JobStatePatch?) -> JobEvent.Name? {
    guard let value = patch?.fields["breakerOpenUntil"] else { return nil }
    return value.isNull ? .breakerClosed : .breakerOpened
  }
}

extension JobEvent {
  /// The metadata of the event's log line; payloads are left out.
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["jobId": "\(job)"]
    if let runID { metadata["runId"] = "\(runID)" }
    if let attempt { metadata["attempt"] = "\(attempt)" }
    if let duration { metadata["durationMilliseconds"] = "\(duration.microseconds / 1_000)" }
    if let failure { metadata["error"] = "\("\(failure.kind): \(failure.message)".onOneLine)" }
    if let skipped { metadata["skipped"] = "\(skipped.rawValue)" }
    if let reason { metadata["reason"] = "\(reason.onOneLine)" }
    if let next { metadata["next"] = "\(next)" }
    if let correlationID { metadata["correlationId"] = "\(correlationID)" }
    if let customName { metadata["event"] = "\(customName.onOneLine)" }
    return metadata
  }
}

extension String {
  /// The text with control characters and line separators escaped, so that texts of handlers and callers can't forge
  /// lines of a log.
  fileprivate var onOneLine: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
