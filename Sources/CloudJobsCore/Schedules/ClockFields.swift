/// Hours, minutes and seconds as sets of bits; none of the three is empty.
struct ClockFields: Hashable, Sendable {
  var hours: UInt64
  var minutes: UInt64
  var seconds: UInt64

  var first: Int {
    hours.trailingZeroBitCount * 3_600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
  }

  var last: Int {
    (63 - hours.leadingZeroBitCount) * 3_600 + (63 - minutes.leadingZeroBitCount) * 60
      + (63 - seconds.leadingZeroBitCount)
  }

  func next(from second: Int) -> Int? {
    let (hour, rest) = second.quotientAndRemainder(dividingBy: 3_600)
    if hours.contains(hour) {
      let (minute, second) = rest.quotientAndRemainder(dividingBy: 60)
      if minutes.contains(minute), let found = seconds.firstBit(from: second) {
        return hour * 3_600 + minute * 60 + found
      }
      if let found = minutes.firstBit(from: minute + 1) {
        return hour * 3_600 + found * 60 + seconds.trailingZeroBitCount
      }
    }
    guard let found = hours.firstBit(from: hour + 1) else { return nil }
    return found * 3_600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
  }

  func previous(through second: Int) -> Int? {
    let (hour, rest) = second.quotientAndRemainder(dividingBy: 3_600)
    if hours.contains(hour) {
      let (minute, second) = rest.quotientAndRemainder(dividingBy: 60)
      if minutes.contains(minute), let found = seconds.lastBit(through: second) {
        return hour * 3_600 + minute * 60 + found
      }
      if let found = minutes.lastBit(through: minute - 1) {
        return hour * 3_600 + found * 60 + 63 - seconds.leadingZeroBitCount
      }
    }
    guard let found = hours.lastBit(through: hour - 1) else { return nil }
    return found * 3_600 + (63 - minutes.leadingZeroBitCount) * 60 + 63 - seconds.leadingZeroBitCount
  }
}
