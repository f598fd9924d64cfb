/// A `UInt64` as a set of the numbers 0 to 63.
extension UInt64 {
  /// The set of a range of numbers.
  init(bits range: ClosedRange<Int>) {
    self = (UInt64.max << UInt64(range.lowerBound)) & (UInt64.max >> UInt64(63 - range.upperBound))
  }

  func contains(_ bit: Int) -> Bool {
    self &>> UInt64(truncatingIfNeeded: bit) & 1 == 1
  }

  mutating func insert(_ bit: Int) {
    self |= 1 &<< UInt64(truncatingIfNeeded: bit)
  }

  /// The smallest member that is not below a number from 0 to 63.
  func firstBit(from bit: Int) -> Int? {
    let rest = self &>> UInt64(truncatingIfNeeded: bit)
    return rest == 0 ? nil : bit &+ rest.trailingZeroBitCount
  }

  /// The largest member that is not above a number from −1 to 63.
  func lastBit(through bit: Int) -> Int? {
    guard bit >= 0 else { return nil }
    let rest = self & (UInt64.max &>> UInt64(truncatingIfNeeded: 63 &- bit))
    return rest == 0 ? nil : 63 &- rest.leadingZeroBitCount
  }

  /// The members in ascending order.
  var members: [Int] {
    (0..<64).filter { contains($0) }
  }
}
