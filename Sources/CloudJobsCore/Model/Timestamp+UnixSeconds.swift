extension Timestamp {
  /// A time from Unix seconds in decimal digits, with a fraction or without (`1795229640.25`), or nil where the text is
  /// not that.
  ///
  /// This is how Cloud Tasks writes `X-CloudTasks-TaskETA`. Digits past the microsecond are dropped; no float is made
  /// of the text, which could not hold it.
  package init?(unixSeconds text: some StringProtocol) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, (1...12).contains(whole.count), let seconds = CivilDate.number(Array(whole)[...]),
      let fraction = parts.count == 2 ? Self.microseconds(Array(parts[1])) : 0
    else { return nil }
    self.init(microseconds: Int64(seconds) * 1_000_000 + fraction)
  }

  /// The microseconds that a fraction's digits mean, or nil where there are none, or other characters.
  private static func microseconds(_ digits: [UInt8]) -> Int64? {
    guard !digits.isEmpty, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
    return (0..<6).reduce(0) { value, index in
      value * 10 + (index < digits.count ? Int64(digits[index] - UInt8(ascii: "0")) : 0)
    }
  }
}
