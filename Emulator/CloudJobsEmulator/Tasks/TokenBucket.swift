import CloudJobsCore

/// A token bucket in exact integer arithmetic.
///
/// A token is 10^12 units; a rate of r millionths per second adds r units per microsecond.
struct TokenBucket: Sendable, Codable {
  private static let token: Int64 = 1_000_000_000_000
  private var level: Int64
  private var filledAt: Timestamp
  private var rate: Int64
  private var capacity: Int64

  /// Creates a full bucket.
  init(rate: CloudTasks.DispatchRate, burst: Int, at now: Timestamp) {
    self.rate = max(1, rate.millionthsPerSecond)
    capacity = Int64(max(1, burst)) * Self.token
    level = capacity
    filledAt = now
  }

  /// Changes rate and size; the current content stays as far as it fits.
  mutating func configure(rate: CloudTasks.DispatchRate, burst: Int, at now: Timestamp) {
    refill(at: now)
    self.rate = max(1, rate.millionthsPerSecond)
    capacity = Int64(max(1, burst)) * Self.token
    level = min(level, capacity)
  }

  /// Removes all but one token.
  mutating func drain(at now: Timestamp) {
    refill(at: now)
    level = min(level, Self.token)
  }

  /// Takes a token if a whole one is available.
  mutating func take(at now: Timestamp) -> Bool {
    refill(at: now)
    guard level >= Self.token else { return false }
    level -= Self.token
    return true
  }

  /// Returns the time at which a whole token is available.
  func nextToken(at now: Timestamp) -> Timestamp {
    var copy = self
    copy.refill(at: now)
    let missing = Self.token - copy.level
    return missing <= 0 ? now : now + .microseconds((missing + rate - 1) / rate)
  }

  /// Returns the number of whole tokens at a time.
  func tokenCount(at now: Timestamp) -> Int {
    var copy = self
    copy.refill(at: now)
    return Int(copy.level / Self.token)
  }

  private mutating func refill(at now: Timestamp) {
    let elapsed = (now - filledAt).microseconds
    guard elapsed > 0 else { return }
    filledAt = now
    let untilFull = (capacity - level + rate - 1) / rate
    level = elapsed >= untilFull ? capacity : level + elapsed * rate
  }
}

/// The reduction of a queue's rate because its targets are overloaded or failing.
///
/// Google documents that 429, 503 and a high error rate slow the whole queue and that Retry-After is considered
/// (<https://cloud.google.com/tasks/docs/common-pitfalls#backoff_errors_and_enforced_rates>), but not by how much. The
/// emulator's model: each 429 or 503, and each window of 20 responses of which more than half are failures, halves the
/// rate, at most once per second and six times in total; ten seconds without either double it again. Retry-After holds
/// the whole queue for the given duration, at most one hour.
struct Slowdown: Sendable, Codable {
  static let maximumLevel = 6
  static let recovery: Duration = .seconds(10)
  static let maximumHold: Duration = .hours(1)
  private static let window = 20

  private var level = 0
  private var changedAt: Timestamp?
  private var answers = 0
  private var failures = 0
  /// The time before which nothing is delivered.
  private(set) var holdUntil: Timestamp?

  /// Records an outcome and returns whether it lowered the rate.
  mutating func observe(_ outcome: DeliveryOutcome, at now: Timestamp) -> Bool {
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

  /// Returns the reduced rate of a queue: at least one per second if the queue's own rate is higher.
  func rate(of rate: CloudTasks.DispatchRate, at now: Timestamp) -> CloudTasks.DispatchRate {
    let level = currentLevel(at: now)
    guard level > 0 else { return rate }
    let lowered = rate.millionthsPerSecond >> Int64(level)
    return CloudTasks.DispatchRate(millionthsPerSecond: max(lowered, min(rate.millionthsPerSecond, 1_000_000)))
  }

  /// Returns the number of times the rate is currently halved.
  func currentLevel(at now: Timestamp) -> Int {
    guard let changedAt, level > 0 else { return 0 }
    let steps = (now - changedAt).microseconds / Self.recovery.microseconds
    return max(0, level - Int(min(max(0, steps), Int64(Self.maximumLevel))))
  }
}
