public import CloudJobsCore
import Logging
import Metrics
import Synchronization

/// The events of a runtime: it logs them, counts them, and passes them to listeners.
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

  /// Returns a stream of the events from now on.
  ///
  /// - Parameter limit: the maximum number of events that wait for a slow listener; beyond it, the oldest are dropped.
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

  /// Calls a function with each event from now on, in their order, before the next event is emitted.
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
  /// The log level of the event.
  var level: Logger.Level {
    switch self {
    case .started, .duplicate: .debug
    case .succeeded, .snoozed: .info
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
    if let reason { metadata["reason"] = "\(reason.onOneLine)" }
    if let next { metadata["next"] = "\(next)" }
    if let correlationID { metadata["correlationId"] = "\(correlationID)" }
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

/// An event in the life of a run.
public struct JobEvent: Hashable, Sendable {
  /// The names of events.
  public enum Name: String, Hashable, Sendable, CaseIterable {
    /// An attempt began.
    case started = "job.started"
    /// The run succeeded.
    case succeeded = "job.succeeded"
    /// The run ended as a dead letter.
    case failed = "job.failed"
    /// An occurrence was skipped, or a run was cancelled.
    case skipped = "job.skipped"
    /// An attempt failed, and another will follow.
    case retrying = "job.retrying"
    /// The run continues later, or waits for an earlier run.
    case snoozed = "job.snoozed"
    /// A delivery asked for an occurrence that was processed before.
    case duplicate = "job.duplicate"
    /// An attempt ended after another had taken over its lease, and its result was refused.
    case leaseLost = "job.leaseLost"
    /// The shared pool of threads does not answer; the attempt was under way on it when it ceased to.
    case blocking = "job.blocking"
    /// The circuit breaker opened: the latest runs of the job failed.
    case breakerOpened = "breaker.opened"
    /// The circuit breaker closed: a run succeeded.
    case breakerClosed = "breaker.closed"
  }

  /// The name.
  public var name: Name
  /// The job.
  public var job: JobID
  /// The id of the run; nil for a skipped occurrence.
  public var runID: RunID?
  /// The number of the attempt, from 1; nil if none began.
  public var attempt: Int?
  /// The time, by the runtime's clock.
  public var time: Timestamp
  /// The duration of the attempt.
  public var duration: Duration?
  /// The failure of the attempt.
  public var failure: RunFailure?
  /// The reason, in words.
  public var reason: String?
  /// The time of the next attempt.
  public var next: Timestamp?
  /// The id that all runs of one cause share.
  public var correlationID: String?

  init(
    _ name: Name, job: JobID, run: Run?, time: Timestamp, duration: Duration? = nil, reason: String? = nil
  ) {
    self.name = name
    self.job = job
    self.runID = run?.id
    self.attempt = run.flatMap { $0.attempt > 0 ? $0.attempt : nil }
    self.time = time
    self.duration = duration
    self.failure = run?.failure
    self.reason = reason ?? run?.reason
    self.next = run.flatMap { $0.status == .scheduled ? $0.notBefore : nil }
    self.correlationID = run?.correlationID
  }
}
