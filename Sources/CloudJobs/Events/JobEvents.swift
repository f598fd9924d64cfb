import CloudJobsCore
import Logging
import Metrics
import Synchronization

/// Where a runtime tells what happens: the log, the metrics, and whoever listens.
public final class JobEvents: Sendable {
  private struct Listeners {
    var next = 0
    var all: [Int: AsyncStream<JobEvent>.Continuation] = [:]
    var observers: [@Sendable (JobEvent) -> Void] = []
    var isFinished = false
  }

  private let listeners = Mutex<Listeners>(Listeners())
  private let logger: Logger

  init(logger: Logger) {
    self.logger = logger
  }

  /// The events from now on.
  ///
  /// - Parameter limit: how many events wait for a slow listener; the oldest are dropped beyond that.
  /// - Returns: a stream that ends when the runtime has drained.
  public func stream(buffering limit: Int = 1_000) -> AsyncStream<JobEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: JobEvent.self, bufferingPolicy: .bufferingNewest(max(1, limit)))
    let key: Int? = listeners.withLock { listeners in
      if listeners.isFinished { return nil }
      listeners.next += 1
      listeners.all[listeners.next] = continuation
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

  /// Calls a function with each event from now on, in the order in which they happen, before the next one can happen.
  package func observe(_ observer: @escaping @Sendable (JobEvent) -> Void) {
    listeners.withLock { $0.observers.append(observer) }
  }

  /// Ends all streams.
  func finish() {
    let all = listeners.withLock { listeners in
      listeners.isFinished = true
      return Array(listeners.all.values)
    }
    for listener in all { listener.finish() }
  }

  func emit(_ event: JobEvent) {
    let dimensions = [("job", event.job.rawValue)]
    Counter(label: "cloud_jobs_events_total", dimensions: dimensions + [("event", event.name.rawValue)]).increment()
    if let duration = event.duration {
      Timer(label: "cloud_jobs_attempt_duration_seconds", dimensions: dimensions)
        .recordNanoseconds(duration.microseconds.saturatingMultiplication(by: 1_000))
    }
    logger.log(level: event.name.level, "\(event.name.rawValue)", metadata: event.metadata)
    let (observers, streams) = listeners.withLock { ($0.observers, Array($0.all.values)) }
    for observer in observers { observer(event) }
    for stream in streams { stream.yield(event) }
  }
}

extension JobEvent.Name {
  /// How loud the event is in a log.
  var level: Logger.Level {
    switch self {
    case .started, .duplicate: .debug
    case .succeeded, .snoozed: .info
    case .skipped: .notice
    case .retrying, .leaseLost: .warning
    case .failed: .error
    }
  }
}

extension JobEvent {
  /// The event's members as a log line carries them; payloads are none of them.
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["jobId": "\(job)"]
    if let run { metadata["runId"] = "\(run)" }
    if let attempt { metadata["attempt"] = "\(attempt)" }
    if let duration { metadata["durationMilliseconds"] = "\(duration.microseconds / 1_000)" }
    if let failure { metadata["error"] = "\("\(failure.kind): \(failure.message)".onOneLine)" }
    if let reason { metadata["reason"] = "\(reason.onOneLine)" }
    if let next { metadata["next"] = "\(next)" }
    if let correlationID { metadata["correlationId"] = "\(correlationID)" }
    return metadata
  }
}

extension String {
  /// The text with its control characters and line ends escaped: what comes from handlers and callers can't forge a
  /// line of a log.
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
