import CloudJobsCore

extension WireTime {
  /// A point in time in the form of RFC 3339, with 0, 3, 6 or 9 fractional digits.
  var timestampText: String {
    let days = seconds.flooringDivision(by: 86_400)
    let date = CivilDate(daysSinceEpoch: Int(days.quotient))
    let (hour, rest) = Int(days.remainder).quotientAndRemainder(dividingBy: 3_600)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(date)T\(two(hour)):\(two(rest / 60)):\(two(rest % 60))\(Self.fraction(nanoseconds.magnitude))Z"
  }

  /// A span in seconds, with 0, 3, 6 or 9 fractional digits.
  var durationText: String {
    let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
    return "\(sign)\(seconds.magnitude)\(Self.fraction(nanoseconds.magnitude))s"
  }

  private static func fraction(_ nanoseconds: UInt32) -> String {
    if nanoseconds == 0 { return "" }
    var digits = String(nanoseconds)
    digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while digits.hasSuffix("000") { digits.removeLast(3) }
    return "." + digits
  }

}

/// The texts of points in time and of spans.
enum WellKnownText {
  /// Why a text is none.
  struct Fault: Error, Hashable {
    /// What is wrong, in the words of the converter.
    var remark: String

    static let zone = Fault(
      remark: "Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone offset.")
    static let time = Fault(remark: "Invalid time format: Failed to parse input")
    static let timeFraction = Fault(remark: "Invalid time format, failed to parse nano seconds")
    static let timeRange = Fault(remark: "Timestamp value exceeds limits")
    static let unit = Fault(remark: "Illegal duration format; duration must end with 's'")
    static let seconds = Fault(remark: "Invalid duration format, failed to parse seconds")
    static let fraction = Fault(remark: "Invalid duration format, failed to parse nano seconds")
    static let range = Fault(remark: "Duration value exceeds limits")
  }

  /// Reads a point in time: RFC 3339 with `Z` or an offset.
  static func timestamp(_ text: String) throws(Fault) -> WireTime {
    let bytes = Array(text.utf8)
    let offset = try Self.offset(bytes)
    let end = bytes.count - offset.length
    guard end >= 19, bytes[10] == UInt8(ascii: "T"),
      let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"), let hour = digits(bytes[11..<13]), let minute = digits(bytes[14..<16]),
      let second = digits(bytes[17..<19]), hour < 24, minute < 60, second < 60
    else { throw .time }
    let nanoseconds = try fraction(bytes[19..<end], invalid: .timeFraction, tooLong: .timeRange)
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset.seconds
    let time = WireTime(seconds: Int64(seconds), nanoseconds: nanoseconds)
    guard time.isTimestamp else { throw .timeRange }
    return time
  }

  /// Reads a span: seconds with up to nine fractional digits, and `s`.
  static func duration(_ text: String) throws(Fault) -> WireTime {
    guard text.hasSuffix("s") else { throw .unit }
    var rest = Array(text.utf8.dropLast())[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest = rest.dropFirst() }
    let whole = rest.prefix { $0 != UInt8(ascii: ".") }
    guard whole.count <= 18, let seconds = digits(whole) else { throw .seconds }
    let nanoseconds = try fraction(rest[whole.endIndex...], invalid: .fraction, tooLong: .range)
    let time = WireTime(
      seconds: Int64(isNegative ? -seconds : seconds), nanoseconds: isNegative ? -nanoseconds : nanoseconds)
    guard time.isDuration else { throw .range }
    return time
  }

  /// Returns the nanoseconds of a point and one to nine digits; 0 for nothing.
  private static func fraction(
    _ text: ArraySlice<UInt8>, invalid: Fault, tooLong: Fault
  ) throws(Fault) -> Int32 {
    if text.isEmpty { return 0 }
    guard text.first == UInt8(ascii: "."), text.count <= 19, var number = digits(text.dropFirst()) else {
      throw invalid
    }
    guard text.count <= 10 else { throw tooLong }
    for _ in text.count..<10 { number *= 10 }
    return Int32(number)
  }

  /// Returns the offset at the end of a text, in seconds, and the length of its own text.
  private static func offset(_ text: [UInt8]) throws(Fault) -> (seconds: Int, length: Int) {
    if text.last == UInt8(ascii: "Z") { return (0, 1) }
    let offset = text.suffix(6)
    let start = offset.startIndex
    guard text.count > 16, let sign = offset.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
      offset[start + 3] == UInt8(ascii: ":"), let hours = digits(offset[(start + 1)..<(start + 3)]),
      let minutes = digits(offset[(start + 4)...]), hours < 24, minutes < 60
    else { throw .zone }
    return ((hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -60 : 60), 6)
  }

  private static func digits(_ text: ArraySlice<UInt8>) -> Int? {
    if text.isEmpty || text.count > 18 { return nil }
    var number = 0
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }
}
