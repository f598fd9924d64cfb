import CloudJobsCore

@testable import CloudJobsEmulator

/// An evaluator of queries written from the documents alone: it filters all documents, sorts them and cuts the list.
struct NaiveQuery {
  let query: Firestore.Query

  /// The ids of the results among the documents of one collection.
  func ids(among documents: [Firestore.Document]) -> [String] {
    let keys = orders
    var found = documents.filter { document in
      (query.filter.map { meets(document, $0) } ?? true) && keys.allSatisfy { document[$0.path] != nil }
    }
    found.sort { compare(values(of: $0), values(of: $1)) < 0 }
    if let start = query.start {
      found.removeAll { document in
        let order = compare(values(of: document), start.values)
        return start.isBefore ? order < 0 : order <= 0
      }
    }
    if let end = query.end {
      found.removeAll { document in
        let order = compare(values(of: document), end.values)
        return end.isBefore ? order >= 0 : order > 0
      }
    }
    return found.dropFirst(query.offset).prefix(query.limit ?? .max).map(\.name.path.id)
  }

  private var orders: [Firestore.Query.Order] {
    var orders = query.orders
    let direction = query.orders.last?.isDescending ?? false
    for field in Set(inequalities(query.filter)).sorted()
    where field != "__name__" && !orders.contains(where: { "\($0.path)" == field }) {
      orders.append(.init(Firestore.FieldPath(stringLiteral: field), isDescending: direction))
    }
    if !orders.contains(where: { $0.path.isDocumentName }) {
      orders.append(.init(.documentName, isDescending: direction))
    }
    return orders
  }

  private func inequalities(_ filter: Firestore.Filter?) -> [String] {
    switch filter {
    case nil: []
    case .all(let parts), .any(let parts): parts.flatMap { inequalities($0) }
    case .field(let path, .lessThan, _), .field(let path, .lessThanOrEqual, _), .field(let path, .greaterThan, _),
      .field(let path, .greaterThanOrEqual, _), .field(let path, .notEqual, _), .field(let path, .notIn, _),
      .unary(let path, .isNotNull), .unary(let path, .isNotNaN):
      ["\(path)"]
    default: []
    }
  }

  private func values(of document: Firestore.Document) -> [Firestore.Value] { orders.compactMap { document[$0.path] } }

  private func compare(_ left: [Firestore.Value], _ right: [Firestore.Value]) -> Int {
    for (index, pair) in zip(left, right).enumerated() {
      let order = pair.0.order(to: pair.1).rawValue
      if order != 0 { return orders[index].isDescending ? -order : order }
    }
    return 0
  }

  private func meets(_ document: Firestore.Document, _ filter: Firestore.Filter) -> Bool {
    switch filter {
    case .all(let parts): return !parts.contains { !meets(document, $0) }
    case .any(let parts): return parts.contains { meets(document, $0) }
    case .unary(let path, let property):
      guard let value = document[path] else { return false }
      switch property {
      case .isNull: return value == .null
      case .isNaN: return value == .double(.nan)
      case .isNotNull: return value != .null
      case .isNotNaN: return value != .null && value != .double(.nan)
      }
    case .field(let path, let relation, let operand):
      guard let value = document[path] else { return false }
      return meets(value, relation, operand)
    }
  }

  private func meets(
    _ value: Firestore.Value, _ relation: Firestore.FieldOperator, _ operand: Firestore.Value
  ) -> Bool {
    func list(_ value: Firestore.Value) -> [Firestore.Value] {
      if case .array(let elements) = value { elements } else { [] }
    }
    func has(_ elements: [Firestore.Value], _ wanted: Firestore.Value) -> Bool {
      elements.contains { $0.order(to: wanted).rawValue == 0 }
    }
    let order = value.order(to: operand).rawValue
    let isOfOneKind = value.kind.rawValue == operand.kind.rawValue
    switch relation {
    case .lessThan: return isOfOneKind && order < 0
    case .lessThanOrEqual: return isOfOneKind && order <= 0
    case .greaterThan: return isOfOneKind && order > 0
    case .greaterThanOrEqual: return isOfOneKind && order >= 0
    case .equal: return order == 0
    case .notEqual: return value != .null && order != 0
    case .arrayContains: return has(list(value), operand)
    case .isIn: return has(list(operand), value)
    case .arrayContainsAny: return list(operand).contains { has(list(value), $0) }
    case .notIn: return value != .null && !has(list(operand), .null) && !has(list(operand), value)
    }
  }
}
