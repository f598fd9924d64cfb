#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The reason why a task or job waits, as pages show it.
struct ReasonView: Hashable, Sendable {
  /// The kind, a class of the style sheet.
  var reasonKind: String
  /// The reason in a word or two.
  var reasonWord: String
  /// The reason in a sentence.
  var reasonText: String

  /// Creates the reason why a task waits.
  ///
  /// - Parameters:
  ///   - report: the task.
  ///   - queue: its queue; nil where it is not known.
  ///   - clock: the emulator's clock.
  init(_ report: CloudTasks.TaskReport, _ queue: CloudTasks.Queue?, _ clock: ClockStatus) {
    let until = report.reason.end.map { Self.until($0, clock.now) } ?? ""
    switch report.reason {
    case .paused:
      self.init(
        "paused", "queue paused", "The queue is paused. It waits until the queue is resumed, or the task is run.")
    case .scheduled: self.init("scheduled", "scheduled", "It is scheduled for \(until).")
    case .backoff(let attempt, _):
      let answer = report.previousResponse.map { " with HTTP \($0)" } ?? ""
      self.init("warn", "backoff", "Attempt \(attempt) failed\(answer). The next one is due at \(until).")
    case .rateLimit:
      let rate = queue.map { " of \(RateText.text($0.rateLimits.maxDispatchesPerSecond)) per second" } ?? ""
      self.init("pending", "rate limit", "The queue's rate limit\(rate) is used up. Its next token comes at \(until).")
    case .slowdown:
      self.init(
        "warn", "slowed down",
        "The target's responses (429, 503, Retry-After) slow the queue down. Its next attempt is due at \(until).")
    case .concurrencyLimit(let limit):
      self.init(
        "busy", "queue full", "\(PageNumber.text(limit, "attempt is", "attempts are")) in flight, the queue's limit.")
    case .inFlight(let attempt, let since): self = Self.inFlight(attempt, since, clock.now)
    case .ready: self = Self.due(clock)
    }
  }

  /// Creates the reason why a job waits.
  init(_ reason: CloudScheduler.WaitReason, _ clock: ClockStatus) {
    switch reason {
    case .scheduled(let time):
      self =
        time <= clock.now
        ? Self.due(clock) : .init("scheduled", "scheduled", "Its schedule is due at \(Self.until(time, clock.now)).")
    case .backoff(0, _): self = Self.due(clock)
    case .backoff(let attempt, let time):
      self.init("warn", "backoff", "Attempt \(attempt) failed. The next one is due at \(Self.until(time, clock.now)).")
    case .inFlight(let attempt, let since): self = Self.inFlight(attempt, since, clock.now)
    case .paused: self.init("paused", "paused", "The job is paused. It waits until it is resumed, or run.")
    case .neverAgain: self.init("cancelled", "never again", "The schedule has no further time.")
    }
  }

  private init(_ kind: String, _ word: String, _ text: String) {
    (reasonKind, reasonWord, reasonText) = (kind, word, text)
  }

  private static func due(_ clock: ClockStatus) -> ReasonView {
    clock.isFrozen
      ? ReasonView("paused", "due, clock frozen", "It is due, and the clock stands. It starts with the next event.")
      : ReasonView("good", "due", "It is due, and starts now.")
  }

  private static func inFlight(_ attempt: Int, _ since: Timestamp, _ now: Timestamp) -> ReasonView {
    ReasonView("running", "in flight", "Attempt \(attempt) is in flight since \(PageTime.exact(since)).")
  }

  private static func until(_ time: Timestamp, _ now: Timestamp) -> String {
    let distance = time - now
    return "\(PageTime.exact(time)), in \(PageNumber.text(distance < .zero ? .zero : distance))"
  }
}

/// Rates as pages and forms show them.
enum RateText {
  /// Returns a rate as a decimal number, without zeros at its end.
  static func text(_ rate: CloudTasks.DispatchRate) -> String {
    let (whole, rest) = rate.millionthsPerSecond.quotientAndRemainder(dividingBy: 1_000_000)
    guard rest != 0 else { return "\(whole)" }
    var digits = String(rest)
    digits = String(repeating: "0", count: 6 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(whole).\(digits)"
  }
}
#endif
