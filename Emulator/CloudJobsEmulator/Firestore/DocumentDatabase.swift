import CloudJobsCore

/// One database: its current documents, their versions of the last hour and its open transactions.
struct DocumentDatabase: Sendable, Codable {
  /// The members stored in a snapshot; documents, versions and transactions are separate entities.
  private enum CodingKeys: CodingKey {
    case name, horizon, lastTime, lastCommit
  }

  /// Time for which earlier versions can be read.
  static let retention = Duration.hours(1)
  /// Maximum number of earlier versions.
  static let versionLimit = 200_000

  /// An earlier version of a document, nil if it did not exist, and the time of the commit that replaced it.
  struct Version: Sendable, Codable {
    let document: Firestore.Document?
    let end: Timestamp
  }

  let name: Firestore.DatabaseName
  private(set) var documents: [Firestore.Path: Firestore.Document] = [:]
  /// The paths of all documents, sorted.
  private(set) var paths = SortedSet<Firestore.Path>()
  private(set) var indexes: [IndexScope: CollectionIndex] = [:]
  var transactions: [[UInt8]: FirestoreTransaction] = [:]
  private var versions: [Firestore.Path: [Version]] = [:]
  private var versionEnds = ExpiryList<Firestore.Path>()
  private var versionCount = 0
  /// The earliest time that can still be read.
  private(set) var horizon = Timestamp.distantPast
  /// The latest time returned in a response.
  private(set) var lastTime = Timestamp.distantPast
  private(set) var lastCommit = Timestamp.distantPast

  init(_ name: Firestore.DatabaseName) {
    self.name = name
  }

  /// Creates the database that follows one whose documents were all deleted at once, without keeping their versions.
  init(_ name: Firestore.DatabaseName, emptyAfter last: Timestamp) {
    self.name = name
    lastTime = last + .microseconds(1)
    horizon = lastTime
    lastCommit = lastTime
  }

  // MARK: Time

  /// Returns the time of a read, which does not precede any commit that the read sees.
  mutating func readTime(at now: Timestamp) -> Timestamp {
    lastTime = max(lastTime, now)
    return lastTime
  }

  // MARK: Reading

  /// Returns a document as of a time.
  func document(_ path: Firestore.Path, at time: Timestamp) -> Firestore.Document? {
    guard time < lastCommit, let version = versions[path]?.first(where: { time < $0.end }) else {
      return documents[path]
    }
    return version.document
  }

  /// Returns all documents of a scope as of a time, in no particular order.
  func documents(in scope: QueryScope, at time: Timestamp) -> [Firestore.Document] {
    var result: [Firestore.Document] = []
    visit(scope) { path in
      if versions[path] == nil, let document = documents[path] { result.append(document) }
      return true
    }
    for path in versions.keys where scope.contains(path) {
      if let document = document(path, at: time) { result.append(document) }
    }
    return result
  }

  /// Visits the paths of a scope's documents in order until the visitor returns false.
  func visit(_ scope: QueryScope, _ wantsMore: (Firestore.Path) -> Bool) {
    guard case .everything(let parent, _) = scope else {
      guard let members = scope.index.flatMap({ indexes[$0]?.members }) else { return }
      members.visit(from: members.start, to: members.end, isReversed: false) {
        scope.contains($0) ? wantsMore($0) : true
      }
      return
    }
    let lower = paths.position { $0.order(within: parent) != .before }
    let upper = paths.position { $0.order(within: parent) == .after }
    paths.visit(from: lower, to: upper, isReversed: false) { scope.contains($0) ? wantsMore($0) : true }
  }

  /// Returns whether no document of a scope has changed since a time.
  func isUnchanged(_ scope: QueryScope, since time: Timestamp) -> Bool {
    guard lastCommit > time else { return true }
    guard let index = scope.index else { return false }
    return indexes[index].map { $0.lastChange <= time } ?? true
  }

  /// Builds the index on a field of a scope unless it exists.
  mutating func buildIndex(on path: Firestore.FieldPath, of scope: IndexScope) {
    indexes[scope]?.build(path, documents)
  }

  // MARK: Writing

