public import CloudJobsCore

/// An event in the life of a run.
public struct JobEvent: Hashable, Sendable {
  /// The names of events.
  public enum Name: String, Hashable, Sendable, CaseIterable {
    /// An attempt began.
    case started = "job.started"
    /// The run has ended, whatever its result.
    case completed = "job.completed"
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
    /// An event of the handler's own.
    case event = "job.event"
    /// A line of the handler's log.
    case log = "log.job"
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
  /// The status of the run; nil for a skipped occurrence.
  public var runStatus: RunStatus?
  /// The gate that skipped an occurrence or cancelled a run, as the status that the job gets; nil for other events.
  public var skipped: JobStatus?
  /// The name of the handler's own event.
  public var customName: String?
  /// The data of the handler's own event.
  public var data: JSONText?
  /// The line of the handler's log.
  public var line: RunLogLine?

  init(
    _ name: Name, of run: Run, at time: Timestamp, customName: String? = nil, data: JSONText? = nil,
    line: RunLogLine? = nil
  ) {
    self.init(name, job: run.job, run: run, time: time)
    (failure, reason, next) = (nil, nil, nil)
    self.customName = customName
    self.data = data
    self.line = line
  }

  init(
    _ name: Name, job: JobID, run: Run?, time: Timestamp, duration: Duration? = nil, reason: String? = nil,
    skipped: JobStatus? = nil
  ) {
    self.skipped = skipped
    self.name = name
    self.job = job
    self.runID = run?.id
    self.runStatus = run?.status
    self.attempt = run.flatMap { $0.attempt > 0 ? $0.attempt : nil }
    self.time = time
    self.duration = duration
    self.failure = run?.failure
    self.reason = reason ?? run?.reason
    self.next = run.flatMap { $0.status == .scheduled ? $0.notBefore : nil }
    self.correlationID = run?.correlationID
  }
}

/// A selection of events; nil values match every event.
public struct EventFilter: Hashable, Sendable {
  /// The job.
  public var job: JobID?
  /// The run.
  public var run: RunID?
  /// The names, any of which matches.
  public var names: Set<JobEvent.Name>?
  /// The name of a handler's own event.
  public var customName: String?

  /// Creates a filter.
  public init(
    job: JobID? = nil, run: RunID? = nil, names: Set<JobEvent.Name>? = nil, customName: String? = nil
  ) {
    self.job = job
    self.run = run
    self.names = names
    self.customName = customName
  }

  /// Returns whether an event matches.
  public func matches(_ event: JobEvent) -> Bool {
    (job == nil || job == event.job) && (run == nil || run == event.runID) && (names?.contains(event.name) ?? true)
      && (customName == nil || customName == event.customName)
  }
}

/// A subscription of a function to events.
public struct EventSubscription: Sendable {
  private let end: @Sendable () -> Void

  init(end: @escaping @Sendable () -> Void) {
    self.end = end
  }

  /// Ends the calls.
  public func cancel() { end() }
}
