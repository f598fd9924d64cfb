import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: queries")
struct FirestoreQueryTests {
  typealias Filter = Firestore.Filter
  private static let nan = Firestore.Value.double(.nan)

  /// Documents whose field `f` has a value of each kind, or none.
  private static func kinds() throws -> FirestoreFixture {
    var fixture = FirestoreFixture()
    let values: [(String, Firestore.Value?)] = [
      ("none", nil), ("null", .some(.null)), ("false", false), ("nan", nan), ("one", 1), ("float", 1.0), ("two", 2),
      ("text", "1"), ("list", [1, "a"]), ("empty", []), ("map", ["k": 1]),
    ]
    for (id, value) in values { try fixture.set("c/\(id)", value.map { ["f": $0] } ?? [:]) }
    return fixture
  }

  static let filters: [(Filter, [String])] = [
    (.field("f", .equal, 1), ["float", "one"]), (.field("f", .equal, 1.0), ["float", "one"]),
    (.field("f", .equal, nil), ["null"]), (.field("f", .equal, nan), ["nan"]),
    (.field("f", .equal, [1, "a"]), ["list"]),
    (.field("f", .equal, ["k": 1.0]), ["map"]), (.field("f.k", .equal, 1), ["map"]), (.field("f", .equal, 3), []),
    (.field("f", .lessThan, 2), ["nan", "float", "one"]),
    (.field("f", .lessThanOrEqual, 2), ["nan", "float", "one", "two"]),
    (.field("f", .greaterThan, 1), ["two"]), (.field("f", .greaterThanOrEqual, 1.0), ["float", "one", "two"]),
    (.field("f", .greaterThan, ""), ["text"]), (.field("f", .greaterThan, nil), []),
    (.field("f", .greaterThanOrEqual, []), ["empty", "list"]),
    (.field("f", .notEqual, 1), ["false", "nan", "two", "text", "empty", "list", "map"]),
    (.field("f", .notIn, [1, "1"]), ["false", "nan", "two", "empty", "list", "map"]),
    (.field("f", .notIn, [1, nil]), []),
    (.field("f", .isIn, [2, "1", 9]), ["text", "two"]), (.field("f", .isIn, [1]), ["float", "one"]),
    (.field("f", .arrayContains, 1.0), ["list"]), (.field("f", .arrayContains, "b"), []),
    (.field("f", .arrayContainsAny, ["a", "b"]), ["list"]),
    (.unary("f", .isNull), ["null"]), (.unary("f", .isNaN), ["nan"]),
    (.unary("f", .isNotNull), ["false", "nan", "float", "one", "two", "text", "empty", "list", "map"]),
    (.unary("f", .isNotNaN), ["false", "float", "one", "two", "text", "empty", "list", "map"]),
    (.any([.field("f", .equal, 1), .field("f", .equal, "1")]), ["float", "one", "text"]),
    (.all([.field("f", .greaterThan, 0), .field("f", .lessThan, 2)]), ["float", "one"]),
    (.any([.field("f", .greaterThan, 1), .unary("f", .isNull)]), ["null", "two"]),
    (.all([.any([.field("f", .equal, 1), .field("f", .equal, 2)]), .field("f", .greaterThan, 1)]), ["two"]),
    (.field(.documentName, .equal, .reference(FirestoreFixture.name("c/map"))), ["map"]),
    (.field(.documentName, .greaterThan, .reference(FirestoreFixture.name("c/one"))), ["text", "two"]),
    (
      .field(
        .documentName, .isIn, [.reference(FirestoreFixture.name("c/one")), .reference(FirestoreFixture.name("c/x"))]),
      ["one"]
    ),
  ]

  @Test("each operator selects and orders as the service does", arguments: filters.indices)
  func filter(index: Int) throws {
    var fixture = try Self.kinds()
    #expect(try fixture.ids(.init(Self.filters[index].0)) == Self.filters[index].1)
  }

