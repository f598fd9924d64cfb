#if HTTP
/// How often a call to a Google service is tried, and how long between.
public struct CallRetry: Hashable, Sendable {
  /// The tries in all, at least one.
  public var tries = 3
  /// The delay before the second try; it doubles from then on, less up to half by chance.
  public var delay = Duration.milliseconds(200)

  /// Three tries.
  public init() {}
}
#endif
