package import CloudJobsCore

extension Firestore {
  /// An index on one or several fields of the documents in all collections with an ID.
  ///
  /// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.collectionGroups.indexes>.
  package struct Index: Hashable, Sendable {
    /// The queries that an index serves.
    package enum Scope: String, CaseIterable, Hashable, Sendable {
      /// Queries on one collection.
      case collection = "COLLECTION"
      /// Queries on all collections with the ID.
      case collectionGroup = "COLLECTION_GROUP"
    }

    /// The mode in which a field is indexed.
    package enum Mode: String, CaseIterable, Hashable, Sendable {
      /// By value, ascending.
      case ascending = "ASCENDING"
      /// By value, descending.
      case descending = "DESCENDING"
      /// By the elements of an array.
      case contains = "CONTAINS"

      /// The name in messages of the service.
      var shortName: String {
        switch self {
        case .ascending: "ASC"
        case .descending: "DESC"
        case .contains: "CONTAINS"
        }
      }

      /// The member of an index file that contains the mode.
      var member: String { self == .contains ? "arrayConfig" : "order" }
    }

    /// One field of an index.
    package struct Field: Hashable, Sendable {
      /// The field.
      package var path: FieldPath
      /// The index mode.
      package var mode: Mode

      /// Creates a field of an index.
      package init(_ path: FieldPath, _ mode: Mode = .ascending) {
        self.path = path
        self.mode = mode
      }

      /// The field in the JSON form of an index file.
      var json: JSONValue { ["fieldPath": .string("\(path)"), mode.member: .string(mode.rawValue)] }
    }

    /// The collection ID.
    package var collectionGroup: String
    /// The queries that the index serves.
    package var scope: Scope
    /// The fields, in index order.
    package var fields: [Field]

    /// Creates an index.
    package init(_ collectionGroup: String, _ scope: Scope = .collection, _ fields: [Field]) {
      self.collectionGroup = collectionGroup
      self.scope = scope
      self.fields = fields
    }

    /// The fields, ending with the document's name as in every index.
    ///
    /// Unless the index specifies it, the name has the direction of the last field, or is ascending after a field
    /// without a direction.
    var keys: [Field] {
      if let last = fields.last, last.path.isDocumentName { return fields }
      return fields + [Field(.documentName, fields.last?.mode == .descending ? .descending : .ascending)]
    }

    /// The index in the JSON form of an index file's `indexes`.
    package var json: JSONValue {
      [
        "collectionGroup": .string(collectionGroup), "queryScope": .string(scope.rawValue),
        "fields": .array(fields.map(\.json)),
      ]
    }
  }
}

/// The index requirement of one conjunction of a query.
///
/// - Equality filters (`EQUAL`, `IN`, `IS_NULL`, `IS_NAN`) and membership filters (`ARRAY_CONTAINS`,
///   `ARRAY_CONTAINS_ANY`) precede the order, in any sequence and direction. Different indexes may serve them if all of
///   these indexes end with the complete order (index merging). If the order is by name alone, the automatic
///   single-field indexes suffice.
/// - The order is that of the query, completed by the fields of its inequalities and the document's name, each in the
///   direction of the last explicit key. A key on a field with an equality filter only determines that direction.
/// - An OR requires the indexes of each of its conjunctions; an IN requires those of one equality.
/// - An aggregation requires the indexes of its query, followed by each aggregated field.
///
/// Cases that the documentation leaves open are allowed: conjunctions with an equality on the document's name, and
/// queries on all collections.
///
/// Sources: <https://firebase.google.com/docs/firestore/query-data/index-overview>,
/// <https://firebase.google.com/docs/firestore/query-data/queries#compound_and_queries>,
/// <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery>. Sort keys on fields with an equality:
/// <https://github.com/firebase/firebase-js-sdk/issues/9097>. Descending order by name alone, which no automatic index
/// serves: <https://github.com/firebase/flutterfire/issues/4398>.
struct IndexNeed: Hashable, Sendable {
  typealias Field = Firestore.Index.Field

  private let collectionGroup: String
  private let scope: Firestore.Index.Scope
  /// The fields with equality and membership filters, in the filter's order; equalities count as ascending.
  private(set) var prefix: [Field] = []
  /// The order of the results, ending with the document's name.
  private(set) var sort: [Field]

  /// Returns the requirements of a query, one for each conjunction of its filter.
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

  /// The single index that meets the requirement.
  var index: Firestore.Index {
    var index = Firestore.Index(collectionGroup, scope, prefix + sort.dropLast())
    if let name = sort.last, index.keys.last != name { index.fields.append(name) }
    return index
  }

  /// The order of documents without an index on fields: by name.
  var byName: Firestore.Index { Firestore.Index(collectionGroup, scope, []) }

  /// Returns the prefix fields that an index serves, or nil if it does not end with the order or has other fields.
  func part(servedBy index: Firestore.Index) -> [Field]? {
    guard index.collectionGroup == collectionGroup, index.scope == scope else { return nil }
    guard index.keys.suffix(sort.count) == sort[...] else { return nil }
    let fields = index.keys.dropLast(sort.count).map { Field($0.path, $0.mode == .contains ? .contains : .ascending) }
    return fields.allSatisfy { prefix.contains($0) } ? fields : nil
  }
}
