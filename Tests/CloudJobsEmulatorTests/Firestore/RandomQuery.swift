import CloudJobsCore

@testable import CloudJobsEmulator

/// Draws documents and queries over few fields and few values, so that they meet often.
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
