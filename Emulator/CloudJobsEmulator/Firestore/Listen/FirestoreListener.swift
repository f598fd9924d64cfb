package import CloudJobsCore

/// A listener to one database: its targets, and what it has been told of each.
///
/// It tells each commit by itself and in order, from the versions that the database keeps for an hour. A listener that
/// is further behind, or whose database was emptied, is told the difference.
///
/// Source: <https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1#listenrequest>.
package struct FirestoreListener: Sendable {
  private struct Target: Sendable {
    var plan: QueryPlan?
    var paths: Set<Firestore.Path> = []
    /// The documents in the target, with their update times.
    var known: [Firestore.Path: Timestamp] = [:]

    /// Whether a change of one document may change others' places in the results.
    var isLimited: Bool { plan.map { $0.limit != nil || $0.offset > 0 } ?? false }

    func mayContain(_ path: Firestore.Path) -> Bool { plan?.scope.contains(path) ?? paths.contains(path) }
  }

  /// The maximum number of changes that ``advance(_:at:)`` tells at once.
  private static let changeLimit = 500

  /// The database.
  package let database: Firestore.DatabaseName
  private var targets: [Int32: Target] = [:]
  /// The time up to which all changes have been told.
  private var time = Timestamp.distantPast

  /// Creates a listener without targets.
  package init(to database: Firestore.DatabaseName) {
    self.database = database
  }

  // MARK: Targets

  /// Adds a target, and tells what is in it; an invalid one is removed with the cause.
  package mutating func add(
    _ target: Firestore.ListenTarget, _ service: inout FirestoreService, at now: Timestamp
  ) -> [Firestore.ListenEvent] {
    var events: [Firestore.ListenEvent] = []
    // All targets are told of up to the same time.
    while true {
      let news = advance(&service, at: now)
      if news.isEmpty { break }
      events += news
    }
    var target = target
    // A target without a number gets one.
    if target.id == 0 { target.id = (targets.keys.max() ?? 0) + 1 }
    do throws(ServiceFault) {
      guard targets.removeValue(forKey: target.id) == nil else {
        throw .invalidArgument("The target \(target.id) was listened to already.")
      }
      events += try begin(target, &service, at: now)
    } catch {
      events.append(.target(.remove, ids: [target.id], cause: error))
    }
    return events
  }

  private mutating func begin(
    _ target: Firestore.ListenTarget, _ service: inout FirestoreService, at now: Timestamp
  ) throws(ServiceFault) -> [Firestore.ListenEvent] {
    var state = Target()
    switch target.kind {
    case .documents(let names):
      for name in names { try FirestoreService.check(name, in: database) }
      state.paths = Set(names.map(\.path))
    case .query(let query, let parent):
      let plan = try QueryPlan(query, parent: parent)
      try service.checkIndexes(for: plan)
      state.plan = plan
    }
    let readTime = service.with(database) { $0.readTime(at: now) }
    var events: [Firestore.ListenEvent] = [.target(.add, ids: [target.id])]
    if let resumeTime = target.resumeTime {
      // What the client knows is what there was at that time, if that can still be told.
      if resumeTime <= readTime, resumeTime >= service.with(database, { $0.horizon }) {
        let earlier = documents(state, at: resumeTime, &service)
        state.known = Dictionary(uniqueKeysWithValues: earlier.map { ($0.name.path, $0.updateTime) })
      } else {
        events.append(.target(.reset, ids: [target.id]))
      }
    }
    targets[target.id] = state
    events += refresh(target.id, at: readTime, &service)
    if target.resumeTime != nil { events.append(.filter(id: target.id, count: targets[target.id]?.known.count ?? 0)) }
    time = max(time, readTime)
    events.append(.target(.current, ids: [target.id], time: time))
    events.append(.target(.none, ids: [], time: time))
    if target.isOnce { events += remove(target.id) }
    return events
  }

  /// Removes a target.
  package mutating func remove(_ id: Int32) -> [Firestore.ListenEvent] {
    targets[id] = nil
    return [.target(.remove, ids: [id])]
  }

  private func documents(
    _ target: Target, at time: Timestamp, _ service: inout FirestoreService
  ) -> [Firestore.Document] {
    let documents = service.with(database) { database in
      guard let plan = target.plan else { return target.paths.sorted().compactMap { database.document($0, at: time) } }
      return database.run(plan, at: time).documents
    }
    service.usage.reads += max(documents.count, 1)
    return documents
  }

  /// Tells the difference between what is known of a target and what is in it.
  private mutating func refresh(
    _ id: Int32, at time: Timestamp, _ service: inout FirestoreService
  ) -> [Firestore.ListenEvent] {
    guard let target = targets[id] else { return [] }
    var known: [Firestore.Path: Timestamp] = [:]
    var events: [Firestore.ListenEvent] = []
    for document in documents(target, at: time, &service) {
      known[document.name.path] = document.updateTime
      guard target.known[document.name.path] != document.updateTime else { continue }
      events.append(.changed(document.masked(by: target.plan?.projection), ids: [id], removed: []))
    }
    for path in target.known.keys.sorted() where known[path] == nil {
      events.append(gone(path, [id], at: time, service))
    }
    targets[id]?.known = known
    return events
  }

  private func gone(
    _ path: Firestore.Path, _ ids: [Int32], at time: Timestamp, _ service: FirestoreService
  ) -> Firestore.ListenEvent {
    let name = Firestore.Name(database, path)
    let exists = service.databases[database]?.document(path, at: time) != nil
    return exists ? .removed(name, removed: ids, time: time) : .deleted(name, removed: ids, time: time)
  }

  // MARK: Commits

  /// Tells of the next commits; nothing if there are none that matter.
  package mutating func advance(
    _ service: inout FirestoreService, at now: Timestamp
  ) -> [Firestore.ListenEvent] {
    guard !targets.isEmpty else { return [] }
    let changes = service.databases[database].flatMap { database in
      database.lastTime < time ? nil : database.changes(after: time, limit: Self.changeLimit)
    }
    guard let changes else { return catchUp(&service, at: now) }
    var events: [Firestore.ListenEvent] = []
    // Limited queries are run once for all of these changes, as each run reads all that there is.
    var touched: Set<Int32> = []
    for (number, change) in changes.enumerated() {
      var news = tell(change.paths, at: change.time, &touched, &service)
      time = change.time
      if number == changes.count - 1 {
        for id in touched.sorted() { news += refresh(id, at: time, &service) }
      }
      if !news.isEmpty { events += news + [.target(.none, ids: [], time: time)] }
    }
    // The rest of the changes may matter although these did not.
    if events.isEmpty, let last = changes.last, changes.reduce(0, { $0 + $1.paths.count }) >= Self.changeLimit {
      time = last.time
      return advance(&service, at: now)
    }
    return events
  }

  /// Tells the difference where the commits are forgotten.
  private mutating func catchUp(_ service: inout FirestoreService, at now: Timestamp) -> [Firestore.ListenEvent] {
    time = service.with(database) { $0.readTime(at: max(now, time)) }
    var events: [Firestore.ListenEvent] = []
    for id in targets.keys.sorted() { events += refresh(id, at: time, &service) }
    return events.isEmpty ? [] : events + [.target(.none, ids: [], time: time)]
  }

  private mutating func tell(
    _ paths: [Firestore.Path], at time: Timestamp, _ touched: inout Set<Int32>, _ service: inout FirestoreService
  ) -> [Firestore.ListenEvent] {
    var events: [Firestore.ListenEvent] = []
    var news: [Firestore.Path: (ids: [Int32], removed: [Int32])] = [:]
    for id in targets.keys.sorted() {
      // Without a copy of the target, what is known of it changes in place.
      guard let own = targets[id].map({ target in paths.filter { target.mayContain($0) } }), !own.isEmpty else {
        continue
      }
      // What a projection or a limit returns is told for each target by itself.
      if targets[id]?.isLimited == true || targets[id]?.plan?.projection != nil {
        touched.insert(id)
        continue
      }
      let plan = targets[id]?.plan
      for path in own {
        let document = service.databases[database]?.document(path, at: time)
        let belongs = document.map { plan?.keys(of: $0) != nil || plan == nil } ?? false
        if belongs {
          news[path, default: ([], [])].ids.append(id)
          targets[id]?.known[path] = document?.updateTime
        } else if targets[id]?.known.removeValue(forKey: path) != nil || plan == nil {
          news[path, default: ([], [])].removed.append(id)
        }
      }
    }
    for (path, targets) in news.sorted(by: { $0.key < $1.key }) {
      if let document = service.databases[database]?.document(path, at: time), !targets.ids.isEmpty {
        events.append(.changed(document, ids: targets.ids, removed: targets.removed))
        service.usage.reads += 1
      } else {
        events.append(gone(path, targets.removed, at: time, service))
      }
    }
    return events
  }
}
