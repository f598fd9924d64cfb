/// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The range is years 1 to 9999, the range of RFC 3339 timestamps (<https://www.rfc-editor.org/rfc/rfc3339>) and of
/// Google's `Timestamp` message. Arithmetic saturates at the ends of the range, so no input can trap.
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

  /// Creates a time from microseconds since 1970; values outside years 1 to 9999 saturate.
  public init(microseconds: Int64) {
    self.microseconds = min(max(microseconds, Self.distantPast.microseconds), Self.distantFuture.microseconds)
  }

  /// Creates a time from milliseconds since 1970; saturates like ``init(microseconds:)``.
  public init(milliseconds: Int64) {
    let product = milliseconds.multipliedReportingOverflow(by: 1_000)
    self.init(microseconds: product.overflow ? (milliseconds < 0 ? .min : .max) : product.partialValue)
  }

  /// Creates a time from whole seconds since 1970; saturates like ``init(microseconds:)``.
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

  /// Chronological order.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// Returns the time later by a duration; saturates.
  public static func + (time: Timestamp, span: Duration) -> Timestamp {
    let sum = time.microseconds.addingReportingOverflow(span.microseconds)
    return Timestamp(microseconds: sum.overflow ? (span < .zero ? .min : .max) : sum.partialValue)
  }

  /// Returns the time earlier by a duration; saturates.
  public static func - (time: Timestamp, span: Duration) -> Timestamp {
    let difference = time.microseconds.subtractingReportingOverflow(span.microseconds)
    return Timestamp(microseconds: difference.overflow ? (span < .zero ? .max : .min) : difference.partialValue)
  }

  /// Returns the duration from the right time to the left one.
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .microseconds(left.microseconds - right.microseconds)
  }
}

extension Duration {
  /// The duration in whole microseconds, rounded towards zero; saturates at the ends of `Int64`.
  package var microseconds: Int64 {
    // Beyond this, the components themselves may not fit.
    guard self < Self.longest else { return .max }
    guard self > .zero - Self.longest else { return .min }
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }

  /// The duration of `Int64.max` microseconds.
  private static let longest = Duration.microseconds(Int64.max)

  /// Returns a duration of whole minutes; saturates at `Int64.max` seconds.
  package static func minutes(_ count: Int) -> Duration {
    .seconds(Int64(count).saturatingMultiplication(by: 60))
  }

  /// Returns a duration of whole hours; saturates at `Int64.max` seconds.
  package static func hours(_ count: Int) -> Duration {
    .seconds(Int64(count).saturatingMultiplication(by: 3_600))
  }

  /// Returns a duration of days of 24 hours; saturates at `Int64.max` seconds.
  package static func days(_ count: Int) -> Duration {
    .seconds(Int64(count).saturatingMultiplication(by: 86_400))
  }
}

extension Int64 {
  /// Returns the quotient rounded down and the remainder, which is not negative; the divisor must be positive.
  package func flooringDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// Returns the product, or the end of the range in its direction if it overflows.
  package func saturatingMultiplication(by factor: Int64) -> Int64 {
    let product = multipliedReportingOverflow(by: factor)
    return product.overflow ? ((self < 0) == (factor < 0) ? .max : .min) : product.partialValue
  }
}

extension Timestamp {
  /// Creates a time from Unix seconds in decimal digits with an optional fraction (`1795229640.25`); nil for other
  /// text.
  ///
  /// Cloud Tasks uses this form in `X-CloudTasks-TaskETA`. Digits beyond microseconds are dropped. The text is not
  /// converted to a floating-point number, which could not represent it exactly.
  package init?(unixSeconds text: some StringProtocol) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, (1...12).contains(whole.count), let seconds = CivilDate.number(Array(whole)[...]),
      let fraction = parts.count == 2 ? Self.microseconds(Array(parts[1])) : 0
    else { return nil }
    self.init(microseconds: Int64(seconds) * 1_000_000 + fraction)
  }

  /// Returns the microseconds of a fraction's digits, or nil if there are none or other characters.
  private static func microseconds(_ digits: [UInt8]) -> Int64? {
    guard !digits.isEmpty, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
    return (0..<6).reduce(0) { value, index in
      value * 10 + (index < digits.count ? Int64(digits[index] - UInt8(ascii: "0")) : 0)
    }
  }
}

