import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: queries under an index file")
struct IndexConfigurationTests {
  typealias Filter = Firestore.Filter
  typealias Index = Firestore.Index
  typealias Order = Firestore.Query.Order

  /// A composite index over the collection `c`, such as `city`, `-stars`, `@tags`.
  private static func index(_ fields: String..., scope: Index.Scope = .collection, in group: String = "c") -> Index {
    Index(
      group, scope,
      fields.map { text in
        let path = Firestore.FieldPath(stringLiteral: text.filter { $0 != "-" && $0 != "@" })
        return .init(path, text.hasPrefix("-") ? .descending : text.hasPrefix("@") ? .contains : .ascending)
      })
  }

  private static func query(_ fields: String..., by order: Order...) -> Firestore.Query {
    .init(fields.isEmpty ? nil : .all(fields.map { .field(.init(stringLiteral: $0), .equal, 1) }), order: order)
  }

  private static func missing(_ query: Firestore.Query, _ indexes: [Index]) throws -> String? {
    let configuration = Firestore.IndexConfiguration(composites: indexes)
    return configuration.missing(for: try IndexNeedTests.plan(query)).map { IndexNeedTests.text($0) }
  }

  /// The example of index merging in the documentation: restaurants by any of their properties and by stars.
  private static let restaurants = [index("category", "stars"), index("city", "stars"), index("pick", "stars")]

  private static let merged: [Firestore.Query] = [
    query("category", by: Order("stars")), query("city", "category", by: Order("stars")),
    query("category", "city", "pick", by: Order("stars")),
    .init(.all([.field("city", .isIn, [1, 2]), .field("pick", .equal, 1)]), order: [Order("stars")]),
    .init(.all([.field("city", .equal, 1), .field("stars", .greaterThan, 3)])),
    query("category", "city"),
  ]

  @Test("Indexes that end with the same order are merged for any of their equalities", arguments: merged)
  func merges(query: Firestore.Query) throws {
    #expect(try Self.missing(query, Self.restaurants) == nil)
  }

