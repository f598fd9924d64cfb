#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The attempts of a run over time: a picture of its waits and attempts, and a table of the attempts.
struct AttemptTimeline: Sendable {
  /// The width of the picture.
  static let width = 960

  /// A span of time in the picture.
  struct Span: Sendable, Hashable {
    /// The name of its style: `wait`, `good`, `bad`, `busy` or `other`.
    var spanKind: String
    var spanLabel: String
    var spanX: Int
    var spanWidth: Int
  }

  /// An attempt in the table.
  struct Row: Sendable {
    var attemptNumber: String
    /// The name of the style of the outcome.
    var outcomeStyle: String
    var outcomeText: String
    var attemptStart: PageTime
    var attemptSpan: String
    /// The failure; nil if there is none.
    var failureText: String?
  }

  var spans: [Span] = []
  var rows: [Row] = []
  var hasRows = false
  /// A sentence about attempts that are not in the table; nil if there are none.
  var gapText: String?
  var startText: String
  var endText: String
  var captionText: String
  let pictureWidth = AttemptTimeline.width

  /// A part of the run's time.
  struct Part: Hashable, Sendable {
    var kind: String
    var label: String
    var start: Timestamp
    var end: Timestamp
  }

  /// Creates the timeline.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - now: the time of the page.
  init(_ run: Run, at now: Timestamp) {
    let attempts = run.attempts
    let parts = Self.parts(of: run, attempts, at: now)
    let start = run.createdAt
    let end = max(parts.map(\.end).max() ?? now, start + .milliseconds(1))
    for part in parts {
      let x = Self.x(part.start, start, end)
      spans.append(
        Span(
          spanKind: part.kind, spanLabel: "\(part.label): \(PageNumber.text(part.end - part.start))", spanX: x,
          spanWidth: max(2, Self.x(part.end, start, end) - x)))
    }
    startText = PageTime.exact(start)
    endText = PageTime.exact(end)
    captionText = "The run from its creation on, over \(PageNumber.text(end - start))"
    rows = attempts.reversed().map { attempt in
      Row(
        attemptNumber: PageNumber.text(attempt.number), outcomeStyle: attempt.outcome.style,
        outcomeText: attempt.outcome.text, attemptStart: PageTime(attempt.startedAt, now: now),
        attemptSpan: PageNumber.text((attempt.endedAt ?? max(now, attempt.startedAt)) - attempt.startedAt),
        failureText: attempt.failure.map { BoundedText.failure($0) })
    }
    hasRows = !rows.isEmpty
    let untold = run.attempt - attempts.count
    if untold > 0 {
      gapText =
        "\(PageNumber.text(untold, "earlier attempt")) \(untold == 1 ? "is" : "are") not listed: a run keeps its last "
        + "\(RunAttempt.maximumKept), and the time of the first start."
    }
  }

  private static func x(_ time: Timestamp, _ start: Timestamp, _ end: Timestamp) -> Int {
    let whole = max(1, end.microseconds - start.microseconds)
    let part = min(max(0, time.microseconds - start.microseconds), whole)
    let (product, overflow) = part.multipliedReportingOverflow(by: Int64(width))
    return Int(overflow ? part / max(1, whole / Int64(width)) : product / whole)
  }

  /// Returns the parts of a run's time: waits and attempts, in order.
  private static func parts(of run: Run, _ attempts: [RunAttempt], at now: Timestamp) -> [Part] {
    var parts: [Part] = []
    var place = run.createdAt
    func add(_ part: Part) {
      if part.start > place {
        let label = parts.isEmpty ? "Waited" : "Waited for the next attempt"
        parts.append(Part(kind: "wait", label: label, start: place, end: part.start))
      }
      parts.append(part)
      place = max(place, part.end)
    }
    if let first = attempts.first, first.number > 1, let start = run.startedAt, start < first.startedAt {
      let label = "\(PageNumber.text(first.number - 1, "attempt")) with the waits between them"
      add(Part(kind: "other", label: label, start: start, end: first.startedAt))
    }
    for attempt in attempts {
      add(
        Part(
          kind: attempt.outcome.kind, label: "Attempt \(PageNumber.text(attempt.number)), \(attempt.outcome.text)",
          start: attempt.startedAt, end: max(attempt.startedAt, attempt.endedAt ?? now)))
    }
    let end = run.finishedAt ?? max(now, run.status == .scheduled ? run.notBefore : now)
    if run.status != .running, end > place {
      let label = run.status.isTerminal ? "Ended without another attempt" : "Waits"
      parts.append(Part(kind: "wait", label: label, start: place, end: end))
    }
    return parts
  }
}

extension AttemptOutcome? {
  /// The name of the style in the picture.
  fileprivate var kind: String {
    switch self {
    case .succeeded: "good"
    case .failed, .lost: "bad"
    case nil: "busy"
    case .interrupted, .snoozed, .continued, .cancelled: "other"
    }
  }

  /// The name of the style of a state.
  fileprivate var style: String {
    switch self {
    case .succeeded: "good"
    case .failed, .lost: "bad"
    case nil: "busy"
    case .interrupted: "warn"
    case .snoozed, .continued: "scheduled"
    case .cancelled: "cancelled"
    }
  }

  fileprivate var text: String {
    switch self {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .lost: "lost"
    case .interrupted: "interrupted"
    case .snoozed: "asked to go on later"
    case .continued: "goes on from a checkpoint"
    case .cancelled: "cancelled"
    case nil: "under way"
    }
  }
}
#endif
