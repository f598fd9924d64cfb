import CloudJobsCore

extension DocumentDatabase {
  /// What a query came to.
  struct QueryOutcome: Sendable {
    /// The results in order.
    var documents: [Firestore.Document] = []
    /// How many results the offset left out.
    var skipped = 0
    /// How many documents or index entries were looked at.
    var scanned = 0
  }

  /// From a scope of this size on, indexes are made; smaller ones are read whole.
  static var indexThreshold: Int { 24 }

  private struct Row {
    var keys: [Firestore.Value]
    var document: Firestore.Document
  }

  /// How candidates come out of an access: in the full order of the results, in that of the first key, or in none.
  private enum Sorting {
    case full, firstKey, none
  }

  private enum Access {
    case members(isReversed: Bool, Sorting)
    case field(Firestore.FieldPath, ValueRange, isReversed: Bool, Sorting)
  }

  /// Runs a query on the documents as they were at a time.
  mutating func run(_ plan: QueryPlan, at time: Timestamp) -> QueryOutcome {
    if plan.limit == 0 { return QueryOutcome() }
    guard isUnchanged(plan.scope, since: time) else {
      let documents = documents(in: plan.scope, at: time)
      let rows = documents.compactMap { document in plan.keys(of: document).map { Row(keys: $0, document: document) } }
      return finish(rows, plan, isSorted: false, scanned: documents.count)
    }
    // In a statement of its own, as it makes indexes that the run has to see.
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
    // The index of the first key comes first, as with it a limit can end the search early.
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

  /// Visits the documents of a scope by name; where that is the order of the results, only the range that is left.
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
    let sorted = isSorted ? rows : rows.sorted { plan.order(of: $0.keys, to: $1.keys) == .before }
    let skipped = min(plan.offset, sorted.count)
    let results = sorted.dropFirst(skipped).prefix(plan.limit ?? .max)
    return QueryOutcome(documents: results.map(\.document), skipped: skipped, scanned: scanned)
  }
}
