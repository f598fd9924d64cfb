/// A document in the index over one of its fields.
struct IndexEntry: Comparable, Sendable {
  let value: Firestore.Value
  let path: Firestore.Path

  /// Whether both stand at one place of the index.
  static func == (left: IndexEntry, right: IndexEntry) -> Bool {
    left.path == right.path && left.value.isSame(as: right.value)
  }

  /// By value, then by path.
  static func < (left: IndexEntry, right: IndexEntry) -> Bool {
    let order = left.value.order(to: right.value)
    return order == .same ? left.path < right.path : order == .before
  }
}
