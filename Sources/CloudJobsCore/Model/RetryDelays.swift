/// The delays between the tries of a call: each twice the last, less up to half by chance, and as long as was asked.
package struct RetryDelays: Sendable {
  /// The longest delay that is worth waiting for within a call.
  package static let longestAsked = Duration.seconds(10)
  private var delay: Duration
  private let longest: Duration

  /// Delays.
  ///
  /// - Parameters:
  ///   - first: the first one.
  ///   - longest: what they do not grow beyond.
  package init(first: Duration, longest: Duration = .minutes(1)) {
    delay = first
    self.longest = longest
  }

  /// The next delay.
  ///
  /// - Parameter random: where chance comes from.
  /// - Returns: the delay.
  package mutating func next(random: inout some RandomNumberGenerator) -> Duration {
    let most = delay.microseconds
    delay = min(.microseconds(most.saturatingMultiplication(by: 2)), longest)
    return .microseconds(most - .random(in: 0...max(0, most / 2), using: &random))
  }

  /// The next delay, where the service may ask for one.
  ///
  /// - Parameters:
  ///   - asked: how long the service asks to wait, where it does (``RetryAfter``).
  ///   - random: where chance comes from.
  /// - Returns: the delay, or nil where the service asks for more than ``longestAsked``: the call had better fail.
  package mutating func next(asked: Duration?, random: inout some RandomNumberGenerator) -> Duration? {
    let asked = asked ?? .zero
    return asked > Self.longestAsked ? nil : max(next(random: &random), asked)
  }
}
