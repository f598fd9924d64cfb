import CloudJobsCore

/// The documents of a scope in the order of their paths, and indexes over those of their fields that queries asked for.
struct CollectionIndex: Sendable {
  /// The documents.
  private(set) var members = SortedSet<Firestore.Path>()
  /// When a document of the scope last came, changed or went.
  private(set) var lastChange = Timestamp.distantPast
  private var fields: [Firestore.FieldPath: SortedSet<IndexEntry>] = [:]

  /// The index over a field, if there is one.
  func index(on path: Firestore.FieldPath) -> SortedSet<IndexEntry>? { fields[path] }

  /// Makes the index over a field, unless there is one.
  mutating func build(_ path: Firestore.FieldPath, _ documents: [Firestore.Path: Firestore.Document]) {
    guard fields[path] == nil else { return }
    var entries: [IndexEntry] = []
    entries.reserveCapacity(members.count)
    members.visit(from: members.start, to: members.end, isReversed: false) { member in
      if let value = documents[member]?[path] { entries.append(IndexEntry(value: value, path: member)) }
      return true
    }
    // Members come in the order of paths, and sorting is stable enough for the order of entries, which is total.
    entries.sort()
    fields[path] = SortedSet(sorted: entries)
  }

  /// Follows a document's change: from what it was to what it is, nil where it is missing.
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

  /// Notes that a document came, changed or went.
  mutating func note(changeAt time: Timestamp) {
    lastChange = max(lastChange, time)
  }
}