  @Test("an order excludes documents without the field and ends with the name in the same direction")
  func orders() throws {
    var fixture = FirestoreFixture()
    for (id, fields) in [
      ("a", ["x": 1, "y": 2]), ("b", ["x": 1, "y": 1]), ("c", ["x": 2, "y": 1]), ("d", ["x": 2]), ("e", [:]),
    ] as [(String, [String: Firestore.Value])] {
      try fixture.set("c/\(id)", fields)
    }
    #expect(try fixture.ids(.init()) == ["a", "b", "c", "d", "e"])
    #expect(try fixture.ids(.init(order: [.init("x")])) == ["a", "b", "c", "d"])
    #expect(try fixture.ids(.init(order: [.init("x", isDescending: true)])) == ["d", "c", "b", "a"])
    #expect(try fixture.ids(.init(order: [.init("x", isDescending: true), .init("y")])) == ["c", "b", "a"])
    #expect(try fixture.ids(.init(order: [.init("y"), .init("x", isDescending: true)])) == ["c", "b", "a"])
    #expect(try fixture.ids(.init(order: [.init(.documentName, isDescending: true)], limit: 2)) == ["e", "d"])
    let two = Firestore.Filter.all([.field("y", .greaterThan, 0), .field("x", .greaterThan, 1)])
    #expect(try fixture.ids(.init(two)) == ["c"])
    #expect(try fixture.ids(.init(.field("y", .greaterThan, 0), order: [.init("x")])) == ["b", "a", "c"])
  }

  @Test("cursors start or end before or after their position")
  func cursors() throws {
    var fixture = FirestoreFixture()
    for (id, value) in [("a", 1), ("b", 2), ("c", 2), ("d", 3)] as [(String, Firestore.Value)] {
      try fixture.set("c/\(id)", ["x": value])
    }
    typealias Cursor = Firestore.Query.Cursor
    let byX = [Firestore.Query.Order("x")]
    let down = [Firestore.Query.Order("x", isDescending: true)]
    let full = byX + [.init(.documentName)]
    let b: Firestore.Value = .reference(FirestoreFixture.name("c/b"))
    let cases: [([Firestore.Query.Order], Cursor?, Cursor?, [String])] = [
      (byX, .init([2], isBefore: true), nil, ["b", "c", "d"]), (byX, .init([2], isBefore: false), nil, ["d"]),
      (byX, nil, .init([2], isBefore: true), ["a"]), (byX, nil, .init([2], isBefore: false), ["a", "b", "c"]),
      (down, .init([2], isBefore: true), nil, ["c", "b", "a"]), (down, .init([2], isBefore: false), nil, ["a"]),
      (down, nil, .init([2], isBefore: false), ["d", "c", "b"]),
      (full, .init([2, b], isBefore: true), nil, ["b", "c", "d"]),
      (full, .init([2, b], isBefore: false), nil, ["c", "d"]),
      (full, nil, .init([2, b], isBefore: false), ["a", "b"]),
      (byX, .init([1.5], isBefore: true), .init([2.5], isBefore: true), ["b", "c"]),
      (byX, .init(["text"], isBefore: true), nil, []),
      (byX, nil, .init(["text"], isBefore: true), ["a", "b", "c", "d"]),
      ([.init(.documentName)], .init([b], isBefore: false), nil, ["c", "d"]),
    ]
    for (orders, start, end, expected) in cases {
      #expect(try fixture.ids(.init(order: orders, start: start, end: end)) == expected, "\(orders) \(start as Any)")
    }
  }

  @Test("offset, limit and projection")
  func windows() throws {
    var fixture = FirestoreFixture()
    for id in ["a", "b", "c", "d"] { try fixture.set("c/\(id)", ["x": 1, "m": ["y": 2, "z": 3]]) }
    #expect(try fixture.ids(.init(offset: 1, limit: 2)) == ["b", "c"])
    #expect(try fixture.ids(.init(offset: 9)) == [])
    #expect(try fixture.ids(.init(limit: 0)) == [])
    #expect(try fixture.run(.init(offset: 3)).skippedResults == 3)
    var query = Firestore.Query(limit: 1)
    for (projection, fields) in [
      (["m.y"], ["m": ["y": 2]]), (["x", "q"], ["x": 1]), (["__name__"], [:]), ([], ["x": 1, "m": ["y": 2, "z": 3]]),
    ] as [([Firestore.FieldPath], [String: Firestore.Value])] {
      query.projection = projection
      #expect(try fixture.run(query).documents.first?.fields == fields)
    }
  }

