/// A value that equals another one if queries and array transforms treat them as equal: `1` and `1.0` do.
///
/// Sets of them find an element in constant time.
struct ComparableValue: Hashable {
  private let value: Firestore.Value

  /// Wraps a value.
  init(_ value: Firestore.Value) {
    self.value = value
  }

  /// Returns whether the order of values has them at the same place.
  static func == (left: ComparableValue, right: ComparableValue) -> Bool { left.value.isSame(as: right.value) }

  /// Hashes what equal values have in common.
  func hash(into hasher: inout Hasher) { Self.hash(value, into: &hasher) }

  private static func hash(_ value: Firestore.Value, into hasher: inout Hasher) {
    hasher.combine(value.kind)
    switch value {
    case .null: break
    case .boolean(let truth): hasher.combine(truth)
    case .integer(let number): hasher.combine(number)
    case .double(let number): hash(number, into: &hasher)
    case .timestamp(let time): hasher.combine(time)
    case .string(let text): text.utf8.forEach { hasher.combine($0) }
    case .bytes(let bytes): hasher.combine(bytes)
    case .reference(let name): hasher.combine(name)
    case .geoPoint(let latitude, let longitude):
      hash(latitude, into: &hasher)
      hash(longitude, into: &hasher)
    case .array(let elements):
      hasher.combine(elements.count)
      for element in elements { hash(element, into: &hasher) }
    case .map(let fields):
      // The order of a dictionary's members differs, so their hashes are added.
      var sum = 0
      for (name, value) in fields {
        var member = Hasher()
        name.utf8.forEach { member.combine($0) }
        hash(value, into: &member)
        sum &+= member.finalize()
      }
      hasher.combine(sum)
    }
  }

  /// Hashes a number: as an integer where it is one, and NaN equals NaN.
  private static func hash(_ number: Double, into hasher: inout Hasher) {
    if let whole = Int64(exactly: number) { return hasher.combine(whole) }
    hasher.combine(number.isNaN ? .nan : number)
  }
}
