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

  @Test("indexes that end with the same order are merged for any of their equalities", arguments: merged)
  func merges(query: Firestore.Query) throws {
    #expect(try Self.missing(query, Self.restaurants) == nil)
  }

  @Test("indexes are not merged for another order or a field that none of them has")
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

  /// Returns whether an index serves documents with a city and a category, ordered by stars.
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

  /// Queries with `c.lease` without indexes, `c.lease.owner` with one, and `d` without except `d.kept`.
  private static let overridden: [(Firestore.Query, String?)] = [
    (query("lease"), "lease ASC"), (query("lease.until"), "lease.until ASC"), (query("lease.owner"), nil),
    (query(by: Order("lease.owner", isDescending: true)), "lease.owner DESC"), (query("leases"), nil),
    (.init(.field("x", .equal, 1), in: "d"), "x ASC"), (.init(.field("kept", .arrayContains, 1), in: "d"), nil),
    (.init(.field("lease.owner", .equal, 1), allDescendants: true), nil),
    (.init(.field("kept", .equal, 1), in: "d", allDescendants: true), "group: kept ASC"),
  ]

  @Test("a field override applies to the field and its subfields up to the next override", arguments: overridden)
  func overrides(query: Firestore.Query, missing: String?) throws {
    let configuration = Firestore.IndexConfiguration(overrides: [
      .init("c", "lease", []),
      .init("c", "lease.owner", [.init(.ascending), .init(.ascending, .collectionGroup)]),
      .init("d", .init([]), []), .init("d", "kept", [.init(.contains)]),
    ])
    #expect(configuration.missing(for: try IndexNeedTests.plan(query)).map { IndexNeedTests.text($0) } == missing)
  }

  @Test("an override does not affect composite indexes")
  func overrideBesideComposite() throws {
    let configuration = Firestore.IndexConfiguration(
      composites: [Self.index("city", "stars")], overrides: [.init("c", .init([]), [])])
    let plan = try IndexNeedTests.plan(Self.query("city", by: Order("stars")))
    #expect(configuration.missing(for: plan) == nil)
  }

  @Test("a service with indexes rejects unserved queries without billing, and otherwise equals one without")
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

  @Test("a missing collection group index is reported in the service's words, with the automatic indexes kept")
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

  @Test("an aggregation requires the indexes of its query followed by its fields")
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

  @Test("an ordered list of documents is subject to indexes")
  func lists() throws {
    var fixture = FirestoreFixture()
    fixture.service = FirestoreService(indexes: .init(), seed: 1)
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    _ = try fixture.service.listDocuments(request, at: fixture.now)
    request.orders = [Order("a"), Order("b")]
    #expect(throws: ServiceFault.self) { try fixture.service.listDocuments(request, at: fixture.now) }
  }
}

@Suite("Firestore: the index file")
struct IndexFileTests {
  private static let fields =
    #""fields":[{"fieldPath":"a","order":"ASCENDING"},{"fieldPath":"b.`c d`","order":"DESCENDING"}]"#
  private static let index = #"{"collectionGroup":"c","queryScope":"COLLECTION",\#(fields)}"#

  private static let override = #"{"collectionGroup":"c","fieldPath":"x","indexes":[]}"#

