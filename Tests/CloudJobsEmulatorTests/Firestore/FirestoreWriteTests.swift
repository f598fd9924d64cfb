import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: documents")
struct FirestoreDocumentTests {
  private static let prefix = "projects/p/databases/(default)/documents"

  @Test("a document is created, read, changed and deleted, with increasing times")
  func lifecycle() throws {
    var fixture = FirestoreFixture()
    let made = try fixture.service.createDocument(
      in: FirestoreFixture.root, "c", id: "a", fields: ["x": 1], at: fixture.now)
    #expect(made.name == FirestoreFixture.name("c/a"))
    #expect(made.createTime == made.updateTime)
    #expect(try fixture.get("c/a") == made)
    let changed = try fixture.set("c/a", ["x": 2])
    #expect(changed.createTime == made.createTime)
    #expect(changed.updateTime > made.updateTime)
    try fixture.delete("c/a")
    #expect(try fixture.get("c/a") == nil)
    let anew = try fixture.set("c/a", ["x": 1])
    #expect(anew.createTime > made.createTime)
    #expect(try fixture.get("c/a", mask: ["y"])?.fields == [:])
  }

  @Test("IDs are generated if none is given")
  func generatedIDs() throws {
    var fixture = FirestoreFixture()
    let ids = try (0..<50).map { _ in
      try fixture.service.createDocument(in: FirestoreFixture.root, "c", fields: [:], at: fixture.now).name.path.id
    }
    #expect(Set(ids).count == 50)
    #expect(ids.allSatisfy { $0.utf8.count == 20 })
  }

