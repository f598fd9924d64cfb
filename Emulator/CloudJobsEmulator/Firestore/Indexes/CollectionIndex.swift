import CloudJobsCore

/// The sorted documents of a scope, with indexes on the fields that queries have used.
struct CollectionIndex: Sendable {
  /// The documents.
  private(set) var members = SortedSet<Firestore.Path>()
  /// The time of the latest creation, change or deletion in the scope.
  private(set) var lastChange = Timestamp.distantPast
  private var fields: [Firestore.FieldPath: SortedSet<IndexEntry>] = [:]

  /// Returns the index on a field, or nil if there is none.
  func index(on path: Firestore.FieldPath) -> SortedSet<IndexEntry>? { fields[path] }

  /// Builds the index on a field unless it exists.
  mutating func build(_ path: Firestore.FieldPath, _ documents: [Firestore.Path: Firestore.Document]) {
    guard fields[path] == nil else { return }
    var entries: [IndexEntry] = []
    entries.reserveCapacity(members.count)
    members.visit(from: members.start, to: members.end, isReversed: false) { member in
      if let value = documents[member]?[path] { entries.append(IndexEntry(value: value, path: member)) }
      return true
    }
    // The order of entries is total, so sorting need not be stable.
    entries.sort()
    fields[path] = SortedSet(sorted: entries)
  }

  /// Updates the indexes after a change of a document; nil stands for a missing document.
  mutating func update(
    _ member: Firestore.Path, from old: Firestore.Document?, to new: Firestore.Document?, at time: Timestamp
  ) {
    note(changeAt: time)
    if old == nil { members.insert(member) }
    if new == nil { members.remove(member) }
    for path in fields.keys {
      let (before, after) = (old?[path], new?[path])
      if before == after { continue }
      if let before { fields[path]?.remove(IndexEntry(value: before, path: member)) }
      if let after { fields[path]?.insert(IndexEntry(value: after, path: member)) }
    }
  }

  /// Records the time of a creation, change or deletion.
  mutating func note(changeAt time: Timestamp) {
    lastChange = max(lastChange, time)
  }
}

/// An entry of an index on one field.
struct IndexEntry: Comparable, Sendable {
  let value: Firestore.Value
  let path: Firestore.Path

  /// Returns whether two entries have the same position in the index.
  static func == (left: IndexEntry, right: IndexEntry) -> Bool {
    left.path == right.path && left.value.isSame(as: right.value)
  }

  /// Orders entries by value, then by path.
  static func < (left: IndexEntry, right: IndexEntry) -> Bool {
    let order = left.value.order(to: right.value)
    return order == .same ? left.path < right.path : order == .before
  }
}

/// A set of documents with its own indexes.
enum IndexScope: Hashable, Sendable, Codable {
  /// The documents of one collection.
  case collection(Firestore.Path)
  /// The documents of all collections with an ID.
  case group(String)
}
