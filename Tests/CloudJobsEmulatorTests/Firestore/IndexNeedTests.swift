import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: the index that a query needs")
struct IndexNeedTests {
  typealias Filter = Firestore.Filter
  typealias Query = Firestore.Query
  typealias Order = Firestore.Query.Order

  /// A query of the documentation or of an issue it cites, and the index it needs besides the automatic ones.
  struct Case: Sendable, CustomTestStringConvertible {
    let query: Query
    let index: String?
    var testDescription: String { "\(index ?? "none") #\(number)" }
    private let number: Int

    init(_ number: Int, _ filters: [Filter], _ order: [Order] = [], group: Bool = false, needs index: String? = nil) {
      self.number = number
      query = Query(filters.isEmpty ? nil : .all(filters), order: order, allDescendants: group)
      self.index = index
    }
  }

  private static let state = Filter.field("state", .equal, "CO")
  private static let name = Filter.field("name", .equal, "Denver")
  private static let large = Filter.field("population", .greaterThan, 100_000)
  private static let coast = Filter.field("regions", .arrayContains, "west_coast")
  private static let coasts = Filter.field("regions", .arrayContainsAny, ["west_coast", "east_coast"])
  private static let countries = Filter.field("country", .isIn, ["USA", "Japan"])
  private static let path = Firestore.FieldPath.documentName
  private static let denver = Firestore.Value.reference(FirestoreFixture.name("c/denver"))

  /// Queries served by automatic indexes, single or merged.
  private static let served = [
    Case(1, []),
    Case(2, [state]),
    Case(3, [state, name, .field("capital", .equal, false), .unary("mayor", .isNull), .unary("area", .isNaN)]),
    Case(4, [large]),
    Case(5, [large, .field("population", .lessThan, 1_000_000)], [Order("population")]),
    Case(6, [large], [Order("population", isDescending: true)]),
    Case(7, [], [Order("population", isDescending: true)]),
    Case(8, [], [Order("address.city")]),
    Case(9, [coast]),
    Case(10, [coasts, state]),
    Case(11, [countries]),
    Case(12, [countries, state, coast]),
    Case(13, [.field("state", .notEqual, "CO")]),
    Case(14, [.field("state", .notIn, ["CO", "CA"])], [Order("state")]),
    Case(15, [.unary("state", .isNotNull)]),
    Case(16, [.any([large, .field("population", .equal, 1)])]),
    Case(17, [.any([state, name])]),
    Case(18, [.any([.all([state, name]), countries])]),
    Case(19, [], [Order(path)]),
    Case(20, [state], [Order(path, isDescending: true)]),
    Case(21, [state, .field(path, .greaterThan, denver)]),
    Case(22, [.field(path, .equal, denver), large], [Order("population")]),
    Case(23, [state], [Order("state")]),
    Case(24, [large, .field(path, .greaterThan, denver)]),
  ]

  /// Queries that require a composite index.
  private static let composites = [
    Case(31, [state, .field("population", .lessThan, 1)], needs: "state ASC, population ASC"),
    Case(32, [state], [Order("population")], needs: "state ASC, population ASC"),
    Case(33, [state, large], [Order("population", isDescending: true)], needs: "state ASC, population DESC"),
    Case(34, [countries], [Order("population", isDescending: true)], needs: "country ASC, population DESC"),
    Case(35, [name, state], [Order("population")], needs: "name ASC, state ASC, population ASC"),
    Case(36, [coast], [Order("population")], needs: "regions CONTAINS, population ASC"),
    Case(37, [coasts, state, large], needs: "regions CONTAINS, state ASC, population ASC"),
    Case(38, [], [Order("name"), Order("population", isDescending: true)], needs: "name ASC, population DESC"),
    Case(39, [large], [Order("population"), Order("name")], needs: "population ASC, name ASC"),
    Case(40, [large, .field("density", .lessThan, 9)], needs: "density ASC, population ASC"),
    Case(
      41, [large, .field("density", .lessThan, 9)], [Order("population", isDescending: true)],
      needs: "population DESC, density DESC"),
    Case(42, [.field("state", .notEqual, "CO"), name], needs: "name ASC, state ASC"),
    Case(43, [.any([state, large])], needs: "state ASC, population ASC"),
    Case(44, [.any([state, name]), large], needs: "state ASC, population ASC"),
    Case(45, [.field("address.city", .equal, "x")], [Order("a.b")], needs: "address.city ASC, a.b ASC"),
    Case(46, [coast], [Order(path, isDescending: true)], needs: "regions CONTAINS, __name__ DESC"),
    Case(
      47, [], [Order("text", isDescending: true), Order(path)], needs: "text DESC, __name__ ASC"),
    Case(
      48, [.field("tenant", .isIn, ["a"])], [Order("created", isDescending: true), Order("tenant")],
      needs: "tenant ASC, created DESC, __name__ ASC"),
    Case(49, [], [Order(path, isDescending: true)], needs: "__name__ DESC"),
  ]

