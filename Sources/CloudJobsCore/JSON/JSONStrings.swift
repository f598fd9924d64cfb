/// The position of a string's content between its quotes, and the properties that decide how it is decoded.
struct JSONStringSpan {
  /// The offset after the opening quote.
  var start: Int
  /// The offset of the closing quote.
  var end: Int
  /// Whether the content has escapes.
  var hasEscapes = false
  /// Whether the content is all ASCII.
  var isASCII = true

  /// Whether strings with equal content have equal bytes.
  var isPlain: Bool { isASCII && !hasEscapes }
}

extension JSONParser {
  /// Validates and skips a string, including both quotes.
  mutating func scanString() throws(JobError) -> JSONStringSpan {
    position += 1
    var span = JSONStringSpan(start: position, end: position)
    while position < input.count {
      let byte = input[position]
      switch byte {
      case UInt8(ascii: "\""):
        span.end = position
        position += 1
        return span
      case UInt8(ascii: "\\"):
        span.hasEscapes = true
        try scanEscape()
      case 0..<0x20: throw fault("a control character in a string is not escaped")
      case 0x20..<0x80: position += 1
      default:
        span.isASCII = false
        guard let length = sequenceLength(leadBy: byte) else { throw fault("a string is not valid UTF-8") }
        position += length
      }
    }
    throw fault("a string is not terminated")
  }

  /// Returns the text of a validated string.
  func string(_ span: JSONStringSpan) -> String {
    guard span.hasEscapes else { return String(decoding: input[span.start..<span.end], as: UTF8.self) }
    var bytes = [UInt8]()
    bytes.reserveCapacity(span.end - span.start)
    var place = span.start
    while place < span.end {
      let byte = input[place]
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        place += 1
        continue
      }
      place += 2
      switch input[place - 1] {
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0C)
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "u"):
        var code = codeUnit(at: place) ?? 0
        place += 4
        if (0xD800..<0xDC00).contains(code) {
          code = 0x10000 + (code - 0xD800) << 10 + ((codeUnit(at: place + 2) ?? 0xDC00) - 0xDC00)
          place += 6
        }
        if let scalar = Unicode.Scalar(code) { bytes += Array(String(scalar).utf8) }
      case let other: bytes.append(other)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Returns whether two strings that need no decoding are equal.
  func areEqual(_ left: JSONStringSpan, _ right: JSONStringSpan) -> Bool {
    guard left.end - left.start == right.end - right.start else { return false }
    var offset = 0
    while left.start + offset < left.end {
      if input[left.start + offset] != input[right.start + offset] { return false }
      offset += 1
    }
    return true
  }

  private mutating func scanEscape() throws(JobError) {
    guard position + 1 < input.count else { throw fault("a string is not terminated") }
    switch input[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    case UInt8(ascii: "u"):
      guard let code = codeUnit(at: position + 2) else {
        throw fault("\\u must be followed by four hexadecimal digits")
      }
      guard (0xD800..<0xE000).contains(code) else {
        position += 6
        return
      }
      guard code < 0xDC00, position + 7 < input.count, input[position + 6] == UInt8(ascii: "\\"),
        input[position + 7] == UInt8(ascii: "u"), let low = codeUnit(at: position + 8),
        (0xDC00..<0xE000).contains(low)
      else { throw fault("a surrogate is not paired") }
      position += 12
    default: throw fault("an escape is invalid")
    }
  }

  /// Returns the value of four hexadecimal digits at an offset, or nil if there are fewer.
  private func codeUnit(at place: Int) -> UInt32? {
    guard place + 4 <= input.count else { return nil }
    var code: UInt32 = 0
    for byte in input[place..<place + 4] {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      code = code << 4 | UInt32(digit)
    }
    return code
  }

  /// Returns the length of the well-formed multi-byte sequence at the position, or nil if it is invalid.
  ///
  /// Source: table 3-7 of the Unicode standard (<https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/>).
  private func sequenceLength(leadBy lead: UInt8) -> Int? {
    let length: Int
    let second: ClosedRange<UInt8>
    switch lead {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard position + length <= input.count, second.contains(input[position + 1]) else { return nil }
    if length > 2, input[position + 2] & 0xC0 != 0x80 { return nil }
    if length > 3, input[position + 3] & 0xC0 != 0x80 { return nil }
    return length
  }
}
