import CloudJobsCore

/// One database: its documents now, their versions of the last hour, and its open transactions.
struct DocumentDatabase: Sendable, Codable {
  /// What a snapshot keeps of the database itself; its documents, versions and transactions are entities of their own.
  private enum CodingKeys: CodingKey {
    case name, horizon, lastTime, lastCommit
  }

  /// For how long earlier versions can be read.
  static let retention = Duration.hours(1)
  /// How many earlier versions are kept at most.
  static let versionLimit = 200_000

  /// A document as it was, nil where it was missing, and the time of the commit that ended this.
  struct Version: Sendable, Codable {
    let document: Firestore.Document?
    let end: Timestamp
  }

  let name: Firestore.DatabaseName
  private(set) var documents: [Firestore.Path: Firestore.Document] = [:]
  /// All documents in the order of their paths.
  private(set) var paths = SortedSet<Firestore.Path>()
  private(set) var indexes: [IndexScope: CollectionIndex] = [:]
  var transactions: [[UInt8]: FirestoreTransaction] = [:]
  private var versions: [Firestore.Path: [Version]] = [:]
  private var versionEnds = ExpiryList<Firestore.Path>()
  private var versionCount = 0
  /// Reads at earlier times are no longer possible.
  private(set) var horizon = Timestamp.distantPast
  /// The latest time that an answer has carried.
  private(set) var lastTime = Timestamp.distantPast
  private(set) var lastCommit = Timestamp.distantPast

  init(_ name: Firestore.DatabaseName) {
    self.name = name
  }

  // MARK: Time

  /// A time for a read: not before any commit that the read sees.
  mutating func readTime(at now: Timestamp) -> Timestamp {
    lastTime = max(lastTime, now)
    return lastTime
  }

  // MARK: Reading

  /// A document as it was at a time.
  func document(_ path: Firestore.Path, at time: Timestamp) -> Firestore.Document? {
    guard time < lastCommit, let version = versions[path]?.first(where: { time < $0.end }) else {
      return documents[path]
    }
    return version.document
  }

  /// All documents of a scope as they were at a time, in no order.
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

  /// Visits the paths of a scope's documents in order, for as long as the visitor wants more.
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

  /// Whether no document of a scope has changed since a time.
  func isUnchanged(_ scope: QueryScope, since time: Timestamp) -> Bool {
    guard lastCommit > time else { return true }
    guard let index = scope.index else { return false }
    return indexes[index].map { $0.lastChange <= time } ?? true
  }

  /// Makes the index over a field of a scope, unless there is one.
  mutating func buildIndex(on path: Firestore.FieldPath, of scope: IndexScope) {
    indexes[scope]?.build(path, documents)
  }

  // MARK: Writing

  /// Applies writes at once, in order, or none of them.
  ///
  /// - Parameters:
  ///   - writes: the writes, which have been checked.
  ///   - now: the time.
  /// - Returns: when they took effect, and what each came to.
  /// - Throws: ``ServiceFault``, where one of them is refused.
  mutating func commit(
    _ writes: [Firestore.Write], at now: Timestamp
  ) throws(ServiceFault) -> Firestore.CommitResult {
    // Without writes there is nothing that earlier reads might not see.
    if writes.isEmpty { return Firestore.CommitResult(commitTime: readTime(at: now), writeResults: []) }
    // After all commits, and after all reads that don't see this one.
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

  /// Keeps an earlier version of a document, which did not end before those of earlier calls.
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

  // MARK: Snapshots

  /// All earlier versions in the order of their ends.
  var orderedVersions: [(path: Firestore.Path, version: Version)] {
    var taken: [Firestore.Path: Int] = [:]
    return versionEnds.all.compactMap { _, path in
      let index = taken[path, default: 0]
      taken[path] = index + 1
      return versions[path].map { (path, $0[index]) }
    }
  }

  /// Puts a document of a snapshot back.
  mutating func restore(_ document: Firestore.Document) {
    put(document.name.path, from: nil, to: document, at: document.updateTime)
  }

  /// Puts back when a document of a scope last came, changed or went; after the scope's documents.
  mutating func restore(lastChange: Timestamp, of scope: IndexScope) {
    indexes[scope, default: CollectionIndex()].note(changeAt: lastChange)
  }
}