  /// Collection groups, which have no automatic indexes.
  private static let groups = [
    Case(61, [], group: true),
    Case(62, [], [Order(path)], group: true),
    Case(63, [state], group: true, needs: "group: state ASC"),
    Case(64, [], [Order("population", isDescending: true)], group: true, needs: "group: population DESC"),
    Case(65, [coast], group: true, needs: "group: regions CONTAINS"),
    Case(66, [state, name], group: true, needs: "group: state ASC, name ASC"),
    Case(67, [state], [Order("population")], group: true, needs: "group: state ASC, population ASC"),
  ]

  static let cases = served + composites + groups

  @Test("is the one in the documentation", arguments: cases)
  func needs(testCase: Case) throws {
    let missing = Firestore.IndexConfiguration().missing(for: try Self.plan(testCase.query))
    #expect(missing.map { Self.text($0) } == testCase.index)
  }

  @Test("allows the query once added to the file as the error says", arguments: cases.filter { $0.index != nil })
  func remedy(testCase: Case) throws {
    let plan = try Self.plan(testCase.query)
    var configuration = Firestore.IndexConfiguration()
    // A query with an OR may need one after the other.
    for _ in 0..<3 {
      guard let missing = configuration.missing(for: plan) else { break }
      let message = configuration.refusal(forWantOf: missing).message
      #expect(message.hasPrefix("The query requires a"))
      #expect(message.contains(" index") && message.contains(". You can create it here: put {"))
      let start = try #require(message.firstIndex(of: "{"))
      let end = try #require(message.lastIndex(of: "}"))
      let addition = message[start...end]
      let list = message.contains("\"fieldOverrides\"") ? "fieldOverrides" : "indexes"
      let file = list == "indexes" ? "{\"indexes\":[\(addition)]}" : "{\"indexes\":[],\"\(list)\":[\(addition)]}"
      let added = try Firestore.IndexConfiguration(parsing: file)
      configuration.composites += added.composites
      configuration.overrides += added.overrides
    }
    #expect(configuration.missing(for: plan) == nil)
  }

  @Test("does not exist for a query on all collections")
  func kindless() throws {
    var query = Query(order: [Order(Self.path)], in: "", allDescendants: true)
    #expect(Firestore.IndexConfiguration().missing(for: try Self.plan(query)) == nil)
    query.filter = .field(Self.path, .greaterThan, Self.denver)
    #expect(Firestore.IndexConfiguration().missing(for: try Self.plan(query)) == nil)
  }

  static func plan(_ query: Query) throws -> QueryPlan { try QueryPlan(query, parent: FirestoreFixture.root) }

  /// The fields of an index, after `group:` for an index of a collection group.
  static func text(_ index: Firestore.Index) -> String {
    (index.scope == .collectionGroup ? "group: " : "")
      + index.fields.map { "\($0.path) \($0.mode.shortName)" }.joined(separator: ", ")
  }
}
