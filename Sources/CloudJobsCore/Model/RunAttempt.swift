/// An attempt of a run: its times, and how it ended.
public struct RunAttempt: Hashable, Sendable {
  /// The attempt's number, from 1.
  public var number: Int
  /// The start, by the store's clock.
  public var startedAt: Timestamp
  /// The end, by the store's clock; nil while the attempt is under way.
  public var endedAt: Timestamp?
  /// How the attempt ended; nil while it is under way.
  public var outcome: AttemptOutcome?
  /// The failure, if it failed or was lost.
  public var failure: RunFailure?

  /// The maximum number of earlier attempts that a run keeps: the latest ones.
  public static let maximumKept = 20
  /// The maximum length of the message of a kept failure, in Unicode scalars.
  public static let maximumMessage = 300

  /// Creates an attempt.
  public init(
    number: Int, startedAt: Timestamp, endedAt: Timestamp? = nil, outcome: AttemptOutcome? = nil,
    failure: RunFailure? = nil
  ) {
    (self.number, self.startedAt, self.endedAt) = (number, startedAt, endedAt)
    (self.outcome, self.failure) = (outcome, failure)
  }
}

/// How an attempt ended.
public enum AttemptOutcome: String, Hashable, Sendable, CaseIterable {
  /// The handler succeeded.
  case succeeded
  /// The handler failed, or exceeded its time limit.
  case failed
  /// The attempt did not come back before its lease expired; it counts as failed.
  case lost
  /// The process or the instance ended; it does not count as failed.
  case interrupted
  /// The handler asked for another attempt later.
  case snoozed
  /// The handler stopped at a checkpoint, from which another attempt goes on.
  case continued
  /// The run was cancelled, by its handler or on request.
  case cancelled
}

extension Run {
  /// The start of the latest attempt; nil before the first.
  public var latestStart: Timestamp? { attemptStartedAt ?? startedAt }

  /// The attempts whose times are known, oldest first: the kept earlier ones and the latest.
  ///
  /// A run keeps its last ``RunAttempt/maximumKept`` earlier attempts.
  public var attempts: [RunAttempt] {
    guard attempt > 0, earlierAttempts.last?.number != attempt, let latestStart else { return earlierAttempts }
    var latest = RunAttempt(number: attempt, startedAt: latestStart)
    switch status {
    case .running: return earlierAttempts + [latest]
    case .scheduled, .pending: return earlierAttempts
    case .succeeded: latest.outcome = .succeeded
    case .failed: (latest.outcome, latest.failure) = (failure?.attemptOutcome ?? .failed, failure)
    case .cancelled: latest.outcome = .cancelled
    }
    latest.endedAt = finishedAt
    return earlierAttempts + [latest]
  }

  /// Returns the run with its latest attempt among the earlier ones, because it ended without ending the run.
  ///
  /// - Parameters:
  ///   - outcome: how it ended.
  ///   - failure: the failure, if it failed.
  ///   - time: the end.
  /// - Returns: the run; it is the same if the attempt is kept already.
  func keepingAttempt(_ outcome: AttemptOutcome, _ failure: RunFailure? = nil, endedAt time: Timestamp) -> Run {
    guard attempt > 0, earlierAttempts.last?.number != attempt, let start = latestStart else { return self }
    var run = self
    run.earlierAttempts.append(
      RunAttempt(
        number: attempt, startedAt: start, endedAt: max(start, time), outcome: outcome,
        failure: failure.map { RunFailure(kind: $0.kind, message: $0.message.cut(to: RunAttempt.maximumMessage)) }))
    if run.earlierAttempts.count > RunAttempt.maximumKept {
      run.earlierAttempts.removeFirst(run.earlierAttempts.count - RunAttempt.maximumKept)
    }
    return run
  }
}

extension RunFailure {
  /// The kind of the failure of an attempt whose lease expired.
  static let leaseLostKind = "leaseLost"
  /// The kind of the failure of an attempt whose process ended, as others' before.
  static let processLostKind = "processLost"

  /// How an attempt with this failure ended.
  fileprivate var attemptOutcome: AttemptOutcome {
    switch kind {
    case Self.leaseLostKind: .lost
    case Self.processLostKind: .interrupted
    default: .failed
    }
  }

}

extension RunAttempt {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "earlierAttempts.", field: "earlierAttempts")
    self.init(
      number: try reader.required("number", reader.int("number", 1...Int.max)),
      startedAt: try reader.required("startedAt", reader.timestamp("startedAt")),
      endedAt: try reader.timestamp("endedAt"), outcome: try reader.choice("outcome", AttemptOutcome.self),
      failure: try reader.value("error").map { (error) throws(JobError) in try RunFailure(fields: error) })
  }

  /// Returns the attempts of a list; none if there is no list.
  ///
  /// - Throws: ``JobError`` `invalidField` if it is none, or has an invalid element.
  package static func list(_ value: JSONValue?) throws(JobError) -> [RunAttempt] {
    guard let value else { return [] }
    guard let elements = value.array else {
      throw JobError(
        .invalidField, "Expected a list of attempts. The value, \(value.kind), is invalid.", field: "earlierAttempts")
    }
    var attempts: [RunAttempt] = []
    for element in elements { attempts.append(try RunAttempt(fields: element)) }
    return attempts
  }

  var fields: JSONValue {
    var members: [String: JSONValue] = [
      "number": .integer(Int64(number)), "startedAt": .string(startedAt.description),
    ]
    members["endedAt"] = endedAt.map { .string($0.description) }
    members["outcome"] = outcome.map { .string($0.rawValue) }
    members["error"] = failure?.fields
    return .object(members)
  }
}
