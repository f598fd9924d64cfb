import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: transactions")
struct FirestoreTransactionTests {
  private static let contention = ServiceFault(
    .aborted, "Too much contention on these documents. Please try again.")
  private static let over = ServiceFault.invalidArgument(
    "The referenced transaction has expired or is no longer valid.")

  private static func write(_ path: String, _ fields: [String: Firestore.Value] = ["x": 9]) -> Firestore.Write {
    Firestore.Write(FirestoreFixture.name(path), .update(fields: fields, mask: nil))
  }

  /// The reads of a transaction and the concurrent changes of another.
  static let conflicts:
    [(String, @Sendable (inout FirestoreFixture, [UInt8]) throws -> Void, [Firestore.Write], Bool)] = [
      ("a document that changes", { _ = try $0.get("c/a", .transaction($1)) }, [write("c/a")], true),
      (
        "a document that goes", { _ = try $0.get("c/a", .transaction($1)) },
        [.init(FirestoreFixture.name("c/a"), .delete)], true
      ),
      ("a document that comes", { _ = try $0.get("c/new", .transaction($1)) }, [write("c/new")], true),
      ("another document", { _ = try $0.get("c/a", .transaction($1)) }, [write("c/b")], false),
      ("the same document unchanged", { _ = try $0.get("c/a", .transaction($1)) }, [write("c/a", ["x": 1])], false),
      ("nothing", { _, _ in }, [write("c/a")], false),
      (
        "a query that gets a result", { _ = try $0.run(.init(.field("x", .greaterThan, 5)), .transaction($1)) },
        [write("c/new")], true
      ),
      (
        "a query that loses a result", { _ = try $0.run(.init(.field("x", .lessThan, 5)), .transaction($1)) },
        [write("c/a")], true
      ),
      ("a query whose result changes", { _ = try $0.run(.init(), .transaction($1)) }, [write("c/a")], true),
      (
        "a query that is not touched", { _ = try $0.run(.init(.field("x", .equal, 7)), .transaction($1)) },
        [write("c/a")],
        false
      ),
      ("a query elsewhere", { _ = try $0.run(.init(in: "d"), .transaction($1)) }, [write("c/a")], false),
      (
        "a limited query before the change", { _ = try $0.run(.init(limit: 1), .transaction($1)) }, [write("c/b")],
        false
      ),
      (
        "a count",
        {
          _ = try $0.service.runAggregation(
            [.init(.count(upTo: nil))], over: .init(), under: FirestoreFixture.root, consistency: .transaction($1),
            at: $0.now)
        }, [write("c/new")], true
      ),
      (
        "a list",
        {
          var request = Firestore.ListRequest(FirestoreFixture.root, "c")
          request.consistency = .transaction($1)
          _ = try $0.service.listDocuments(request, at: $0.now)
        }, [write("c/new")], true
      ),
    ]

  @Test("a commit is rejected exactly if something read has changed", arguments: conflicts.indices)
  func conflict(index: Int) throws {
    let (label, read, other, isConflict) = Self.conflicts[index]
    var fixture = FirestoreFixture()
    for id in ["a", "b"] { try fixture.set("c/\(id)", ["x": 1]) }
    let transaction = try fixture.begin()
    try read(&fixture, transaction)
    try fixture.commit(other)
    let fault = fault { _ = try fixture.commit([Self.write("c/z")], in: transaction) }
    #expect(fault == (isConflict ? Self.contention : nil), "\(label)")
    #expect(try (fixture.get("c/z") != nil) == !isConflict)
    #expect(Self.contention.code.httpStatus == 409)
  }

  @Test("all reads are as of the time of the first")
  func snapshot() throws {
    var fixture = FirestoreFixture()
    for id in ["a", "b"] { try fixture.set("c/\(id)", ["x": 1]) }
    for options in [Firestore.TransactionOptions.readWrite(), .readOnly()] {
      var copy = fixture
      let transaction = try copy.begin(options)
      #expect(try copy.get("c/a", .transaction(transaction))?["x"] == 1)
      try copy.set("c/b", ["x": 2])
      #expect(try copy.get("c/b", .transaction(transaction))?["x"] == 1)
      #expect(try copy.run(.init(.field("x", .equal, 1)), .transaction(transaction)).documents.count == 2)
      #expect(try copy.get("c/b")?["x"] == 2)
    }
    let time = fixture.now
    try fixture.set("c/a", ["x": 3])
    let earlier = try fixture.begin(.readOnly(readTime: time))
    #expect(try fixture.get("c/a", .transaction(earlier))?["x"] == 1)
  }

