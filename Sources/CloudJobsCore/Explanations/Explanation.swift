/// The answer to the question why a job ran, did not run, or will run: made of what is stored, by ``explain(_:)``.
public struct Explanation: Hashable, Sendable {
  /// The outcome that is explained.
  public enum Verdict: String, Hashable, Sendable, CaseIterable {
    /// The run succeeded.
    case ran
    /// An attempt is under way.
    case running
    /// A run exists and waits.
    case waiting
    /// The run became a dead letter.
    case failed
    /// The run was cancelled.
    case cancelled
    /// There is no run for the time.
    case didNotRun
    /// The time is yet to come, and a run will follow as things stand.
    case willRun
    /// The time is yet to come, and no run will follow as things stand.
    case willNotRun
    /// What is stored does not tell.
    case unknown
  }

  /// A gate's value and verdict for the time that is explained.
  public struct GateVerdict: Hashable, Sendable {
    /// The name of the gate.
    public var name: Gate.Name
    /// The value of the job's field, or the state that the gate compares, as it is now.
    public var value: String
    /// Whether the gate was or is open; nil if the occurrence did not get so far.
    public var isOpen: Bool?
    /// The reason why it is closed.
    public var reason: String?

    /// Creates a verdict.
    public init(name: Gate.Name, value: String, isOpen: Bool?, reason: String? = nil) {
      self.name = name
      self.value = value
      self.isOpen = isOpen
      self.reason = reason
    }
  }

  /// A fact that the answer rests on.
  public struct Fact: Hashable, Sendable {
    /// The subject, such as `lease`.
    public var name: String
    /// The fact in words.
    public var text: String

    /// Creates a fact.
    public init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  /// The id of the job.
  public var job: JobID
  /// The time that was asked about.
  public var time: Timestamp
  /// The store's time of the answer.
  public var now: Timestamp
  /// The time of the schedule that is explained; nil for a run without one.
  public var occurrence: Timestamp?
  /// The id of the run that is explained; nil if there is none.
  public var run: RunID?
  /// The outcome.
  public var verdict: Verdict
  /// The cause of the outcome.
  public var cause: ExplanationCause
  /// The answer in a sentence or two.
  public var summary: String
  /// The trigger, and whether it came.
  public var trigger: String
  /// The gates in their order.
  public var gates: [GateVerdict] = []
  /// The facts that the answer rests on.
  public var facts: [Fact] = []
  /// The changes that would lead to another outcome.
  public var remedies: [String] = []
  /// The next time at which the job is due and its calendar lets it run; nil if there is none.
  public var nextRun: Timestamp?

  init(
    job: JobID, time: Timestamp, now: Timestamp, occurrence: Timestamp?, verdict: Verdict, cause: ExplanationCause,
    summary: String, trigger: String
  ) {
    self.job = job
    self.time = time
    self.now = now
    self.occurrence = occurrence
    self.verdict = verdict
    self.cause = cause
    self.summary = summary
    self.trigger = trigger
  }
}

/// The cause of the outcome that an ``Explanation`` explains.
public enum ExplanationCause: String, Hashable, Sendable, CaseIterable {
  // MARK: Runs that have ended

  /// The run succeeded.
  case succeeded
  /// Each allowed attempt failed.
  case attemptsUsedUp
  /// Each allowed attempt failed, the last one at its time limit.
  case attemptsTimedOut
  /// Each allowed attempt failed, the last one because its process or its lease was lost.
  case attemptsLost
  /// The handler called its failure permanent.
  case failedPermanently
  /// The job's policy does not retry failures of this kind.
  case failureNotRetried
  /// The input is none that the job takes.
  case invalidInput
  /// A person or a program asked to cancel it.
  case cancelledByRequest
  /// The handler cancelled it.
  case cancelledByHandler
  /// A gate was closed when the run was to begin.
  case cancelledByGate
  /// A run that had to come first did not succeed.
  case cancelledByPrerequisite
  /// A later request with the same unique key took its place.
  case replaced

  // MARK: Runs under way

  /// An attempt executes under a lease.
  case running
  /// The attempt has been asked to stop, and has not ended yet.
  case stopping
  /// The attempt's lease has expired: its process is gone, or it hangs.
  case leaseExpired

