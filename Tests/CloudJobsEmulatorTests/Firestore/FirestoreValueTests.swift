import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: values")
struct FirestoreValueTests {
  private static func reference(_ path: String, project: String = "p") -> Firestore.Value {
    .reference(Firestore.Name(.init(project: project), FirestoreFixture.name(path).path))
  }

  private static func vector(_ numbers: Double...) -> Firestore.Value {
    ["__type__": "__vector__", "value": .array(numbers.map { .double($0) })]
  }

  /// Groups of equal values, in ascending order.
  static let ladder: [[Firestore.Value]] = [
    [nil], [false], [true],
    [.double(.nan)], [.double(-.infinity)], [.double(-1e300)], [.integer(.min), .double(-0x1p63)],
    [.integer(.min + 1)], [-2], [-1.5], [-1, -1.0], [.double(-.leastNonzeroMagnitude)], [0, 0.0, -0.0],
    [.double(.leastNonzeroMagnitude)], [1, 1.0], [1.1], [2], [9_007_199_254_740_992, 9_007_199_254_740_992.0],
    [9_007_199_254_740_993], [9_007_199_254_740_994.0], [.integer(.max - 1)], [.integer(.max)], [.double(0x1p63)],
    [.double(.infinity)],
    [.timestamp(.distantPast)], [.timestamp(.epoch)], [.timestamp(Timestamp(microseconds: 1))],
    [""], ["\u{0}"], ["A"], ["Z"], ["a"], ["a\u{0}"], ["aa"], ["e\u{301}"], ["z"], ["\u{e9}"], ["\u{ffff}"],
    ["\u{10000}"],
    [.bytes([])], [.bytes([0])], [.bytes([0, 255])], [.bytes([1])], [.bytes([255])],
    [reference("c/a", project: "o")], [reference("c/__id2__")], [reference("c/__id10__")], [reference("c/A")],
    [reference("c/a")], [reference("c/a/d/a")], [reference("c/b")], [reference("d/a")],
    [reference("a/a", project: "q")],
    [.geoPoint(latitude: -90, longitude: 0)], [.geoPoint(latitude: 0, longitude: -180)],
    [.geoPoint(latitude: 0, longitude: 1)], [.geoPoint(latitude: 1, longitude: -180)],
    [[]], [[nil]], [[1], [1.0]], [[1, 2]], [[2]], [["a"]],
    [vector(9)], [vector(0, 1)], [vector(1, 0)], [vector(0, 0, 0)],
    [[:]], [["a": 1], ["a": 1.0]], [["a": 1, "b": 1]], [["a": 1, "c": 0]], [["a": 2]], [["b": 0]],
    [["b": ["a": 1]]], [["c": nil]],
  ]

  @Test("values are ordered as documented")
  func order() {
    for (left, lower) in Self.ladder.enumerated() {
      for (right, upper) in Self.ladder.enumerated() {
        for first in lower {
          for second in upper {
            #expect(first.order(to: second) == Ordering(left, right), "\(first) and \(second)")
          }
        }
      }
    }
  }

  @Test("equality distinguishes values that queries treat as equal")
  func identity() {
    let alike = Self.ladder.flatMap { $0 }
    for (left, first) in alike.enumerated() {
      for (right, second) in alike.enumerated() { #expect((first == second) == (left == right), "\(first), \(second)") }
    }
  }

  @Test(
    "field paths round-trip",
    arguments: [
      ("a", ["a"]), ("a.b_1.C", ["a", "b_1", "C"]), ("_", ["_"]), ("`a.b`.c", ["a.b", "c"]), ("`1`", ["1"]),
      ("`a\\`b\\\\`", ["a`b\\"]), ("`é x`", ["é x"]), ("x.`-`", ["x", "-"]),
    ])
  func fieldPath(text: String, names: [String]) throws {
    let path = try Firestore.FieldPath(parsing: text)
    #expect(path.segments == names)
    #expect(path.description == text)
  }

  @Test("an empty field path and one of 1,500 bytes are rejected")
  func fieldPathSize() throws {
    let long = String(repeating: "n", count: 1_499)
    #expect(try Firestore.FieldPath(parsing: long).segments == [long])
    #expect(
      fault { _ = try Firestore.FieldPath(parsing: long + "n") }
        == .invalidArgument("property path is longer than 1500 bytes."))
    #expect(
      fault { _ = try Firestore.FieldPath(parsing: "") } == .invalidArgument("Invalid empty property path string."))
  }

  @Test(
    "text that is not a field path is rejected",
    arguments: [".", "a.", ".a", "a..b", "1", "a-b", "`", "``", "`a", "`a`b", "a b"])
  func badFieldPath(text: String) {
    let fault = fault { _ = try Firestore.FieldPath(parsing: text) }
    #expect(fault?.code == .invalidArgument)
    #expect(
      fault?.message
        == "Invalid property path \"\(text)\". Unquoted property paths must match regex ([a-zA-Z_][a-zA-Z_0-9]*), "
        + "and quoted property paths must match regex (`(?:[^`\\\\]|(?:\\\\.))+`)")
  }

  @Test(
    "invalid document names are rejected with the position",
    arguments: [
      ("nonsense", "Document name \"nonsense\" lacks \"projects\" at index 0."),
      (
        "projects/x/databases/(default)/docs/c/d",
        "Document name \"projects/x/databases/(default)/docs/c/d\" lacks \"documents\" at index 31."
      ),
      (
        "projects/x/databases/d/documents/c",
        "Document name \"projects/x/databases/d/documents/c\" lacks \"/\" at index 34."
      ),
      (
        "projects/x/databases/d/documents/c//x",
        "Document name \"projects/x/databases/d/documents/c//x\" lacks a resource id at index 35."
      ),
      ("projects/x/databases/d/documents/c/__x__", "Resource id \"__x__\" is invalid because it is reserved."),
      ("projects/x/databases/d/documents/__c__/x", "Collection id \"__c__\" is invalid because it is reserved."),
    ])
  func badNames(text: String, message: String) {
    #expect(fault { _ = try Firestore.Name(document: text) } == .invalidArgument(message))
  }
}
