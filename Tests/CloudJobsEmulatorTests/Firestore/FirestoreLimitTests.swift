import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: limits")
struct FirestoreLimitTests {
  /// A value in nested maps.
  private static func nested(_ depth: Int) -> Firestore.Value {
    (0..<depth).reduce(1) { value, _ in ["m": value] }
  }

  @Test("a document has at most one mebibyte, counted as documented")
  func size() throws {
    var fixture = FirestoreFixture()
    // The name takes 16 + "c/a" 4, the document 32, a field's name 2, a text 1 byte besides its own, the empty list 1.
    let room = 1_048_576 - 16 - 4 - 32 - 2 - 1 - 2 - 1 - 1_000_000 - 2 - 1
    let long = Firestore.Value.string(String(repeating: "x", count: 1_000_000))
    func fields(_ count: Int) -> [String: Firestore.Value] {
      ["e": [], "f": long, "g": .string(String(repeating: "x", count: count))]
    }
    try fixture.set("c/a", fields(room))
    let fault = fault { _ = try fixture.set("c/a", fields(room + 1)) }
    #expect(
      fault
        == .invalidArgument(
          "Document 'projects/p/databases/(default)/documents/c/a' cannot be written because its size "
            + "(1,048,577 bytes) exceeds the maximum allowed size of 1,048,576 bytes."))
  }

  @Test("values nest twenty levels deep")
  func depth() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a", ["f": Self.nested(20)])
    let tooDeep = ServiceFault.invalidArgument("Property f contains an invalid nested entity.")
    #expect(fault { _ = try fixture.set("c/a", ["f": Self.nested(21)]) } == tooDeep)
    let empty = (0..<20).reduce(Firestore.Value.map([:])) { value, _ in ["m": value] }
    #expect(fault { _ = try fixture.set("c/a", ["f": empty]) } == tooDeep)
    #expect(try fixture.get("c/a")?.fields == ["f": Self.nested(20)])
  }

  @Test("a string or bytes value has at most 1,048,487 bytes, wherever it is")
  func longValues() throws {
    let limit = 1_048_487
    let values: [(Firestore.Value) -> [String: Firestore.Value]] = [
      { ["x": $0] }, { ["m": ["with.dot": $0]] }, { ["l": [["x": $0]]] }, { ["l": [$0]] },
    ]
    for (place, path) in zip(values, ["x", "m.`with.dot`", "l.x", "l"]) {
      for make in [
        { Firestore.Value.string(String(repeating: "x", count: $0)) }, { .bytes(Array(repeating: 7, count: $0)) },
      ] {
        var fixture = FirestoreFixture()
        let text = "The value of property \"\(path)\" is longer than \(limit) bytes."
        #expect(fault { _ = try fixture.set("c/a", place(make(limit + 1))) } == .invalidArgument(text))
        #expect(fault { _ = try fixture.set("c/a", place(make(limit))) } == nil)
      }
    }
  }

  @Test("a vector has 1 to 2,048 dimensions, wherever it is")
  func dimensions() throws {
    for (count, message) in [
      (1, nil), (2_048, nil), (2_049, "Vectors must be at most 2048 dimensions."),
      (0, "Cannot have a zero length vector."),
    ] as [(Int, String?)] {
      var fixture = FirestoreFixture()
      let vector: Firestore.Value = [
        "__type__": "__vector__", "value": .array(Array(repeating: .double(1), count: count)),
      ]
      let refusal = fault { _ = try fixture.set("c/a", ["f": vector]) }
      #expect(refusal == message.map { .invalidArgument($0) })
    }
  }

  static let fields: [([String: Firestore.Value], Bool)] = [
    (["a.b c`": 1], true), (["": 1], false), (["__a__": 1], false), (["____": 1], false), (["___": 1], true),
    (["m": ["__x__": 1]], false), ([String(repeating: "n", count: 1_500): 1], true),
    ([String(repeating: "n", count: 1_501): 1], false), (["l": [[1]]], false), (["l": [["a": [1]]]], true),
    (["p": .geoPoint(latitude: 90, longitude: -180)], true), (["p": .geoPoint(latitude: 90.1, longitude: 0)], false),
    (["p": .geoPoint(latitude: 0, longitude: 180.1)], false),
    (["v": ["__type__": "__vector__", "value": [1.0, 2]]], true),
    (["v": ["__type__": "__vector__", "value": []]], false),
    (["v": ["__type__": "__vector__", "value": ["a"]]], false),
    (["v": ["__type__": "other", "value": [1.0]]], false),
  ]

  @Test("valid and invalid fields", arguments: fields.indices)
  func fieldRules(index: Int) throws {
    let (fields, isAllowed) = Self.fields[index]
    var fixture = FirestoreFixture()
    let fault = fault { _ = try fixture.set("c/a", fields) }
    #expect(fault?.code == (isAllowed ? nil : .invalidArgument))
    #expect(try fixture.get("c/a")?.fields == (isAllowed ? fields : nil))
  }

  @Test(
    "valid and invalid IDs",
    arguments: [
      ("a", true), ("a:b", true), ("é %", true), ("__id7__", true), ("..x", true), (".", false), ("..", false),
      ("a/b", false), ("__x__", false), ("____", false), ("___", true), (String(repeating: "x", count: 1_500), true),
      (String(repeating: "x", count: 1_501), false),
    ])
  func ids(id: String, isAllowed: Bool) {
    var fixture = FirestoreFixture()
    let fault = fault {
      _ = try fixture.service.createDocument(in: FirestoreFixture.root, "c", id: id, fields: [:], at: fixture.now)
    }
    #expect((fault == nil) == isAllowed)
  }

  @Test("each billed operation is counted")
  func usage() throws {
    var fixture = FirestoreFixture()
    for id in ["a", "b", "c"] { try fixture.set("c/\(id)", ["x": 1]) }
    func reads(_ body: (inout FirestoreFixture) throws -> Void) rethrows -> Int {
      var copy = fixture
      try body(&copy)
      return copy.service.usage.reads - fixture.service.usage.reads
    }
    #expect(try reads { _ = try $0.get("c/a") } == 1)
    #expect(try reads { _ = try $0.get("c/missing") } == 1)
    #expect(try reads { _ = try $0.run(.init()) } == 3)
    #expect(try reads { _ = try $0.run(.init(limit: 2)) } == 2)
    #expect(try reads { _ = try $0.run(.init(offset: 2, limit: 1)) } == 3)
    #expect(try reads { _ = try $0.run(.init(in: "nothing")) } == 1)
    #expect(
      try reads {
        _ = try $0.service.runAggregation(
          [.init(.count(upTo: nil))], over: .init(), under: FirestoreFixture.root, at: $0.now)
      } == 1)
    try fixture.delete("c/a")
    try fixture.transform("c/b", "x", .increment(1))
    #expect(fixture.service.usage.writes == 4)
    #expect(fixture.service.usage.deletes == 1)
  }
}