  // MARK: Runs that wait

  /// An attempt failed, and the delay before the next one is not over.
  case waitingForRetry
  /// The handler asked for another attempt later.
  case snoozed
  /// The handler stopped at a checkpoint, and continues later.
  case continuing
  /// The start that the caller asked for is yet to come.
  case waitingForStart
  /// It is due, and the queue's delivery has not come.
  case waitingForDelivery
  /// It is due, and no worker has taken it.
  case waitingForWorker
  /// The service for heavy work is to execute it.
  case waitingForOtherService
  /// A run that must come first has not ended.
  case waitingForPrerequisite
  /// An earlier run of the job is under way, and the overlap policy queues.
  case waitingForEarlierRun
  /// The circuit breaker is open.
  case waitingForBreaker
  /// The job is paused.
  case waitingForResume
  /// As many runs of the job execute as may at once.
  case waitingForConcurrency
  /// As many runs of the job's group execute as may at once.
  case waitingForGroup
  /// As many runs of the job have started as may in a period.
  case waitingForRate

  // MARK: Times without a run: a gate was or is closed

  /// The job is disabled.
  case skippedDisabled
  /// The job is paused.
  case skippedPaused
  /// The time is before `startAt`.
  case skippedNotStarted
  /// The time is after `endAt`.
  case skippedEnded
  /// The day is one of `skipDates`.
  case skippedDateExclusion
  /// A job that it depends on has not succeeded.
  case skippedDependencyFailed
  /// The circuit breaker was open.
  case skippedBreakerOpen
  /// An earlier run was under way.
  case skippedOverlap
  /// The time was missed, and the misfire policy drops missed times.
  case skippedMisfire

  // MARK: Times without a run: other causes

  /// The time was missed, and one run served all missed times.
  case collapsed
  /// The time was missed, and is older than those that the misfire policy makes up for.
  case dropped
  /// The time was missed, and waits for the run of an earlier one.
  case waitingForEarlierTime
  /// The schedule has no such time.
  case notScheduled
  /// The job is due, and no pass has looked at it.
  case noPass
  /// Cloud Scheduler fires the job, and no delivery is on record.
  case noDelivery
  /// The job has no schedule, and nothing asked for a run.
  case noTrigger
  /// The job is due, and its code is not in the program that answers.
  case unregistered
  /// The job's document is invalid.
  case setAside
  /// The schedule was edited before a pass had looked.
  case rescheduled
  /// The pass does not run the job, or has no time of it to serve.
  case unplanned
  /// The job was not planned at that time.
  case notPlannedYet
  /// The job's document had been removed.
  case removed
  /// The store was unavailable, and the job stays due.
  case storeUnavailable
  /// The run's record has been deleted.
  case recordDeleted
  /// The journal of that time has been deleted.
  case recordExpired
  /// The time is yet to come, and nothing stands in its way.
  case due
  /// What is stored does not tell.
  case unrecorded

  /// Creates the cause of a skip.
  init(_ status: JobStatus) {
    self = ExplanationCause(rawValue: status.rawValue) ?? .unrecorded
  }
}

extension Explanation {
  /// The answer in JSON.
  public var fields: JSONValue {
    var members: [String: JSONValue] = [
      "job": .string(job.rawValue), "time": .string("\(time)"), "now": .string("\(now)"),
      "verdict": .string(verdict.rawValue), "cause": .string(cause.rawValue), "summary": .string(summary),
      "trigger": .string(trigger),
      "gates": .array(
        gates.map { gate in
          var members: [String: JSONValue] = ["name": .string(gate.name.rawValue), "value": .string(gate.value)]
          members["isOpen"] = gate.isOpen.map { .bool($0) }
          members["reason"] = gate.reason.map { .string($0) }
          return .object(members)
        }),
      "facts": .array(facts.map { ["name": .string($0.name), "text": .string($0.text)] }),
      "remedies": .array(remedies.map { .string($0) }),
    ]
    members["occurrence"] = occurrence.map { .string("\($0)") }
    members["run"] = run.map { .string($0.rawValue) }
    members["nextRun"] = nextRun.map { .string("\($0)") }
    return .object(members)
  }
}
