extension CloudTasks {
  /// A rate of dispatches, in millionths per second: exact where the wire's floating-point number is not.
  public struct DispatchRate: Hashable, Comparable, Sendable, Codable {
    /// Millionths of a dispatch per second.
    public let millionthsPerSecond: Int64

    /// A rate in millionths per second.
    public init(millionthsPerSecond: Int64) {
      self.millionthsPerSecond = millionthsPerSecond
    }

    /// A whole rate.
    public static func perSecond(_ count: Int64) -> DispatchRate {
      DispatchRate(millionthsPerSecond: count * 1_000_000)
    }

    /// The order of speed.
    public static func < (left: DispatchRate, right: DispatchRate) -> Bool {
      left.millionthsPerSecond < right.millionthsPerSecond
    }
  }
}