  /// Applies writes atomically and in order.
  ///
  /// - Parameters:
  ///   - writes: validated writes.
  ///   - now: the current time.
  /// - Returns: the commit time and the result of each write.
  /// - Throws: ``ServiceFault`` if one of the writes is rejected; none is applied then.
  mutating func commit(
    _ writes: [Firestore.Write], at now: Timestamp
  ) throws(ServiceFault) -> Firestore.CommitResult {
    // Without writes there is nothing that an earlier read could miss.
    if writes.isEmpty { return Firestore.CommitResult(commitTime: readTime(at: now), writeResults: []) }
    // Later than all commits and all reads that do not see this one.
    let time = max(now, lastTime + .microseconds(1))
    var changes: [Firestore.Path: Firestore.Document?] = [:]
    var results: [Firestore.WriteResult] = []
    results.reserveCapacity(writes.count)
    for write in writes {
      let path = write.name.path
      let present = changes[path] ?? documents[path]
      let (document, result) = try write.apply(to: present, at: time)
      changes[path] = .some(document)
      results.append(result)
    }
    lastTime = time
    for (path, document) in changes { replace(path, with: document, at: time) }
    forgetVersions(at: time)
    return Firestore.CommitResult(commitTime: time, writeResults: results)
  }

  private mutating func replace(_ path: Firestore.Path, with new: Firestore.Document?, at time: Timestamp) {
    let old = documents[path]
    guard old != new else { return }
    lastCommit = time
    put(path, from: old, to: new, at: time)
    keep(Version(document: old, end: time), of: path)
  }

  private mutating func put(
    _ path: Firestore.Path, from old: Firestore.Document?, to new: Firestore.Document?, at time: Timestamp
  ) {
    documents[path] = new
    if old == nil { paths.insert(path) }
    if new == nil { paths.remove(path) }
    for scope in [IndexScope.collection(path.parent), .group(path.collectionID)] {
      indexes[scope, default: CollectionIndex()].update(path, from: old, to: new, at: time)
    }
  }

  /// Stores an earlier version of a document; its end must not precede those of earlier calls.
  mutating func keep(_ version: Version, of path: Firestore.Path) {
    versions[path, default: []].append(version)
    versionEnds.append(path, expiry: version.end)
    versionCount += 1
  }

  private mutating func forgetVersions(at now: Timestamp) {
    while let (end, path) = versionEnds.first, versionCount > Self.versionLimit || end < now - Self.retention {
      versionEnds.removeFirst()
      versionCount -= 1
      horizon = max(horizon, end)
      versions[path]?.removeFirst()
      if versions[path]?.isEmpty == true { versions[path] = nil }
    }
  }

  /// Returns the documents that were changed after a time, by the times of their commits; nil if some are forgotten.
  ///
  /// - Parameters:
  ///   - time: the time.
  ///   - limit: the maximum number of changes, which a commit may exceed.
  /// - Returns: the times with the paths, in order.
  func changes(after time: Timestamp, limit: Int) -> [(time: Timestamp, paths: [Firestore.Path])]? {
    guard time >= horizon else { return nil }
    var changes: [(time: Timestamp, paths: [Firestore.Path])] = []
    var count = 0
    for (end, path) in versionEnds.elements(after: time) {
      if changes.last?.time != end {
        if count >= limit { break }
        changes.append((end, []))
      }
      changes[changes.count - 1].paths.append(path)
      count += 1
    }
    return changes
  }

  // MARK: Snapshots

  /// All earlier versions, in the order of their ends.
  var orderedVersions: [(path: Firestore.Path, version: Version)] {
    var taken: [Firestore.Path: Int] = [:]
    return versionEnds.all.compactMap { _, path in
      let index = taken[path, default: 0]
      taken[path] = index + 1
      return versions[path].map { (path, $0[index]) }
    }
  }

  /// Restores a document of a snapshot.
  mutating func restore(_ document: Firestore.Document) {
    put(document.name.path, from: nil, to: document, at: document.updateTime)
  }

