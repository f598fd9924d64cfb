/// The kinds of reasons that a run carries in ``Run/reason``, with their sentences.
///
/// The stored reason is a sentence for people. Here each sentence is made and recognized, so that an explanation can
/// tell the kinds apart.
enum RunReason: Hashable, Sendable {
  /// An attempt failed, and the next one follows.
  case attemptFailed
  /// The handler asked for another attempt later.
  case snoozed
  /// The handler stopped at a checkpoint.
  case continued
  /// The attempt was lost with its process or its instance.
  case interrupted
  /// Another service executes the attempt.
  case handedOver
  /// A worker executes the attempt.
  case leftToWorker
  /// The run waits for another one that must come first.
  case prerequisite
  /// A run that must come first did not succeed.
  case prerequisiteFailed
  /// As many runs execute as may at once.
  case concurrencyReached
  /// As many runs have started as may in a period.
  case rateReached
  /// A later request with the same unique key took the run's place.
  case replaced
  /// A gate was closed.
  case gate(JobStatus)
  /// The attempts are used up.
  case attemptsUsedUp
  /// The failure was permanent.
  case permanentFailure
  /// The policy does not retry failures of this kind.
  case failureNotRetried

  /// Recognizes a sentence; nil for one that a program or a person wrote.
  ///
  /// - Parameter text: the reason.
  init?(_ text: String) {
    let found = Self.patterns.first { text.hasPrefix($0.prefix) && ($0.part.isEmpty || text.contains($0.part)) }
    if let found {
      self = found.reason
    } else if let skip = Skip(reason: text) {
      self = .gate(skip.status)
    } else {
      return nil
    }
  }

  private static let patterns: [(prefix: String, part: String, reason: RunReason)] = [
    ("Attempt ", " failed; the next is due.", .attemptFailed), ("Attempt ", " asked to go on later.", .snoozed),
    ("Attempt ", " continues from its checkpoint.", .continued),
    ("The process ended during attempt ", "", .interrupted),
    ("The instance shut down during attempt ", "", .interrupted), (Text.handedOver, "", .handedOver),
    (Text.leftToWorker, "", .leftToWorker), ("It waits for the run ", "", .prerequisite),
    ("The run ", ", which must come first, ", .prerequisiteFailed), ("As many runs of ", "", .concurrencyReached),
    ("As many runs have started ", "", .rateReached), ("Replaced by the run ", "", .replaced),
    ("All ", " attempts are used up.", .attemptsUsedUp), (Text.permanentFailure, "", .permanentFailure),
    ("Failures of the kind ", " are not retried.", .failureNotRetried),
  ]

  /// The sentences.
  enum Text {
    static let handedOver = "The service for heavy work executes the next attempt."
    static let leftToWorker = "A worker that executes runs takes it."
    static let permanentFailure = "The failure is permanent."

    static func attemptFailed(_ attempt: Int) -> String { "Attempt \(attempt) failed; the next is due." }

    static func snoozed(_ attempt: Int) -> String { "Attempt \(attempt) asked to go on later." }

    static func continued(_ attempt: Int) -> String { "Attempt \(attempt) continues from its checkpoint." }

    static func prerequisite(_ run: RunID) -> String { "It waits for the run \(run)." }

    static func prerequisiteFailed(_ run: RunID, exists: Bool) -> String {
      "The run \(run), which must come first, \(exists ? "did not succeed" : "does not exist")."
    }

    static func concurrencyReached(_ count: Int, of subject: String) -> String {
      "As many runs of \(subject) execute as may at once: \(count)."
    }

    static func rateReached(_ rate: RateLimit) -> String {
      "As many runs have started as may in \(rate.period): \(rate.count)."
    }

    static func replaced(by run: RunID) -> String { "Replaced by the run \(run), which has the same unique key." }

    static func attemptsUsedUp(_ count: Int) -> String { "All \(count) attempts are used up." }

    static func failureNotRetried(_ kind: String) -> String { "Failures of the kind \(kind) are not retried." }
  }
}

extension Skip {
  /// Recognizes the reason of a gate; nil for another sentence.
  ///
  /// - Parameter reason: the sentence.
  init?(reason: String) {
    let patterns: [(prefix: String, part: String, status: JobStatus)] = [
      ("The job is disabled.", "", .skippedDisabled), ("The job is paused.", "", .skippedPaused),
      ("The ", " is before startAt, ", .skippedNotStarted), ("The day ", " is after endAt, ", .skippedEnded),
      ("The day ", " is one of skipDates.", .skippedDateExclusion),
      ("It depends on ", ", which ", .skippedDependencyFailed),
      ("The circuit breaker is open until ", "", .skippedBreakerOpen), ("The run ", " is still ", .skippedOverlap),
    ]
    let found = patterns.first { reason.hasPrefix($0.prefix) && ($0.part.isEmpty || reason.contains($0.part)) }
    guard let found else { return nil }
    self.init(found.status, reason)
  }
}
