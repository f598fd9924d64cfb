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
    // The name takes 16 + "c/a" 4, the document 32, the field's name 2 and the text 1 byte besides its own.
    let room = 1_048_576 - 16 - 4 - 32 - 2 - 1
    try fixture.set("c/a", ["f": .string(String(repeating: "x", count: room))])
    let fault = fault { _ = try fixture.set("c/a", ["f": .string(String(repeating: "x", count: room + 1))]) }
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
    #expect(fault { _ = try fixture.set("c/a", ["f": Self.nested(21)]) }?.code == .invalidArgument)
    #expect(try fixture.get("c/a")?.fields == ["f": Self.nested(20)])
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
