import CloudJobsCore

/// A token bucket in exact integers: a token is 10^12 units, and a rate of r millionths a second adds r units each
/// microsecond.
struct TokenBucket: Sendable, Codable {
  private static let token: Int64 = 1_000_000_000_000
  private var level: Int64
  private var filledAt: Timestamp
  private var rate: Int64
  private var capacity: Int64

  /// A full bucket.
  init(rate: CloudTasks.DispatchRate, burst: Int, at now: Timestamp) {
    self.rate = max(1, rate.millionthsPerSecond)
    capacity = Int64(max(1, burst)) * Self.token
    level = capacity
    filledAt = now
  }

  /// Changes rate and size from now on; what is in the bucket stays, as far as it fits.
  mutating func configure(rate: CloudTasks.DispatchRate, burst: Int, at now: Timestamp) {
    refill(at: now)
    self.rate = max(1, rate.millionthsPerSecond)
    capacity = Int64(max(1, burst)) * Self.token
    level = min(level, capacity)
  }

  /// Pours out all but one token.
  mutating func drain(at now: Timestamp) {
    refill(at: now)
    level = min(level, Self.token)
  }

  /// Takes a token, where there is a whole one.
  mutating func take(at now: Timestamp) -> Bool {
    refill(at: now)
    guard level >= Self.token else { return false }
    level -= Self.token
    return true
  }

  /// When the bucket has a whole token, if none is taken before.
  func nextToken(at now: Timestamp) -> Timestamp {
    var copy = self
    copy.refill(at: now)
    let missing = Self.token - copy.level
    return missing <= 0 ? now : now + .microseconds((missing + rate - 1) / rate)
  }

  private mutating func refill(at now: Timestamp) {
    let elapsed = (now - filledAt).microseconds
    guard elapsed > 0 else { return }
    filledAt = now
    let untilFull = (capacity - level + rate - 1) / rate
    level = elapsed >= untilFull ? capacity : level + elapsed * rate
  }
}