  @Test(
    "an update mask sets fields with a value and deletes those without",
    arguments: [
      (nil, ["n": 1], ["n": 1]),
      ([], ["n": 1], ["a": 1, "m": ["x": 1, "y": 2]]),
      (["a"], ["a": 5, "n": 1], ["a": 5, "m": ["x": 1, "y": 2]]),
      (["a"], [:], ["m": ["x": 1, "y": 2]]),
      (["m.x"], ["m": ["x": 7, "z": 1]], ["a": 1, "m": ["x": 7, "y": 2]]),
      (["m.x", "m.z"], ["m": ["z": 3]], ["a": 1, "m": ["y": 2, "z": 3]]),
      (["m.x", "m.y"], [:], ["a": 1, "m": [:]]),
      (["m"], ["m": ["q": 0]], ["a": 1, "m": ["q": 0]]),
      (["a.b"], ["a": ["b": 1]], ["a": ["b": 1], "m": ["x": 1, "y": 2]]),
      (["a.b"], [:], ["a": 1, "m": ["x": 1, "y": 2]]),
      (["m.x"], ["m.x": 9], ["a": 1, "m": ["y": 2]]),
    ] as [([String]?, [String: Firestore.Value], [String: Firestore.Value])])
  func masks(mask: [String]?, fields: [String: Firestore.Value], result: [String: Firestore.Value]) throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a", ["a": 1, "m": ["x": 1, "y": 2]])
    try fixture.set("c/a", fields, mask: mask)
    #expect(try fixture.get("c/a")?.fields == result)
  }

  @Test("a write without changes keeps the update time")
  func unchanged() throws {
    var fixture = FirestoreFixture()
    let made = try fixture.set("c/a", ["x": 1, "l": [1]])
    #expect(try fixture.set("c/a", ["x": 1, "l": [1]]).updateTime == made.updateTime)
    #expect(try fixture.set("c/a", ["x": 1], mask: ["x"]).updateTime == made.updateTime)
    #expect(try fixture.transform("c/a", "l", .appendMissing([1.0])).updateTime == made.updateTime)
    #expect(try fixture.transform("c/a", "x", .increment(0)).updateTime == made.updateTime)
    let other = try fixture.set("c/a", ["x": 1.0], mask: ["x"])
    #expect(other.updateTime > made.updateTime)
  }

  @Test("preconditions hold or fail with the service's messages")
  func preconditions() throws {
    var fixture = FirestoreFixture()
    let made = try fixture.set("c/a", ["x": 1], if: .exists(false))
    func refusal(_ path: String, _ precondition: Firestore.Precondition, delete: Bool = false) -> ServiceFault? {
      var copy = fixture
      return fault {
        if delete { try copy.delete(path, if: precondition) } else { try copy.set(path, if: precondition) }
      }
    }
    let exists = ServiceFault(.alreadyExists, "Document already exists: \(Self.prefix)/c/a")
    let missing = ServiceFault(.notFound, "No document to update: \(Self.prefix)/c/b")
    let earlier = made.updateTime - .microseconds(1)
    let stale = ServiceFault(
      .failedPrecondition,
      "the stored version (\(made.updateTime.microseconds)) does not match the required base version "
        + "(\(earlier.microseconds))")
    for delete in [false, true] {
      #expect(refusal("c/a", .exists(true), delete: delete) == nil)
      #expect(refusal("c/a", .exists(false), delete: delete) == exists)
      #expect(refusal("c/b", .exists(true), delete: delete) == missing)
      #expect(refusal("c/b", .exists(false), delete: delete) == nil)
      #expect(refusal("c/a", .updateTime(made.updateTime), delete: delete) == nil)
      #expect(refusal("c/a", .updateTime(earlier), delete: delete) == stale)
      #expect(refusal("c/b", .updateTime(earlier), delete: delete) == missing)
    }
    #expect(refusal("c/b", .exists(true)).map(\.code.httpStatus) == 404)
    #expect(stale.code.httpStatus == 400)
    #expect(
      fault { _ = try fixture.service.getDocument(FirestoreFixture.name("c/b"), at: fixture.now) }?.code == .notFound)
  }

  @Test("a commit applies all writes in order, or none")
  func atomicity() throws {
    var fixture = FirestoreFixture()
    let (a, b) = (FirestoreFixture.name("c/a"), FirestoreFixture.name("c/b"))
    let set = Firestore.Write(a, .update(fields: ["x": 1], mask: nil))
    let refused = Firestore.Write(b, .update(fields: [:], mask: nil), precondition: .exists(true))
    #expect(fault { _ = try fixture.commit([set, refused]) }?.code == .notFound)
    #expect(try fixture.get("c/a") == nil)
    #expect(fixture.service.usage.writes == 0)
    let increment = Firestore.FieldTransform("x", .increment(1))
    let result = try fixture.commit([
      set, .init(a, .update(fields: [:], mask: []), transforms: [increment, increment], precondition: .exists(true)),
      .init(b, .delete), .init(b, .update(fields: [:], mask: nil), precondition: .exists(false)),
    ])
    #expect(result.writeResults.map(\.updateTime) == [result.commitTime, result.commitTime, nil, result.commitTime])
    #expect(result.writeResults[1].transformResults == [2, 3])
    #expect(try fixture.get("c/a")?.fields == ["x": 3])
    #expect(fixture.service.usage.writes == 3 && fixture.service.usage.deletes == 1)
  }

  @Test("the writes of a batch succeed or fail independently")
  func batchWrite() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a")
    let writes = ["a", "b", "c"].map { id in
      Firestore.Write(
        FirestoreFixture.name("c/\(id)"), .update(fields: ["x": 1], mask: nil), precondition: .exists(false))
    }
    let results = try fixture.service.batchWrite(writes, in: FirestoreFixture.database, at: fixture.now)
    #expect(results.map { (try? $0.get()) != nil } == [false, true, true])
    guard case .failure(let first) = results[0] else { return }
    #expect(first.code == .alreadyExists)
    #expect(try fixture.get("c/c")?.fields == ["x": 1])
    for bad in [[writes[0], writes[0]], Array(repeating: writes[0], count: 501)] {
      #expect(
        fault { _ = try fixture.service.batchWrite(bad, in: FirestoreFixture.database, at: fixture.now) }?.code
          == .invalidArgument)
    }
  }

  @Test("commit times increase strictly even if the clock stands still, and reads see all earlier commits")
  func times() throws {
    var fixture = FirestoreFixture()
    let write = Firestore.Write(FirestoreFixture.name("c/a"), .update(fields: [:], mask: nil))
    var last = Timestamp.distantPast
    for _ in 0..<20 {
      let time = try fixture.service.commit([write], in: FirestoreFixture.database, at: fixture.now).commitTime
      #expect(time > last)
      let read = try fixture.service.batchGet([], in: FirestoreFixture.database, at: fixture.now).stamp.readTime
      #expect(read >= time)
      last = read
    }
  }

  @Test("documents can be read as of a time in the last hour")
  func history() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/z")
    let before = fixture.now
    let first = try fixture.set("c/a", ["x": 1]).updateTime
    let second = try fixture.set("c/a", ["x": 2]).updateTime
    try fixture.delete("c/a")
    let query = Firestore.Query(.field("x", .greaterThan, 0))
    for (time, value) in [(before, nil), (first, 1), (second, 2), (fixture.now, nil)] as [(Timestamp, Int64?)] {
      let fields = value.map { ["x": Firestore.Value.integer($0)] }
      #expect(try fixture.get("c/a", .readTime(time))?.fields == fields)
      #expect(try fixture.run(query, .readTime(time)).documents.map(\.fields) == (fields.map { [$0] } ?? []))
    }
    #expect(fault { _ = try fixture.get("c/a", .readTime(fixture.now + .hours(1))) }?.code == .invalidArgument)
    fixture.now = fixture.now + .hours(2)
    #expect(fault { _ = try fixture.get("c/a", .readTime(first)) }?.code == .failedPrecondition)
  }

  @Test("databases and projects are separate")
  func databases() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a", ["x": 1])
    for database in [Firestore.DatabaseName(project: "p", database: "other"), .init(project: "q")] {
      let name = Firestore.Name(database, FirestoreFixture.name("c/a").path)
      #expect(fault { _ = try fixture.service.getDocument(name, at: fixture.now) }?.code == .notFound)
      #expect(fault { _ = try fixture.commit([.init(name, .delete)]) }?.code == .invalidArgument)
    }
    fixture.service.removeAll(in: FirestoreFixture.database)
    #expect(try fixture.get("c/a") == nil)
  }
}