extension Timestamp: CustomStringConvertible {
  /// The time in UTC in RFC 3339 form, `2026-11-21T02:54:00Z`, with a fraction of three or six digits if it is not zero
  /// (`2026-11-21T02:54:00.250Z`).
  public var description: String {
    var text = [UInt8]()
    text.reserveCapacity(27)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the time in the form of ``description``.
  func append(to text: inout [UInt8]) {
    let (days, secondOfDay) = seconds.flooringDivision(by: 86_400)
    let date = CivilDate(daysSinceEpoch: Int(days))
    Self.appendDigits(date.year, width: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    Self.appendDigits(date.month, width: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    Self.appendDigits(date.day, width: 2, to: &text)
    text.append(UInt8(ascii: "T"))
    Self.appendDigits(Int(secondOfDay / 3_600), width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    Self.appendDigits(Int(secondOfDay / 60 % 60), width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    Self.appendDigits(Int(secondOfDay % 60), width: 2, to: &text)
    if fraction % 1_000 != 0 {
      text.append(UInt8(ascii: "."))
      Self.appendDigits(Int(fraction), width: 6, to: &text)
    } else if fraction != 0 {
      text.append(UInt8(ascii: "."))
      Self.appendDigits(Int(fraction / 1_000), width: 3, to: &text)
    }
    text.append(UInt8(ascii: "Z"))
  }

  /// Appends a non-negative number, padded with zeros to a width.
  static func appendDigits(_ number: Int, width: Int, to text: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}

extension Timestamp {
  /// Creates a time from RFC 3339 text (`2026-11-21T02:54:00.25+01:00`); nil for other text.
  ///
  /// Two ISO 8601 forms that are common in stored documents are also accepted: a time without an offset, which means
  /// UTC, and a bare date, which means midnight UTC. A leap second (`:60`) becomes the following second. Digits beyond
  /// microseconds are dropped.
  public init?(rfc3339 text: some StringProtocol) {
    if let common = text.utf8.withContiguousStorageIfAvailable({ Timestamp(commonForm: $0) }) ?? nil {
      self = common
      return
    }
    let bytes = Array(text.utf8)
    guard bytes.count >= 10, let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
    var reader = TimeReader(bytes: bytes, position: 10)
    guard let secondOfDay = reader.timeOfDay(), let fraction = reader.fraction(), let offset = reader.offset(),
      reader.position == bytes.count
    else { return nil }
    let seconds = Int64(date.daysSinceEpoch) * 86_400 + secondOfDay - offset
    self.init(microseconds: seconds * 1_000_000 + fraction)
  }

  /// Creates a time from a text in the form of ``description`` with a fraction of six digits or none, in which most are
  /// stored; nil for all others, valid or not.
  init?(commonForm text: UnsafeBufferPointer<UInt8>) {
    guard text.count == 20 || (text.count == 27 && text[19] == UInt8(ascii: ".")), text[4] == UInt8(ascii: "-"),
      text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"),
      text[16] == UInt8(ascii: ":"), text[text.count - 1] == UInt8(ascii: "Z")
    else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      var number: Int64 = 0
      for place in range {
        let digit = text[place] &- UInt8(ascii: "0")
        if digit > 9 { return nil }
        number = number * 10 + Int64(digit)
      }
      return number
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      year >= 1, (1...12).contains(month), (1...31).contains(day),
      day <= CivilDate.daysInMonth(Int(month), of: Int(year)), let hour = number(11..<13), hour < 24,
      let minute = number(14..<16), minute < 60, let second = number(17..<19), second < 60,
      let fraction = text.count == 27 ? number(20..<26) : 0
    else { return nil }
    let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
    let seconds = Int64(date.daysSinceEpoch) * 86_400 + hour * 3_600 + minute * 60 + second
    self.init(microseconds: seconds * 1_000_000 + fraction)
  }

  /// A parser for the parts of RFC 3339 text after the date.
  private struct TimeReader {
    let bytes: [UInt8]
    var position: Int

    mutating func take(_ characters: String) -> Bool {
      guard position < bytes.count, characters.utf8.contains(bytes[position]) else { return false }
      position += 1
      return true
    }

    mutating func twoDigits(below limit: Int) -> Int64? {
      guard position + 2 <= bytes.count, let value = CivilDate.number(bytes[position..<position + 2]), value < limit
      else { return nil }
      position += 2
      return Int64(value)
    }

    mutating func timeOfDay() -> Int64? {
      if position == bytes.count { return 0 }
      guard take("Tt "), let hour = twoDigits(below: 24), take(":"), let minute = twoDigits(below: 60) else {
        return nil
      }
      guard take(":") else { return hour * 3_600 + minute * 60 }
      guard let second = twoDigits(below: 61) else { return nil }
      return hour * 3_600 + minute * 60 + second
    }

    mutating func fraction() -> Int64? {
      guard take(".") else { return 0 }
      let start = position
      var value: Int64 = 0
      while position < bytes.count, let digit = CivilDate.number(bytes[position...position]) {
        if position - start < 6 { value = value * 10 + Int64(digit) }
        position += 1
      }
      let count = position - start
      guard count > 0 else { return nil }
      for _ in min(count, 6)..<6 { value *= 10 }
      return value
    }

    mutating func offset() -> Int64? {
      if position == bytes.count || take("Zz") { return 0 }
      let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
      guard take("+-"), let hours = twoDigits(below: 24) else { return nil }
      _ = take(":")
      guard let minutes = twoDigits(below: 60) else { return nil }
      return (isNegative ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }
  }
}

extension Timestamp: Codable {
  /// Decodes a time from an integer; saturates like ``init(microseconds:)``.
  public init(from decoder: any Decoder) throws { self.init(microseconds: try Int64(from: decoder)) }

  /// Encodes the microseconds since 1970 as an integer.
  public func encode(to encoder: any Encoder) throws { try microseconds.encode(to: encoder) }
}
