import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Listeners to Firestore")
struct FirestoreListenerTests {
  private static let database = Firestore.DatabaseName(project: "p")
  private var service = FirestoreService()
  private var listener = FirestoreListener(to: database)
  private var now = Timestamp(seconds: 1_795_000_000)

  private static func name(_ path: String) -> Firestore.Name {
    Firestore.Name(database, Firestore.Path(path.split(separator: "/").map(String.init)))
  }

  private static func query(_ collection: String, _ change: (inout Firestore.Query) -> Void = { _ in })
    -> Firestore.ListenTarget.Kind
  {
    var query = Firestore.Query(from: .init(collection))
    change(&query)
    return .query(query, parent: Firestore.Name(database, .root))
  }

  @discardableResult
  private mutating func set(_ path: String, _ value: Int64?) throws -> Timestamp {
    now = now + .seconds(1)
    let operation: Firestore.Write.Operation =
      value.map { .update(fields: ["n": .integer($0)], mask: nil) } ?? .delete
    return try service.commit([Firestore.Write(Self.name(path), operation)], in: Self.database, at: now).commitTime
  }

  private mutating func add(
    _ kind: Firestore.ListenTarget.Kind, id: Int32 = 1, from time: Timestamp? = nil
  ) -> [String] {
    listener.add(.init(id: id, kind: kind, resumeTime: time), &service, at: now).map(Self.text)
  }

  private mutating func news() -> [String] { listener.advance(&service, at: now).map(Self.text) }

  /// An event in few words, without its time.
  private static func text(_ event: Firestore.ListenEvent) -> String {
    switch event {
    case .target(let change, let ids, _, let cause):
      "\(change) \(ids)" + (cause.map { " \($0.code.name)" } ?? "")
    case .changed(let document, let ids, let removed):
      "\(document.name.path)=\(document.fields["n"].map { "\($0)" } ?? "") \(ids)"
        + (removed.isEmpty ? "" : " -\(removed)")
    case .deleted(let name, let removed, _): "deleted \(name.path) \(removed)"
    case .removed(let name, let removed, _): "removed \(name.path) \(removed)"
    case .filter(let id, let count): "filter \(id) \(count)"
    }
  }

  @Test("a new target has what there is, and each commit follows by itself")
  mutating func commits() throws {
    try set("c/a", 1)
    #expect(add(Self.query("c")) == ["add [1]", "c/a=integer(1) [1]", "current [1]", "none []"])
    #expect(news() == [])
    try set("c/b", 2)
    try set("d/x", 9)
    try set("c/a", 3)
    try set("c/b", nil)
    #expect(
      news() == [
        "c/b=integer(2) [1]", "none []", "c/a=integer(3) [1]", "none []", "deleted c/b [1]", "none []",
      ])
    #expect(news() == [])
  }

  @Test("a document that no longer matches is removed, and one of two targets is told once")
  mutating func filters() throws {
    _ = add(
      Self.query("c") { $0.filter = .field(Firestore.FieldPath(["n"]), .greaterThan, .integer(0)) }, id: 1)
    _ = add(Self.query("c"), id: 2)
    _ = add(.documents([Self.name("c/a"), Self.name("c/none")]), id: 3)
    try set("c/a", 1)
    #expect(news() == ["c/a=integer(1) [1, 2, 3]", "none []"])
    try set("c/a", -1)
    #expect(news() == ["c/a=integer(-1) [2, 3] -[1]", "none []"])
    try set("c/a", -2)
    #expect(news() == ["c/a=integer(-2) [2, 3]", "none []"])
    try set("c/a", nil)
    #expect(news() == ["deleted c/a [2, 3]", "none []"])
    #expect(listener.remove(2).map(Self.text) == ["remove [2]"])
    try set("c/b", 5)
    #expect(news() == ["c/b=integer(5) [1]", "none []"])
  }

  @Test("a limited query is told of what leaves it and of what takes its place")
  mutating func limits() throws {
    for (id, number) in [("a", 1), ("b", 2), ("c", 3)] { try set("c/\(id)", Int64(number)) }
    let kind = Self.query("c") {
      $0.orders = [.init(Firestore.FieldPath(["n"]), isDescending: true)]
      $0.limit = 2
    }
    #expect(add(kind) == ["add [1]", "c/c=integer(3) [1]", "c/b=integer(2) [1]", "current [1]", "none []"])
    try set("c/a", 9)
    #expect(news() == ["c/a=integer(9) [1]", "removed c/b [1]", "none []"])
    try set("c/a", nil)
    #expect(news() == ["c/b=integer(2) [1]", "deleted c/a [1]", "none []"])
  }

  @Test("a resumed target is told the difference, and of one that is too old everything")
  mutating func resumption() throws {
    try set("c/a", 1)
    let seen = try set("c/b", 1)
    try set("c/a", 2)
    try set("c/b", nil)
    #expect(
      add(Self.query("c"), from: seen) == [
        "add [1]", "c/a=integer(2) [1]", "deleted c/b [1]", "filter 1 1", "current [1]", "none []",
      ])
    #expect(
      add(Self.query("c"), id: 2, from: now + .hours(1)) == [
        "add [2]", "reset [2]", "c/a=integer(2) [2]", "filter 2 1", "current [2]", "none []",
      ])
  }

  @Test("an invalid target is removed with the cause, and the others stay")
  mutating func refusal() throws {
    #expect(add(Self.query("c") { $0.offset = -1 }) == ["remove [1] INVALID_ARGUMENT"])
    #expect(add(Self.query("c"), id: 2).first == "add [2]")
    #expect(add(Self.query("c"), id: 3).first == "add [3]")
    #expect(add(Self.query("c"), id: 2) == ["remove [2] INVALID_ARGUMENT"])
    try set("c/a", 1)
    #expect(news() == ["c/a=integer(1) [3]", "none []"])
    #expect(add(Self.query("c"), id: 0).first == "add [4]")
  }

  @Test("a listener whose database is emptied, or that is far behind, is told the difference")
  mutating func difference() throws {
    try set("c/a", 1)
    _ = add(Self.query("c"))
    service.removeAll(in: Self.database)
    #expect(news() == ["deleted c/a [1]", "none []"])
    for number in 0..<3 { try set("c/b", Int64(number)) }
    now = now + .hours(3)
    try set("c/b", 7)
    #expect(news() == ["c/b=integer(7) [1]", "none []"])
    service = FirestoreService()
    #expect(news() == ["deleted c/b [1]", "none []"])
  }

  @Test("times never fall, and the changes of a commit have its time")
  mutating func times() throws {
    var last = Timestamp.distantPast
    var events = listener.add(.init(id: 1, kind: Self.query("c")), &service, at: now)
    for number in 0..<2_000 {
      let commit = try set("c/\(number % 7)", Int64(number))
      events += listener.advance(&service, at: now)
      guard case .target(.none, _, let time, _)? = events.last else {
        Issue.record("no time")
        return
      }
      #expect(time == commit)
    }
    for case .target(_, _, let time?, _) in events {
      #expect(time >= last)
      last = time
    }
    #expect(events.count { if case .changed = $0 { true } else { false } } == 2_000)
  }
}