@Suite("Firestore: field transforms")
struct FirestoreTransformTests {
  typealias Operation = Firestore.FieldTransform.Operation
  private static let max = Firestore.Value.integer(.max)
  private static let min = Firestore.Value.integer(.min)
  private static let nan = Firestore.Value.double(.nan)

  static let numbers: [(Firestore.Value?, Operation, Firestore.Value)] = [
    (1, .increment(2), 3), (1, .increment(0.5), 1.5), (0.5, .increment(1), 1.5), (nil, .increment(2), 2),
    ("a", .increment(2.5), 2.5), (.null, .increment(1), 1), (max, .increment(1), max), (max, .increment(max), max),
    (min, .increment(-1), min), (min, .increment(min), min), (max, .increment(-1), .integer(.max - 1)),
    (max, .increment(1.0), .double(0x1p63)), (nan, .increment(1), nan), (1.0, .increment(nan), nan),
    (1, .maximum(2), 2), (2, .maximum(1), 2), (3, .maximum(3.0), 3), (3.0, .maximum(3), 3.0), (0, .maximum(-0.0), 0),
    (-0.0, .maximum(0), -0.0), (nil, .maximum(-1), -1), ("a", .maximum(1), 1), (1, .maximum(nan), nan),
    (nan, .maximum(1), nan), (1, .maximum(1.5), 1.5), (.null, .maximum(0), 0),
    (1, .minimum(2), 1), (2, .minimum(1), 1), (3, .minimum(3.0), 3), (nil, .minimum(5), 5), (1, .minimum(nan), nan),
    (nan, .minimum(1), nan), (1.5, .minimum(1), 1), (["a": 1], .minimum(7), 7),
  ]

  @Test("numbers", arguments: numbers.indices)
  func number(index: Int) throws {
    let (present, operation, expected) = Self.numbers[index]
    var fixture = FirestoreFixture()
    try fixture.set("c/a", present.map { ["m": ["f": $0]] } ?? [:])
    let result = try fixture.transform("c/a", "m.f", operation)
    #expect(result.transformResults == [expected])
    #expect(try fixture.get("c/a")?["m.f"] == expected)
  }

  static let lists: [(Firestore.Value?, Operation, Firestore.Value)] = [
    (nil, .appendMissing([1, 2]), [1, 2]), ([1], .appendMissing([1.0, 2, 2.0]), [1, 2]), ("a", .appendMissing([]), []),
    ([nil], .appendMissing([nil, nan, nan]), [nil, nan]), ([["a": 1]], .appendMissing([["a": 1.0]]), [["a": 1]]),
    (nil, .removeAll([1]), []), ([1, 2, 1.0, "a"], .removeAll([1, "a"]), [2]),
    ([nan, nil, 3], .removeAll([nan, nil]), [3]),
    (7, .removeAll([7]), []), ([1, 2], .removeAll([3]), [1, 2]),
  ]

  @Test("lists", arguments: lists.indices)
  func list(index: Int) throws {
    let (present, operation, expected) = Self.lists[index]
    var fixture = FirestoreFixture()
    try fixture.set("c/a", present.map { ["f": $0] } ?? [:])
    #expect(try fixture.transform("c/a", "f", operation).transformResults == [.null])
    #expect(try fixture.get("c/a")?["f"] == expected)
  }

