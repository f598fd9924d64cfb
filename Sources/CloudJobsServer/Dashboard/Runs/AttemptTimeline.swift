#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The attempts of a run over time: its waits, its attempts with their outcomes, and its end.
///
/// The record of a run has the start of its first attempt and its end; the times of attempts in between are those of
/// their lines in the log.
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

  /// An event in the table below the picture.
  struct Event: Sendable {
    var eventTime: PageTime
    var eventText: String
  }

  var spans: [Span] = []
  var events: [Event] = []
  /// A sentence about attempts whose times are not known; nil if there are none.
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
  ///   - log: the end of its log.
  ///   - now: the time of the page.
  init(_ run: Run, log: LogWindow, at now: Timestamp) {
    let attempts = Self.attempts(run, log, at: now)
    let parts = Self.parts(run, attempts, at: now)
    let start = run.createdAt
    let end = max(parts.map(\.end).max() ?? now, start + .milliseconds(1))
    for part in parts {
      let x = Self.x(part.start, start, end)
      let span = Span(
        spanKind: part.kind, spanLabel: "\(part.label): \(PageNumber.text(part.end - part.start))", spanX: x,
        spanWidth: max(2, Self.x(part.end, start, end) - x))
      spans.append(span)
    }
    startText = PageTime.exact(start)
    endText = PageTime.exact(end)
    captionText = "The run from its creation on, over \(PageNumber.text(end - start))"
    events = Self.events(run, attempts, at: now)
    let untold = run.attempt - attempts.count
    if untold > 0 {
      gapText =
        "The times of \(PageNumber.text(untold, "attempt")) are not known, because they logged nothing or their lines "
        + "are older than those below."
    }
  }

  private static func x(_ time: Timestamp, _ start: Timestamp, _ end: Timestamp) -> Int {
    let whole = max(1, end.microseconds - start.microseconds)
    let part = min(max(0, time.microseconds - start.microseconds), whole)
    let (product, overflow) = part.multipliedReportingOverflow(by: Int64(width))
    return Int(overflow ? part / max(1, whole / Int64(width)) : product / whole)
  }

  /// Returns the attempts whose times are known, in order.
  static func attempts(_ run: Run, _ log: LogWindow, at now: Timestamp) -> [(number: Int, part: Part)] {
    guard run.attempt > 0 else { return [] }
    var told: [Int: (first: Timestamp, last: Timestamp)] = [:]
    for line in log.lines {
      let number = line.position.attempt
      guard (1...run.attempt).contains(number) else { continue }
      let known = told[number]
      told[number] = (
        min(known?.first ?? line.line.time, line.line.time), max(known?.last ?? line.line.time, line.line.time)
      )
    }
    let isUnderWay = run.status == .running
    var result: [(Int, Part)] = []
    for number in Set(told.keys).union([1, run.attempt]).sorted() {
      let isLast = number == run.attempt
      let start = number == 1 ? run.startedAt ?? told[1]?.first : told[number]?.first
      let end =
        isLast
        ? run.finishedAt ?? (isUnderWay ? max(now, run.startedAt ?? now) : told[number]?.last) : told[number]?.last
      guard let start = start ?? (isLast ? end : nil) else { continue }
      result.append(
        (
          number,
          Part(
            kind: kind(run, isLast: isLast), label: "Attempt \(number), \(outcome(run, isLast: isLast))", start: start,
            end: max(start, end ?? start))
        ))
    }
    return result
  }

  private static func kind(_ run: Run, isLast: Bool) -> String {
    guard isLast else { return run.failures + run.losses >= run.attempt - 1 ? "bad" : "other" }
    switch run.status {
    case .succeeded: return "good"
    case .failed: return "bad"
    case .running: return "busy"
    case .cancelled: return "other"
    case .scheduled, .pending: return run.failures + run.losses >= run.attempt ? "bad" : "other"
    }
  }

  private static func outcome(_ run: Run, isLast: Bool) -> String {
    guard isLast else { return run.failures + run.losses >= run.attempt - 1 ? "failed" : "ended without a result" }
    switch run.status {
    case .succeeded: return "succeeded"
    case .failed: return "failed"
    case .running: return "under way"
    case .cancelled: return "cancelled"
    case .scheduled, .pending: return run.failures + run.losses >= run.attempt ? "failed" : "asked to go on later"
    }
  }

  /// Returns the parts of the run's time: waits and attempts.
  static func parts(_ run: Run, _ attempts: [(number: Int, part: Part)], at now: Timestamp) -> [Part] {
    var parts: [Part] = []
    var place = run.createdAt
    for attempt in attempts.map(\.part) {
      if attempt.start > place {
        parts.append(
          Part(
            kind: "wait", label: parts.isEmpty ? "Waited" : "Waited for the next attempt", start: place,
            end: attempt.start))
      }
      parts.append(attempt)
      place = max(place, attempt.end)
    }
    let end = run.finishedAt ?? max(now, run.status == .scheduled ? run.notBefore : now)
    if run.status != .running, end > place {
      parts.append(
        Part(
          kind: "wait", label: run.status.isTerminal ? "Ended without another attempt" : "Waits", start: place, end: end
        ))
    }
    return parts
  }

  private static func events(_ run: Run, _ attempts: [(number: Int, part: Part)], at now: Timestamp) -> [Event] {
    var events: [(Timestamp, String)] = [(run.createdAt, "Created by the trigger \(run.trigger.rawValue)")]
    for (number, part) in attempts {
      events.append((part.start, "Attempt \(number) started"))
      let isOpen = number == run.attempt && run.status == .running
      if !isOpen, number < run.attempt || !run.status.isTerminal { events.append((part.end, part.label)) }
    }
    if let end = run.finishedAt {
      events.append(
        (
          end,
          run.attempt == 0
            ? "Ended as \(run.status.rawValue)" : "Attempt \(run.attempt): the run ended as \(run.status.rawValue)"
        ))
    } else if run.status != .running {
      events.append((run.notBefore, "The next attempt may start"))
    }
    return events.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.suffix(60).map {
      Event(eventTime: PageTime($0.element.0, now: now), eventText: $0.element.1)
    }
  }
}
#endif
