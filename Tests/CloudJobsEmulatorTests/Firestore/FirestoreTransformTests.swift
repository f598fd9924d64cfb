import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

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

  @Test("the request's time is that of the commit to the millisecond, the same in all fields")
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
    ([("__a__", .increment(1))], "The property name \"__a__\" is reserved."),
    (
      (0...500).map { ("f\($0)", .increment(1)) },
      "Cannot have more than 500 field transforms in a single document."
    ),
  ]

  @Test("what can't be computed is refused", arguments: refused.indices)
  func refusals(index: Int) throws {
    let (transforms, message) = Self.refused[index]
    var fixture = FirestoreFixture()
    let list = transforms.map { Firestore.FieldTransform(Firestore.FieldPath(stringLiteral: $0.0), $0.1) }
    let write = Firestore.Write(FirestoreFixture.name("c/a"), .transform, transforms: list)
    #expect(fault { _ = try fixture.commit([write]) } == .invalidArgument(message))
  }
}
