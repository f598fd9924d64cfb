import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: queries against a naive evaluator")
struct FirestoreDifferentialTests {
  @Test(
    "random queries between random changes agree, now and in the past",
    arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func agreement(seed: UInt64) throws {
    var random = RandomQuery(generator: SplitMix64(seed: seed))
    var fixture = FirestoreFixture()
    var model: [String: Firestore.Document] = [:]
    var past: [(Timestamp, [Firestore.Document])] = []
    var (compared, results) = (0, 0)
    for round in 0..<1_500 {
      let id = "d\(random.below(60))"
      if random.below(5) == 0 {
        try fixture.delete("c/\(id)")
        model[id] = nil
      } else {
        model[id] = try fixture.set("c/\(id)", random.document())
      }
      let documents = Array(model.values)
      if round % 50 == 0 { past.append((fixture.now, documents)) }
      let query = random.query()
      let expected = NaiveQuery(query: query).ids(among: documents)
      do {
        #expect(try fixture.ids(query) == expected, "\(query)")
      } catch let fault as ServiceFault {
        #expect(fault.code == .invalidArgument)
        continue
      }
      compared += 1
      results += expected.count
      guard let (time, then) = past.randomElement(using: &random.generator), round % 3 == 0 else { continue }
      let earlier = try fixture.run(query, .readTime(time)).documents.map(\.name.path.id)
      #expect(earlier == NaiveQuery(query: query).ids(among: then), "\(query) at \(time)")
    }
    #expect(compared > 800)
    #expect(results > 2_000)
  }
}

/// A simple evaluator of queries written from the documentation: it filters, sorts and truncates all documents.
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

/// A generator of documents and queries with few fields and values, so that they often match.
struct RandomQuery {
  var generator: SplitMix64
  private static let fields: [Firestore.FieldPath] = ["a", "b", "m.k"]
  private static let scalars: [Firestore.Value] = [
    nil, false, true, .double(.nan), -1, 0, -0.0, 1, 1.0, 1.5, 2, "", "a", "b", .bytes([1]), .timestamp(.epoch),
  ]

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  mutating func value() -> Firestore.Value {
    switch below(8) {
    case 0: .array((0..<below(3)).map { _ in scalar() })
    case 1: ["k": scalar()]
    default: scalar()
    }
  }

  mutating func scalar() -> Firestore.Value { Self.scalars[below(Self.scalars.count)] }

  mutating func document() -> [String: Firestore.Value] {
    var fields: [String: Firestore.Value] = [:]
    for path in Self.fields where below(5) > 0 { fields.set(value(), at: path.segments[...]) }
    return fields
  }

  mutating func path() -> Firestore.FieldPath { Self.fields[below(Self.fields.count)] }

  private mutating func reference() -> Firestore.Value {
    .reference(FirestoreFixture.name("c/d\(below(60))"))
  }

  mutating func filter(depth: Int = 0) -> Firestore.Filter {
    switch below(depth < 2 ? 10 : 7) {
    case 0: return .unary(path(), Firestore.UnaryOperator.allCases[below(4)])
    case 1: return .field(.documentName, [.lessThan, .greaterThanOrEqual, .equal][below(3)], reference())
    case 7: return .any((0...below(3)).map { _ in filter(depth: depth + 1) })
    case 8, 9: return .all((0...below(3)).map { _ in filter(depth: depth + 1) })
    default:
      let relation = Firestore.FieldOperator.allCases[below(10)]
      let operand = relation.takesList ? Firestore.Value.array((0...below(3)).map { _ in scalar() }) : value()
      return .field(path(), relation, operand)
    }
  }

  mutating func query() -> Firestore.Query {
    var query = Firestore.Query()
    if below(5) > 0 { query.filter = filter() }
    for path in Self.fields where below(4) == 0 { query.orders.append(.init(path, isDescending: below(2) == 0)) }
    if below(4) == 0 { query.orders.append(.init(.documentName, isDescending: below(2) == 0)) }
    if below(3) == 0 { query.start = cursor(query.orders) }
    if below(4) == 0 { query.end = cursor(query.orders) }
    if below(3) == 0 { query.offset = below(4) }
    if below(2) == 0 { query.limit = 1 + below(10) }
    return query
  }

  private mutating func cursor(_ orders: [Firestore.Query.Order]) -> Firestore.Query.Cursor? {
    guard !orders.isEmpty else { return nil }
    let values = orders.prefix(1 + below(orders.count)).map { $0.path.isDocumentName ? reference() : value() }
    return .init(values, isBefore: below(2) == 0)
  }
}