  @Test("a transaction ends at its commit, rollback, time limit or idle limit")
  func endings() throws {
    var fixture = FirestoreFixture()
    func refusal(_ fixture: FirestoreFixture, _ id: [UInt8]) -> ServiceFault? {
      var copy = fixture
      return fault { _ = try copy.get("c/a", .transaction(id)) }
    }
    let committed = try fixture.begin()
    try fixture.commit([Self.write("c/a")], in: committed)
    #expect(refusal(fixture, committed) == Self.over)
    #expect(fault { _ = try fixture.commit([], in: committed) } == Self.over)
    let undone = try fixture.begin()
    try fixture.service.rollback(undone, in: FirestoreFixture.database, at: fixture.now)
    #expect(refusal(fixture, undone) == Self.over)
    #expect(fault { try fixture.service.rollback([1], in: FirestoreFixture.database, at: fixture.now) } == Self.over)

    let idle = try fixture.begin()
    let begin = fixture.now
    fixture.now = begin + .seconds(60) - .milliseconds(2)
    #expect(refusal(fixture, idle) == nil)
    fixture.now = begin + .seconds(60)
    #expect(refusal(fixture, idle) == Self.over)

    let busy = try fixture.begin()
    let start = fixture.now
    for second in stride(from: 50, through: 250, by: 50) {
      fixture.now = start + .seconds(second)
      _ = try fixture.get("c/a", .transaction(busy))
    }
    fixture.now = start + .seconds(270) - .milliseconds(2)
    #expect(refusal(fixture, busy) == nil)
    fixture.now = start + .seconds(270)
    #expect(refusal(fixture, busy) == Self.over)
  }

  @Test("a transaction with a rejected commit can be rolled back, and a read-only one cannot write")
  func refused() throws {
    var fixture = FirestoreFixture()
    let transaction = try fixture.begin()
    _ = try fixture.get("c/a", .transaction(transaction))
    try fixture.set("c/a")
    for _ in 0..<2 {
      #expect(fault { _ = try fixture.commit([Self.write("c/a")], in: transaction) } == Self.contention)
    }
    try fixture.service.rollback(transaction, in: FirestoreFixture.database, at: fixture.now)
    let reading = try fixture.begin(.readOnly())
    #expect(
      fault { _ = try fixture.commit([Self.write("c/a")], in: reading) }
        == .invalidArgument("Cannot modify entities in a read-only transaction."))
    try fixture.commit([], in: reading)
  }

  @Test("a transaction can begin with a read")
  func newTransaction() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a", ["x": 1])
    let result = try fixture.service.batchGet(
      [FirestoreFixture.name("c/a")], in: FirestoreFixture.database, consistency: .newTransaction(.readWrite()),
      at: fixture.now)
    let transaction = try #require(result.stamp.transaction)
    try fixture.set("c/a", ["x": 2])
    #expect(fault { _ = try fixture.commit([Self.write("c/b")], in: transaction) } == Self.contention)
    let retry = try fixture.begin(.readWrite(retry: transaction))
    #expect(fault { _ = try fixture.get("c/a", .transaction(transaction)) } == Self.over)
    try fixture.commit([Self.write("c/b")], in: retry)
  }

  @Test(
    "increments by interleaved transactions add up, each retried until it commits", arguments: [1, 2, 3] as [UInt64])
  func counter(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var fixture = FirestoreFixture()
    try fixture.set("c/n", ["x": 0])
    var open: [Int: (id: [UInt8], value: Int64)] = [:]
    var (left, aborted) = (Array(repeating: 20, count: 8), 0)
    while left.contains(where: { $0 > 0 }) {
      let client = Int.random(in: 0..<left.count, using: &generator)
      guard left[client] > 0 else { continue }
      if let (id, value) = open[client] {
        let refused = fault { _ = try fixture.commit([Self.write("c/n", ["x": .integer(value + 1)])], in: id) }
        #expect(refused == nil || refused == Self.contention)
        if refused == nil { left[client] -= 1 } else { aborted += 1 }
        open[client] = nil
      } else {
        let id = try fixture.begin()
        guard case .integer(let value)? = try fixture.get("c/n", .transaction(id))?["x"] else { continue }
        open[client] = (id, value)
      }
    }
    #expect(try fixture.get("c/n")?["x"] == 160)
    #expect(aborted > 100)
  }
}
