extension JSONParser {
  /// Reads a number: an integer where it is written as one and fits 64 bits, otherwise a float.
  mutating func number() throws(JobError) -> JSONValue {
    let start = position
    let isInteger = try scanNumber()
    if isInteger, let value = integer(in: start..<position) { return .integer(value) }
    return .double(try float(from: start))
  }

  /// Checks a number and passes over it.
  mutating func skipNumber() throws(JobError) {
    let start = position
    // A number in 300 characters without an exponent is finite whatever its digits are.
    if try !scanNumber() || position - start > 300 { _ = try float(from: start) }
  }

  /// Passes over the text of a number; whether it has neither fraction nor exponent.
  private mutating func scanNumber() throws(JobError) -> Bool {
    var isInteger = true
    let isNegative = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if position < input.count, isDigit(input[position]) { throw fault("a number has a leading zero") }
    } else {
      guard isNegative || isDigit(input[position]) else { throw fault("no value begins with this byte") }
      try digits()
    }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return isInteger
  }

  private mutating func digits() throws(JobError) {
    let start = position
    while position < input.count, isDigit(input[position]) { position += 1 }
    if position == start { throw fault("a digit should stand here") }
  }

  /// The value of an integer's text, or nil where it does not fit.
  private func integer(in range: Range<Int>) -> Int64? {
    let isNegative = input[range.lowerBound] == UInt8(ascii: "-")
    var value: Int64 = 0
    for byte in input[(isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound] {
      let (product, isLarge) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(byte - UInt8(ascii: "0"))
      let (sum, isLarger) = product.addingReportingOverflow(isNegative ? -digit : digit)
      if isLarge || isLarger { return nil }
      value = sum
    }
    return value
  }

  private func float(from start: Int) throws(JobError) -> Double {
    guard let value = Double(String(decoding: input[start..<position], as: UTF8.self)), value.isFinite else {
      throw fault("a number is out of range")
    }
    return value
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
  }
}