  /// Restores the time of a scope's latest change; called after restoring its documents.
  mutating func restore(lastChange: Timestamp, of scope: IndexScope) {
    indexes[scope, default: CollectionIndex()].note(changeAt: lastChange)
  }

  /// The result of a query.
  struct QueryOutcome: Sendable {
    /// The results, in order.
    var documents: [Firestore.Document] = []
    /// The number of results skipped by the offset.
    var skipped = 0
    /// The number of documents or index entries scanned.
    var scanned = 0
  }

  /// Minimum size of a scope for which indexes are built; smaller scopes are scanned.
  static var indexThreshold: Int { 24 }

  private struct Row {
    var keys: [Firestore.Value]
    var document: Firestore.Document
  }

  /// The order of candidates: that of the results, that of the first sort key, or none.
  private enum Sorting {
    case full, firstKey, none
  }

  private enum Access {
    case members(isReversed: Bool, Sorting)
    case field(Firestore.FieldPath, ValueRange, isReversed: Bool, Sorting)
  }

  /// Runs a query on the documents as of a time.
  mutating func run(_ plan: QueryPlan, at time: Timestamp) -> QueryOutcome {
    if plan.limit == 0 { return QueryOutcome() }
    guard isUnchanged(plan.scope, since: time) else {
      let documents = documents(in: plan.scope, at: time)
      let rows = documents.compactMap { document in plan.keys(of: document).map { Row(keys: $0, document: document) } }
      return finish(rows, plan, isSorted: false, scanned: documents.count)
    }
    // A separate statement, because it builds indexes that the run uses.
    let access = chooseAccess(for: plan)
    return run(plan, by: access)
  }

  private mutating func chooseAccess(for plan: QueryPlan) -> Access {
    let isByName = plan.orders.first?.path.isDocumentName ?? true
    let isReversed = plan.orders.first?.isDescending ?? false
    let whole = Access.members(isReversed: isReversed && isByName, isByName ? .full : .none)
    guard let scope = plan.scope.index, let members = indexes[scope]?.members, members.count >= Self.indexThreshold
    else { return whole }
    var best = whole
    var fewest = members.count + 1
    // The index on the first sort key has priority, because a limit can then end the search early.
    if let first = plan.orders.first, !isByName {
      let isFull = plan.orders.count == 2 && plan.orders[1].isDescending == first.isDescending
      let range = plan.range(of: first.path)
      best = .field(first.path, range, isReversed: isReversed, isFull ? .full : .firstKey)
      fewest = count(range, of: first.path, in: scope)
    }
    for (path, value) in plan.equalities {
      let range = ValueRange(only: value)
      let number = count(range, of: path, in: scope)
      guard number < fewest else { continue }
      fewest = number
      best = .field(path, range, isReversed: isReversed && isByName, isByName ? .full : .none)
    }
    return best
  }

  private mutating func count(_ range: ValueRange, of path: Firestore.FieldPath, in scope: IndexScope) -> Int {
    buildIndex(on: path, of: scope)
    guard let index = indexes[scope]?.index(on: path) else { return 0 }
    let bounds = Self.bounds(of: range, in: index)
    return index.distance(from: bounds.lower, to: bounds.upper)
  }

  private typealias Bounds<Element: Comparable & Sendable> = (
    lower: SortedSet<Element>.Position, upper: SortedSet<Element>.Position
  )

  private static func bounds(of range: ValueRange, in index: SortedSet<IndexEntry>) -> Bounds<IndexEntry> {
    (index.position { !range.isBefore($0.value) }, index.position { range.isAfter($0.value) })
  }