  @Test("collections, groups of collections and all collections below a document")
  func scopes() throws {
    var fixture = FirestoreFixture()
    for path in ["c/a", "c/a/c/b", "c/a/d/x", "c/a/d/x/c/y", "d/b/c/a", "e/a/c/b/c/c"] {
      try fixture.set(path, ["x": 1])
    }
    #expect(try fixture.paths(.init()) == ["c/a"])
    #expect(try fixture.paths(.init(), under: "c/a") == ["c/a/c/b"])
    let group = Firestore.Query(.field("x", .equal, 1), allDescendants: true)
    #expect(try fixture.paths(group) == ["c/a", "c/a/c/b", "c/a/d/x/c/y", "d/b/c/a", "e/a/c/b/c/c"])
    #expect(try fixture.paths(group, under: "c/a") == ["c/a/c/b", "c/a/d/x/c/y"])
    let all = Firestore.Query(in: "", allDescendants: true)
    #expect(try fixture.paths(all, under: "c/a") == ["c/a/c/b", "c/a/d/x", "c/a/d/x/c/y"])
    #expect(try fixture.paths(.init(in: ""), under: "c/a") == ["c/a/c/b", "c/a/d/x"])
  }

  @Test("counts, sums and averages")
  func aggregations() throws {
    var fixture = FirestoreFixture()
    for (id, value) in [("a", 1), ("b", 2), ("c", "x"), ("d", nil), ("e", 2.5)] as [(String, Firestore.Value)] {
      try fixture.set("c/\(id)", ["x": value, "y": .integer(.max)])
    }
    try fixture.set("c/f", ["y": 1])
    func run(_ operations: Firestore.Aggregation.Operation..., where filter: Filter? = nil) throws -> [String: Firestore
      .Value]
    {
      var copy = fixture
      return try copy.service.runAggregation(
        operations.map { .init($0) }, over: .init(filter), under: FirestoreFixture.root, at: copy.now
      ).fields
    }
    #expect(try run(.count(upTo: nil)) == ["field_1": 6])
    #expect(try run(.count(upTo: 2)) == ["field_1": 2])
    #expect(
      try run(.sum("x"), .average("x"), .count(upTo: nil)) == [
        "field_1": 5.5, "field_2": .double(5.5 / 3), "field_3": 5,
      ])
    #expect(try run(.sum("x"), where: .field("x", .lessThan, 2.5)) == ["field_1": 3])
    #expect(try run(.sum("y")) == ["field_1": .double(5 * 0x1p63)])
    #expect(try run(.sum("z"), .average("z")) == ["field_1": 0, "field_2": nil])
    try fixture.set("c/g", ["x": Self.nan])
    #expect(try run(.sum("x"), .average("x")) == ["field_1": Self.nan, "field_2": Self.nan])
  }

  static let refused: [(Firestore.Query, String)] = [
    (.init(offset: -1), "offset is negative"), (.init(limit: -1), "limit is negative"),
    (.init(.any([])), "Composite filter must have at least one sub-filter."),
    (.init(.field("f", .isIn, 1)), "'IN' requires an ArrayValue."),
    (.init(.field("f", .notIn, [])), "'NOT_IN' requires an non-empty ArrayValue."),
    (.init(.field("f", .isIn, .array(Array(repeating: 1, count: 31)))), "'IN' supports up to 30 comparison values."),
    (
      .init(.field("f", .notIn, .array(Array(repeating: 1, count: 11)))),
      "'NOT_IN' supports up to 10 comparison values."
    ),
    (
      .init(.all([.field("f", .notEqual, 1), .unary("g", .isNotNull)])),
      "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query."
    ),
    (
      .init(.all([.field("f", .notIn, [1]), .field("g", .isIn, [1])])),
      "'NOT_IN' cannot be used in the same query with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'."
    ),
    (
      .init(.all((0..<5).map { Filter.field(.init(["f\($0)"]), .isIn, [1, 2]) })),
      "Too many disjunctions after normalization. Result had 32 disjunctions which is more than the maximum of 30"
    ),
    (
      .init(.all([.field("f", .arrayContains, 1), .field("g", .arrayContainsAny, [1])])),
      "A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction."
    ),
    (
      .init(.all((0..<11).map { Filter.field(.init(["f\($0)"]), .lessThan, 1) })),
      "The query contains 11 distinct inequality fields: [\((0..<11).map { "f\($0)" }.joined(separator: ", "))]. "
        + "A query may not have more than 10 distinct inequality fields."
    ),
    (
      .init(.all((0..<99).map { _ in .field("f", .equal, 1) }), order: [.init("f"), .init("g")]),
      "The query may not have more than 100 filters + sort orders + ancestor total. "
        + "Currently there are 99 filters, 2 sort orders, and no ancestor filter."
    ),
    (
      .init(
        .all(
          [.field("f", .isIn, .array((0..<30).map { .integer($0) }))]
            + (0..<3).map { _ in .field("g", .equal, 1) })),
      "The query may not have more than 100 filters + sort orders + ancestor total. "
        + "Currently there are 120 filters, 0 sort orders, and no ancestor filter."
    ),
    (
      .init(order: (0..<5_000).map { .init(.init(["f\($0)"])) }),
      "The query may not have more than 100 filters + sort orders + ancestor total. "
        + "Currently there are 0 filters, 5000 sort orders, and no ancestor filter."
    ),
    (.init(.field(.documentName, .equal, "a")), "__key__ filter value must be a Key"),
    (.init(.field(.documentName, .arrayContains, "a")), "the name __key__ is reserved"),
    (.init(order: [.init("f"), .init("f")]), "order by clause cannot contain duplicate fields f"),
    (.init(order: [.init(.documentName), .init("f")]), "order by clause cannot contain more fields after the key"),
    (.init(start: .init([1], isBefore: true)), "Cursor has too many values."),
    (
      .init(order: [.init(.documentName)], end: .init(["a"], isBefore: true)),
      "Cursor __key__ value is not a document reference."
    ),
    (.init(.field("f", .equal, 1), in: "", allDescendants: true), "kind is required for filter: f"),
    (
      .init(order: [.init("f")], in: "", allDescendants: true),
      "kind is required for all orders except __key__ ascending"
    ),
    (.init(in: "__c__"), "Collection id \"__c__\" is invalid because it is reserved."),
  ]

  @Test("an invalid query is rejected with the service's message", arguments: refused.indices)
  func refusals(index: Int) {
    var fixture = FirestoreFixture()
    #expect(fault { _ = try fixture.run(Self.refused[index].0) } == .invalidArgument(Self.refused[index].1))
  }

  @Test("a query may have 100 filters and orders, an AND of nothing, and a membership in each disjunction")
  func allowed() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a", ["f": 1, "l": [1]])
    let filters = (0..<99).map { _ in Filter.field("f", .equal, 1) }
    #expect(try fixture.run(.init(.all(filters), order: [.init("f")])).documents.count == 1)
    #expect(try fixture.run(.init(.all([]))).documents.count == 1)
    let empty = Filter.all(Array(repeating: .all([.all([])]), count: 1_000))
    let one = Filter.all([empty, .any([.field("f", .equal, 1)])])
    #expect(empty.simplified == nil && one.simplified == .field("f", .equal, 1))
    #expect(Filter.any([empty, one]).simplified == nil)
    #expect(try fixture.run(.init(.any([empty, one]))).documents.count == 1)
    let memberships = ["l", "k"].map { Filter.field(.init([$0]), .arrayContains, 1) }
    #expect(try fixture.run(.init(.any(memberships))).documents.count == 1)
  }

  @Test("a range in its order over 20,000 documents scans few of them and follows changes")
  func range() throws {
    var fixture = FirestoreFixture()
    let count = 20_000
    for start in stride(from: 0, to: count, by: 500) {
      try fixture.commit(
        (start..<start + 500).map { number in
          let time = Firestore.Value.integer(Int64(number * 7_919 % count))
          return Firestore.Write(
            FirestoreFixture.name("jobs/j\(number)"),
            .update(fields: ["enabled": true, "state": ["nextRun": time]], mask: nil))
        })
    }
    var query = Firestore.Query(.field("state.nextRun", .lessThanOrEqual, 9), in: "jobs")
    query.limit = 5
    var result = try fixture.run(query)
    #expect(result.documents.map { $0["state.nextRun"] } == [0, 1, 2, 3, 4])
    #expect(result.scannedEntries == 5)
    query.filter = .all([.field("enabled", .equal, true), .field("state.nextRun", .lessThanOrEqual, 9)])
    query.limit = 100
    #expect(try fixture.run(query).scannedEntries == 10)
    try fixture.set("jobs/j1", ["state": ["nextRun": -1]], mask: ["state.nextRun"])
    try fixture.delete("\(try #require(result.documents.first).name.path)")
    result = try fixture.run(query)
    #expect(result.documents.map { $0["state.nextRun"] } == [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(result.scannedEntries == 10)
    query = Firestore.Query(
      order: [.init(.documentName)], start: .init([.reference(FirestoreFixture.name("jobs/j5"))], isBefore: false),
      limit: 3, in: "jobs")
    #expect(try fixture.run(query).scannedEntries == 3)
  }
}
