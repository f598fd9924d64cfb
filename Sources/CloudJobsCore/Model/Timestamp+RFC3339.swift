extension Timestamp: CustomStringConvertible {
  /// The time in UTC as RFC 3339 writes it: `2026-11-21T02:54:00Z`, with three or six digits of a fraction where
  /// there is one (`2026-11-21T02:54:00.250Z`).
  public var description: String {
    let (days, secondOfDay) = seconds.flooringDivision(by: 86_400)
    let date = CivilDate(daysSinceEpoch: Int(days))
    var text = [UInt8]()
    text.reserveCapacity(27)
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
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends a number that is not negative, padded with zeros to a width.
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
  /// A time from RFC 3339 text (`2026-11-21T02:54:00.25+01:00`), or nil where the text is not one.
  ///
  /// Two forms of ISO 8601 that are common in stored documents are taken too: a time without an offset, which means
  /// UTC, and a bare date, which means its midnight in UTC. A leap second (`:60`) becomes the second after it; digits
  /// past the microsecond are dropped.
  public init?(rfc3339 text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 10, let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
    var reader = TimeReader(bytes: bytes, position: 10)
    guard let secondOfDay = reader.timeOfDay(), let fraction = reader.fraction(), let offset = reader.offset(),
      reader.position == bytes.count
    else { return nil }
    let seconds = Int64(date.daysSinceEpoch) * 86_400 + secondOfDay - offset
    self.init(microseconds: seconds * 1_000_000 + fraction)
  }

  /// Reads the parts of an RFC 3339 text that follow the date.
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
