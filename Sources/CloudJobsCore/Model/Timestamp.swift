/// A point in time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// The range is years 1 to 9999, the range of an RFC 3339 timestamp (<https://www.rfc-editor.org/rfc/rfc3339>) and of
/// Google's `Timestamp` message; arithmetic saturates at its ends, so that no input can trap.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Microseconds since the epoch.
  public let microseconds: Int64

  /// The earliest representable time, 0001-01-01T00:00:00Z.
  public static let distantPast = Timestamp(clamped: -62_135_596_800_000_000)
  /// The latest representable time, 9999-12-31T23:59:59.999999Z.
  public static let distantFuture = Timestamp(clamped: 253_402_300_799_999_999)
  /// 1970-01-01T00:00:00Z.
  public static let epoch = Timestamp(clamped: 0)

  private init(clamped microseconds: Int64) {
    self.microseconds = microseconds
  }

  /// A time from microseconds since 1970; values outside years 1 to 9999 saturate.
  public init(microseconds: Int64) {
    self.microseconds = min(max(microseconds, Self.distantPast.microseconds), Self.distantFuture.microseconds)
  }

  /// A time from milliseconds since 1970; saturates like ``init(microseconds:)``.
  public init(milliseconds: Int64) {
    let product = milliseconds.multipliedReportingOverflow(by: 1_000)
    self.init(microseconds: product.overflow ? (milliseconds < 0 ? .min : .max) : product.partialValue)
  }

  /// A time from whole seconds since 1970; saturates like ``init(microseconds:)``.
  public init(seconds: Int64) {
    let product = seconds.multipliedReportingOverflow(by: 1_000_000)
    self.init(microseconds: product.overflow ? (seconds < 0 ? .min : .max) : product.partialValue)
  }

  /// Whole seconds since 1970, rounded down.
  public var seconds: Int64 {
    microseconds.flooringDivision(by: 1_000_000).quotient
  }

  /// The microseconds past ``seconds``, from 0 to 999,999.
  public var fraction: Int64 {
    microseconds.flooringDivision(by: 1_000_000).remainder
  }

  /// The order of time.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// The time a duration later; saturates.
  public static func + (time: Timestamp, span: Duration) -> Timestamp {
    let sum = time.microseconds.addingReportingOverflow(span.microseconds)
    return Timestamp(microseconds: sum.overflow ? (span < .zero ? .min : .max) : sum.partialValue)
  }

  /// The time a duration earlier; saturates.
  public static func - (time: Timestamp, span: Duration) -> Timestamp {
    let difference = time.microseconds.subtractingReportingOverflow(span.microseconds)
    return Timestamp(microseconds: difference.overflow ? (span < .zero ? .max : .min) : difference.partialValue)
  }

  /// The span from the right time to the left one.
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .microseconds(left.microseconds - right.microseconds)
  }
}

extension Duration {
  /// The span in whole microseconds, rounded towards zero; saturates at the ends of `Int64`.
  public var microseconds: Int64 {
    // Beyond this, the components themselves may not fit.
    guard self < Self.longest else { return .max }
    guard self > .zero - Self.longest else { return .min }
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }

  /// The span of `Int64.max` microseconds.
  private static let longest = Duration.microseconds(Int64.max)

  /// A span of whole minutes; saturates at `Int64.max` seconds.
  public static func minutes(_ count: Int) -> Duration {
    .seconds(Int64(count).saturatingMultiplication(by: 60))
  }

  /// A span of whole hours; saturates at `Int64.max` seconds.
  public static func hours(_ count: Int) -> Duration {
    .seconds(Int64(count).saturatingMultiplication(by: 3_600))
  }

  /// A span of days of 24 hours; saturates at `Int64.max` seconds.
  public static func days(_ count: Int) -> Duration {
    .seconds(Int64(count).saturatingMultiplication(by: 86_400))
  }
}

extension Int64 {
  /// Quotient rounded down and remainder with the divisor's sign; the divisor must be positive.
  package func flooringDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// The product, or the end of the range in the product's direction.
  package func saturatingMultiplication(by factor: Int64) -> Int64 {
    let product = multipliedReportingOverflow(by: factor)
    return product.overflow ? ((self < 0) == (factor < 0) ? .max : .min) : product.partialValue
  }
}