  @Test("the request time is the commit time in whole milliseconds, equal in all fields")
  func requestTime() throws {
    var fixture = FirestoreFixture()
    fixture.now = Timestamp(microseconds: fixture.now.microseconds + 789)
    let transforms = ["a", "b.c"].map { Firestore.FieldTransform($0, .requestTime) }
    let result = try fixture.commit([.init(FirestoreFixture.name("c/a"), .transform, transforms: transforms)])
    let time = Timestamp(milliseconds: result.commitTime.microseconds / 1_000)
    #expect(time != result.commitTime)
    #expect(result.writeResults[0].transformResults == [.timestamp(time), .timestamp(time)])
    #expect(try fixture.get("c/a")?.fields == ["a": .timestamp(time), "b": ["c": .timestamp(time)]])
  }

  static let refused: [([(String, Operation)], String)] = [
    ([], "A document transform must have at least one field transform."),
    ([("a", .increment("x"))], "The operand of a numeric transform must be an integer or a double value."),
    (
      [("a", .increment(1)), ("a.b", .increment(1))],
      "Cannot transform property a and its nested property at the same time."
    ),
    (
      [("m.x", .requestTime), ("m", .requestTime)],
      "Cannot transform property m and its nested property at the same time."
    ),
    ([("a", .appendMissing([[1]]))], "Cannot convert an array value in an array value."),
    ([("__a__", .increment(1))], "Invalid reserved name in field path __a__"),
    (
      (0...500).map { ("f\($0)", .increment(1)) },
      "cannot have more than 500 field transforms on a single document"
    ),
  ]

  @Test("invalid operands are rejected", arguments: refused.indices)
  func refusals(index: Int) throws {
    let (transforms, message) = Self.refused[index]
    var fixture = FirestoreFixture()
    let list = transforms.map { Firestore.FieldTransform(Firestore.FieldPath(stringLiteral: $0.0), $0.1) }
    let write = Firestore.Write(FirestoreFixture.name("c/a"), .transform, transforms: list)
    #expect(fault { _ = try fixture.commit([write]) } == .invalidArgument(message))
  }

  static let equals: [[Firestore.Value]] = [
    [1, 1.0], [0.0, .double(-0.0)], [.double(.nan), .double(-.nan)], [["a": 1, "b": [2.0]], ["b": [2], "a": 1.0]],
    [.geoPoint(latitude: 0, longitude: -0.0), .geoPoint(latitude: -0.0, longitude: 0)],
    [.integer(1 << 53), .double(0x1p53)],
    [["__type__": "__vector__", "value": [1.0]], ["__type__": "__vector__", "value": [1]]],
  ]

  @Test("the elements of a set are those that queries treat as equal", arguments: equals)
  func equalElements(pair: [Firestore.Value]) throws {
    var fixture = FirestoreFixture()
    let others: [Firestore.Value] = [nil, true, "a", "\u{e9}", "e\u{301}", .integer((1 << 53) + 1)]
    try fixture.set("c/a", ["l": .array([pair[0]] + others)])
    for operation in [Operation.appendMissing([pair[1]] + others), .removeAll([pair[1]])] {
      _ = try fixture.commit([
        .init(FirestoreFixture.name("c/a"), .transform, transforms: [.init("l", operation)])
      ])
      let isRemoval = if case .removeAll = operation { true } else { false }
      #expect(try fixture.get("c/a")?.fields == ["l": .array((isRemoval ? [] : [pair[0]]) + others)])
    }
  }

  /// It takes a second; when each element was compared with each, one operation took five minutes.
  @Test(
    "set operations on 100,000 elements and transforms of 500 fields take linear time", .timeLimit(.minutes(1)))
  func linear() throws {
    var fixture = FirestoreFixture()
    let numbers = (0..<100_000).map { Firestore.Value.integer(Int64($0)) }
    let name = FirestoreFixture.name("c/a")
    for operation in [Operation.appendMissing(numbers), .appendMissing(numbers.reversed()), .removeAll(numbers)] {
      _ = try fixture.commit([.init(name, .transform, transforms: [.init("l", operation)])])
    }
    let transforms = (0..<500).map { Firestore.FieldTransform(.init(["m", "f\($0)"]), .increment(1)) }
    _ = try fixture.commit(
      (0..<20).map { .init(FirestoreFixture.name("d/\($0)"), .transform, transforms: transforms) })
    #expect(try fixture.get("c/a")?.fields == ["l": []])
  }
}
