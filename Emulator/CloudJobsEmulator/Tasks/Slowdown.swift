import CloudJobsCore

/// How far a queue holds back because its targets are overloaded or fail.
///
/// Google documents that 429, 503 and a high error rate slow the whole queue and that Retry-After is considered
/// (<https://cloud.google.com/tasks/docs/common-pitfalls#backoff_errors_and_enforced_rates>), not how far. The model
/// here: each 429 or 503, and each window of 20 answers of which more than half are failures, halves the rate, at most
/// once a second and six times in all; ten seconds without either double it again. Retry-After holds the whole queue
/// for its span, at most an hour.
struct Slowdown: Sendable, Codable {
  static let maximumLevel = 6
  static let recovery: Duration = .seconds(10)
  static let maximumHold: Duration = .hours(1)
  private static let window = 20

  private var level = 0
  private var changedAt: Timestamp?
  private var answers = 0
  private var failures = 0
  /// Before this time nothing is dispatched.
  private(set) var holdUntil: Timestamp?

  /// Takes note of an outcome; answers whether the rate has just been lowered.
  mutating func observe(_ outcome: DispatchOutcome, at now: Timestamp) -> Bool {
    if answers == Self.window { (answers, failures) = (0, 0) }
    answers += 1
    if !outcome.isSuccess { failures += 1 }
    var isOverloaded = answers == Self.window && failures * 2 > Self.window
    if case .response(let status, let headers) = outcome, status == 429 || status == 503 {
      isOverloaded = true
      if let span = RetryAfter.span(headers["Retry-After"], at: now) {
        let until = now + min(span, Self.maximumHold)
        holdUntil = max(holdUntil ?? until, until)
      }
    }
    guard isOverloaded else { return false }
    let current = currentLevel(at: now)
    if let changedAt, current == level, now - changedAt < .seconds(1), level > 0 { return false }
    level = min(Self.maximumLevel, current + 1)
    changedAt = now
    return true
  }

  /// The rate that is left of a queue's own, but not less than one a second where the queue itself has more.
  func rate(of rate: CloudTasks.DispatchRate, at now: Timestamp) -> CloudTasks.DispatchRate {
    let level = currentLevel(at: now)
    guard level > 0 else { return rate }
    let lowered = rate.millionthsPerSecond >> Int64(level)
    return CloudTasks.DispatchRate(millionthsPerSecond: max(lowered, min(rate.millionthsPerSecond, 1_000_000)))
  }

  /// How often the rate is halved at a time.
  func currentLevel(at now: Timestamp) -> Int {
    guard let changedAt, level > 0 else { return 0 }
    let steps = (now - changedAt).microseconds / Self.recovery.microseconds
    return max(0, level - Int(min(max(0, steps), Int64(Self.maximumLevel))))
  }
}