  private func run(_ plan: QueryPlan, by access: Access) -> QueryOutcome {
    var rows: [Row] = []
    var scanned = 0
    let need = plan.need ?? .max
    func take(_ path: Firestore.Path) {
      scanned += 1
      guard plan.scope.contains(path), let document = documents[path], let keys = plan.keys(of: document) else {
        return
      }
      rows.append(Row(keys: keys, document: document))
    }
    switch access {
    case .members(let isReversed, let sorting):
      visitByName(plan, isReversed: isReversed, isByName: sorting == .full) { path in
        take(path)
        return sorting != .full || rows.count < need
      }
      return finish(rows, plan, isSorted: sorting == .full, scanned: scanned)
    case .field(let path, let range, let isReversed, let sorting):
      guard let index = plan.scope.index.flatMap({ indexes[$0]?.index(on: path) }) else { return QueryOutcome() }
      let bounds = Self.bounds(of: range, in: index)
      index.visit(from: bounds.lower, to: bounds.upper, isReversed: isReversed) { entry in
        if sorting == .firstKey, rows.count >= need, let last = rows.last?.keys.first, !last.isSame(as: entry.value) {
          return false
        }
        take(entry.path)
        return sorting != .full || rows.count < need
      }
      return finish(rows, plan, isSorted: sorting == .full, scanned: scanned)
    }
  }

  /// Visits the documents of a scope by name; if the results have that order, only the allowed range.
  private func visitByName(
    _ plan: QueryPlan, isReversed: Bool, isByName: Bool, _ wantsMore: (Firestore.Path) -> Bool
  ) {
    var members = paths
    if let scope = plan.scope.index {
      guard let index = indexes[scope] else { return }
      members = index.members
    }
    let range = isByName ? plan.range(of: .documentName) : ValueRange()
    func value(_ path: Firestore.Path) -> Firestore.Value { .reference(Firestore.Name(plan.database, path)) }
    var lower = members.position { !range.isBefore(value($0)) }
    var upper = members.position { range.isAfter(value($0)) }
    if case .everything(let parent, _) = plan.scope {
      lower = max(lower, members.position { $0.order(within: parent) != .before })
      upper = min(upper, members.position { $0.order(within: parent) == .after })
    }
    members.visit(from: lower, to: upper, isReversed: isReversed, wantsMore)
  }

  private func finish(_ rows: [Row], _ plan: QueryPlan, isSorted: Bool, scanned: Int) -> QueryOutcome {
    // Places are moved at less cost than rows.
    var places = Array(rows.indices)
    if !isSorted { places.sort { plan.order(of: rows[$0].keys, to: rows[$1].keys) == .before } }
    let skipped = min(plan.offset, places.count)
    let results = places.dropFirst(skipped).prefix(plan.limit ?? .max)
    return QueryOutcome(documents: results.map { rows[$0].document }, skipped: skipped, scanned: scanned)
  }

  /// Returns the sorted IDs of the collections directly below a path, including those with only deeper documents.
  func collectionIDs(
    below parent: Firestore.Path, after id: String?, limit: Int, at time: Timestamp
  ) -> [String] {
    children(of: parent, after: id, limit: limit, at: time).map(\.id)
  }

  /// Returns the sorted documents of a collection, including missing ones that have descendants.
  func membersAndMissing(
    of collection: Firestore.Path, after id: String?, limit: Int, at time: Timestamp
  ) -> [Firestore.Path] {
    children(of: collection, after: id, limit: limit, at: time)
  }

  /// Returns the children of a path as of a time.
  private func children(
    of parent: Firestore.Path, after id: String?, limit: Int, at time: Timestamp
  ) -> [Firestore.Path] {
    guard time < lastCommit else { return currentChildren(of: parent, after: id, limit: limit) }
    let last = id.map { parent.child($0) }
    let found = documents(in: .everything(under: parent, isDeep: true), at: time).map { document in
      parent.child(document.name.path.segments[parent.segments.count])
    }
    return Array(Set(found).filter { child in last.map { $0 < child } ?? true }.sorted().prefix(limit))
  }

  /// Returns the current children of a path, found by skipping from one to the next.
  func currentChildren(of parent: Firestore.Path, after id: String?, limit: Int) -> [Firestore.Path] {
    var result: [Firestore.Path] = []
    var last = id.map { parent.child($0) }
    while result.count < limit {
      let next = paths.first { path in
        guard let last else { return path.order(within: parent) != .before && path != parent }
        return path.order(within: last) == .after
      }
      guard let next, next.isBelow(parent) else { break }
      let child = parent.child(next.segments[parent.segments.count])
      result.append(child)
      last = child
    }
    return result
  }
}