  @Test("contains composite indexes and overrides")
  func reads() throws {
    let configuration = try Firestore.IndexConfiguration(
      parsing: """
        {
          "indexes": [
            \(Self.index),
            {"collectionGroup": "g", "queryScope": "COLLECTION_GROUP", "apiScope": "ANY_API",
             "density": "SPARSE_ALL",
             "fields": [
               {"fieldPath": "t", "arrayConfig": "CONTAINS"}, {"fieldPath": "__name__", "order": "DESCENDING"}]},
            {"collectionGroup": "v", "queryScope": "COLLECTION",
             "fields": [{"fieldPath": "v", "vectorConfig": {"dimension": 3, "flat": {}}}]}
          ],
          "fieldOverrides": [
            {"collectionGroup": "c", "fieldPath": "x", "ttl": true, "indexes": []},
            {"collectionGroup": "c", "fieldPath": "*", "indexes": [
              {"order": "ASCENDING"}, {"arrayConfig": "CONTAINS", "queryScope": "COLLECTION_GROUP"}]}
          ]
        }
        """)
    #expect(
      configuration
        == .init(
          composites: [
            .init("c", .collection, [.init("a"), .init(.init(["b", "c d"]), .descending)]),
            .init("g", .collectionGroup, [.init("t", .contains), .init(.documentName, .descending)]),
          ],
          overrides: [
            .init("c", "x", []),
            .init("c", .init([]), [.init(.ascending), .init(.contains, .collectionGroup)]),
          ]))
  }

  @Test("may omit overrides; its composite indexes round-trip")
  func writes() throws {
    let configuration = try Firestore.IndexConfiguration(parsing: #"{"indexes":[\#(Self.index)]}"#)
    let written = JSONValue.object(["indexes": .array(configuration.composites.map(\.json))])
    #expect(try Firestore.IndexConfiguration(parsing: written.text) == configuration)
    #expect(configuration.composites.count == 1 && configuration.overrides.isEmpty)
  }

  /// A file and the start of the error message that it causes.
  private static let refusals: [(text: String, message: String)] = [
    ("[]", "The index file: It is an array. Make it an object."),
    ("{}", "indexes: It is missing. Make it a list."),
    (#"{"indexes":{}}"#, "indexes: It is an object. Make it a list."),
    (#"{"indexes":[],"rules":1}"#, #"The index file: "rules" is unknown."#),
    (#"{"indexes":["a"]}"#, "indexes[0]: It is a string. Make it an object."),
    (#"{"indexes":[{"queryScope":"COLLECTION",\#(fields)}]}"#, #"indexes[0]: "collectionGroup" is missing."#),
    (#"{"indexes":[{"collectionGroup":"","queryScope":"COLLECTION",\#(fields)}]}"#, #"indexes[0]: "collectionGroup""#),
    (#"{"indexes":[{"collectionGroup":"c",\#(fields)}]}"#, #"indexes[0]: "queryScope" is missing."#),
    (
      #"{"indexes":[\#(index),{"collectionGroup":"c","queryScope":"ALL",\#(fields)}]}"#,
      #"indexes[1]: "queryScope" is ALL. Make it COLLECTION or COLLECTION_GROUP."#
    ),
    (#"{"indexes":[{"collectionGroup":"c","queryScope":"COLLECTION"}]}"#, "indexes[0].fields: It is missing."),
    (refused(#"{"fieldPath":"a"}"#), #"indexes[0].fields[0]: It requires either "order" or "arrayConfig"."#),
    (
      refused(#"{"fieldPath":"a","order":"ASCENDING","arrayConfig":"CONTAINS"}"#),
      #"indexes[0].fields[0]: It requires either "order" or "arrayConfig"."#
    ),
    (
      refused(#"{"fieldPath":"a","order":"CONTAINS"}"#),
      #"indexes[0].fields[0]: "order" is CONTAINS. Make it ASCENDING or DESCENDING."#
    ),
    (refused(#"{"fieldPath":"a b","order":"ASCENDING"}"#), #"indexes[0].fields[0]: "fieldPath" is not a field path"#),
    (refused(#"{"fieldPath":"a","order":"ASCENDING"}"#), "indexes[0]: A composite index has at least two fields."),
    (
      #"{"indexes":[],"fieldOverrides":[{"collectionGroup":"c","fieldPath":"x"}]}"#,
      "fieldOverrides[0].indexes: It is missing. Make it a list."
    ),
    (
      #"{"indexes":[],"fieldOverrides":[\#(override),\#(override)]}"#,
      "fieldOverrides[1]: The field occurs twice in the list."
    ),
    (
      #"{"indexes":[],"fieldOverrides":[{"collectionGroup":"c","fieldPath":"x","indexes":[{"order":1}]}]}"#,
      #"fieldOverrides[0].indexes[0]: "order" is a number."#
    ),
  ]

  private static func refused(_ field: String) -> String {
    #"{"indexes":[{"collectionGroup":"c","queryScope":"COLLECTION","fields":[\#(field)]}]}"#
  }

  @Test("is rejected with the location and the remedy", arguments: refusals)
  func refuses(text: String, message: String) {
    let error = #expect(throws: JobError.self) { try Firestore.IndexConfiguration(parsing: text) }
    #expect(error?.code == .invalidField && error?.field == "--indexes")
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  @Test("is rejected if it is not JSON")
  func notJSON() {
    let error = #expect(throws: JobError.self) { try Firestore.IndexConfiguration(parsing: "indexes: []") }
    #expect(error?.code == .malformedJSON)
  }
}