  @Test("Indexes are not merged for another order, nor for a field that none of them has")
  func doesNotMerge() throws {
    #expect(
      try Self.missing(Self.query("category", "city", by: Order("name")), Self.restaurants)
        == "category ASC, city ASC, name ASC")
    #expect(
      try Self.missing(Self.query("city", by: Order("stars", isDescending: true)), Self.restaurants)
        == "city ASC, stars DESC")
    #expect(
      try Self.missing(Self.query("city", "owner", by: Order("stars")), Self.restaurants)
        == "city ASC, owner ASC, stars ASC")
    #expect(
      try Self.missing(Self.query("city", by: Order("stars"), Order("name")), Self.restaurants)
        == "city ASC, stars ASC, name ASC")
  }

  /// Whether an index serves the documents with a city and a category by stars.
  private static let shapes: [(Index, Bool)] = [
    (index("city", "category", "stars"), true), (index("category", "city", "stars"), true),
    (index("-city", "category", "stars"), true), (index("city", "category", "stars", "__name__"), true),
    (index("city", "category", "-stars"), false), (index("city", "category", "stars", "name"), false),
    (index("city", "category", "owner", "stars"), false), (index("city", "stars", "category"), false),
    (index("city", "stars"), false), (index("city", "category"), false), (index("city", "@category", "stars"), false),
    (index("city", "category", "stars", "-__name__"), false),
    (index("city", "category", "stars", scope: .collectionGroup), false),
    (index("city", "category", "stars", in: "d"), false),
  ]

  @Test(
    "A composite index serves equalities in any sequence and direction, then the order, and no more", arguments: shapes)
  func servesOne(index: Index, serves: Bool) throws {
    let missing = try Self.missing(Self.query("city", "category", by: Order("stars")), [index])
    #expect(missing == (serves ? nil : "city ASC, category ASC, stars ASC"))
  }

  /// Queries under `c.lease` without indexes, `c.lease.owner` with one, and `d` with none but for `d.kept`.
  private static let overridden: [(Firestore.Query, String?)] = [
    (query("lease"), "lease ASC"), (query("lease.until"), "lease.until ASC"), (query("lease.owner"), nil),
    (query(by: Order("lease.owner", isDescending: true)), "lease.owner DESC"), (query("leases"), nil),
    (.init(.field("x", .equal, 1), in: "d"), "x ASC"), (.init(.field("kept", .arrayContains, 1), in: "d"), nil),
    (.init(.field("lease.owner", .equal, 1), allDescendants: true), nil),
    (.init(.field("kept", .equal, 1), in: "d", allDescendants: true), "group: kept ASC"),
  ]

  @Test("A field's override stands for it and what lies below it, up to the next override", arguments: overridden)
  func overrides(query: Firestore.Query, missing: String?) throws {
    let configuration = Firestore.IndexConfiguration(overrides: [
      .init("c", "lease", []),
      .init("c", "lease.owner", [.init(.ascending), .init(.ascending, .collectionGroup)]),
      .init("d", .init([]), []), .init("d", "kept", [.init(.contains)]),
    ])
    #expect(configuration.missing(for: try IndexNeedTests.plan(query)).map { IndexNeedTests.text($0) } == missing)
  }

  @Test("An override does not touch composite indexes")
  func overrideBesideComposite() throws {
    let configuration = Firestore.IndexConfiguration(
      composites: [Self.index("city", "stars")], overrides: [.init("c", .init([]), [])])
    let plan = try IndexNeedTests.plan(Self.query("city", by: Order("stars")))
    #expect(configuration.missing(for: plan) == nil)
  }

  @Test("A service with indexes refuses what they do not serve, bills nothing, and is otherwise as one without")
  func refusal() throws {
    let query = Self.query("city", by: Order("stars"))
    var strict = FirestoreFixture()
    strict.service = FirestoreService(indexes: .init(), seed: 1)
    var free = FirestoreFixture()
    try strict.set("c/a", ["city": 1, "stars": 2])
    try free.set("c/a", ["city": 1, "stars": 2])
    let usage = strict.service.usage
    let fault = #expect(throws: ServiceFault.self) { try strict.run(query, .newTransaction(.readWrite())) }
    #expect(try free.run(query, .newTransaction(.readWrite())).documents.count == 1)
    #expect(fault?.code == .failedPrecondition)
    #expect(
      fault?.message
        == #"The query requires an index. You can create it here: put {"collectionGroup":"c","fields":"#
        + #"[{"fieldPath":"city","order":"ASCENDING"},{"fieldPath":"stars","order":"ASCENDING"}],"#
        + #""queryScope":"COLLECTION"} into "indexes" of the emulator's --indexes file."#)
    #expect(strict.service.usage == usage)
    #expect(try strict.begin() == free.begin())
  }

  @Test("A field of a collection group is asked for in the service's words, with its automatic indexes kept")
  func singleField() throws {
    var fixture = FirestoreFixture()
    fixture.service = FirestoreService(indexes: .init(), seed: 1)
    let query = Firestore.Query(order: [Order("stars", isDescending: true)], allDescendants: true)
    let fault = #expect(throws: ServiceFault.self) { try fixture.run(query) }
    #expect(
      fault?.message
        == "The query requires a COLLECTION_GROUP_DESC index for collection c and field stars. You can create it here: "
        + #"put {"collectionGroup":"c","fieldPath":"stars","indexes":["#
        + #"{"order":"ASCENDING","queryScope":"COLLECTION"},{"order":"DESCENDING","queryScope":"COLLECTION"},"#
        + #"{"arrayConfig":"CONTAINS","queryScope":"COLLECTION"},"#
        + #"{"order":"DESCENDING","queryScope":"COLLECTION_GROUP"}]} "#
        + #"into "fieldOverrides" of the emulator's --indexes file."#)
  }

  @Test("An aggregation needs what its query needs, and then the fields that it computes on")
  func aggregations() throws {
    var fixture = FirestoreFixture()
    fixture.service = FirestoreService(indexes: .init(composites: [Self.index("city", "stars")]), seed: 1)
    let root = FirestoreFixture.root
    let city = Self.query("city")
    func run(_ operation: Firestore.Aggregation.Operation, _ query: Firestore.Query) throws {
      _ = try fixture.service.runAggregation([.init(operation)], over: query, under: root, at: fixture.now)
    }
    try run(.count(upTo: nil), city)
    try run(.count(upTo: nil), Self.query("city", by: Order("stars")))
    try run(.sum("stars"), .init(.field("stars", .greaterThan, 1)))
    try run(.sum("price"), .init())
    try run(.average("stars"), city)
    try run(.sum("city"), city)
    #expect(throws: ServiceFault.self) { try run(.sum("price"), city) }
    #expect(throws: ServiceFault.self) { try run(.count(upTo: nil), Self.query("city", by: Order("price"))) }
  }

  @Test("A list of documents in an order is a query too")
  func lists() throws {
    var fixture = FirestoreFixture()
    fixture.service = FirestoreService(indexes: .init(), seed: 1)
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    _ = try fixture.service.listDocuments(request, at: fixture.now)
    request.orders = [Order("a"), Order("b")]
    #expect(throws: ServiceFault.self) { try fixture.service.listDocuments(request, at: fixture.now) }
  }
}
