/// What one conjunction of a query asks of indexes.
///
/// - Filters of equality (`EQUAL`, `IN`, `IS_NULL`, `IS_NAN`) and of membership (`ARRAY_CONTAINS`,
///   `ARRAY_CONTAINS_ANY`) stand before the order, in any sequence and direction. Each may be served by another index,
///   as long as all these indexes end with the whole order: index merging. Where the order is by name alone, the
///   automatic single-field indexes do.
/// - The order is the query's, completed by the fields of its inequalities and the document's name, each in the
///   direction of the last key given. A key on a field with an equality counts for nothing but that direction.
/// - An OR needs the indexes of each of its conjunctions, and an IN those of one equality, as all its values are alike.
/// - An aggregation needs what its query needs, and after that each field that it computes on.
///
/// What the documents leave open is let through: conjunctions with an equality on the document's name, and queries over
/// collections of all ids.
///
/// Sources: <https://firebase.google.com/docs/firestore/query-data/index-overview>,
/// <https://firebase.google.com/docs/firestore/query-data/queries#compound_and_queries>,
/// <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery>. For keys on fields with an equality:
/// <https://github.com/firebase/firebase-js-sdk/issues/9097>. For the descending order by name alone, which no
/// automatic index has: <https://github.com/firebase/flutterfire/issues/4398>.
struct IndexNeed: Hashable, Sendable {
  typealias Field = Firestore.Index.Field

  private let collectionGroup: String
  private let scope: Firestore.Index.Scope
  /// The fields with filters of equality and of membership, in the filter's order; equalities as ascending.
  private(set) var prefix: [Field] = []
  /// The order of the results, which ends with the document's name.
  private(set) var sort: [Field]

  /// What a query needs, one need for each conjunction that its filter comes to.
  static func all(of plan: QueryPlan) -> [IndexNeed] {
    let (collectionGroup, scope): (String, Firestore.Index.Scope)
    switch plan.scope {
    case .collection(let path): (collectionGroup, scope) = (path.id, .collection)
    case .group(let id, _): (collectionGroup, scope) = (id, .collectionGroup)
    case .everything: return []
    }
    return (plan.filter?.disjuncts ?? [[]]).compactMap { conditions in
      let need = IndexNeed(collectionGroup, scope, conditions, plan)
      return need.prefix.contains(where: \.path.isDocumentName) ? nil : need
    }
  }

  private init(
    _ collectionGroup: String, _ scope: Firestore.Index.Scope, _ conditions: [Firestore.Filter], _ plan: QueryPlan
  ) {
    self.collectionGroup = collectionGroup
    self.scope = scope
    for condition in conditions where !condition.isInequality {
      guard let path = condition.path else { continue }
      let field = Field(path, condition.isMembership ? .contains : .ascending)
      if !prefix.contains(field) { prefix.append(field) }
    }
    let fixed = Set(prefix.filter { $0.mode == .ascending }.map(\.path))
    sort = plan.orders.filter { !fixed.contains($0.path) }.map {
      .init($0.path, $0.isDescending ? .descending : .ascending)
    }
    for path in plan.requiredFields where !fixed.contains(path) && !sort.contains(where: { $0.path == path }) {
      sort.insert(Field(path), at: max(0, sort.count - 1))
    }
  }

  /// The one index that serves the need by itself.
  var index: Firestore.Index {
    var index = Firestore.Index(collectionGroup, scope, prefix + sort.dropLast())
    if let name = sort.last, index.keys.last != name { index.fields.append(name) }
    return index
  }

  /// The order that documents have without an index over fields: by name.
  var byName: Firestore.Index { Firestore.Index(collectionGroup, scope, []) }

  /// The fields of the prefix that an index serves; nil where it does not end with the order, or has other fields.
  func part(servedBy index: Firestore.Index) -> [Field]? {
    guard index.collectionGroup == collectionGroup, index.scope == scope else { return nil }
    guard index.keys.suffix(sort.count) == sort[...] else { return nil }
    let fields = index.keys.dropLast(sort.count).map { Field($0.path, $0.mode == .contains ? .contains : .ascending) }
    return fields.allSatisfy { prefix.contains($0) } ? fields : nil
  }
}
