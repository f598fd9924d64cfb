import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: verifications and bounds")
struct FirestoreBoundTests {
  private static func verify(_ path: String, _ precondition: Firestore.Precondition?) -> Firestore.Write {
    Firestore.Write(FirestoreFixture.name(path), .verify, precondition: precondition)
  }

  private static let other = Firestore.Write(FirestoreFixture.name("c/z"), .update(fields: [:], mask: nil))

  @Test("a verification checks its precondition, and with it the other writes of the commit")
  func verification() throws {
    var fixture = FirestoreFixture()
    let made = try fixture.set("c/a", ["x": 1])
    let earlier = made.updateTime - .microseconds(1)
    for (path, precondition, code) in [
      ("c/a", nil, nil), ("c/a", .exists(true), nil), ("c/a", .updateTime(made.updateTime), nil),
      ("c/none", nil, nil), ("c/none", .exists(false), nil), ("c/a", .exists(false), .alreadyExists),
      ("c/none", .exists(true), .notFound), ("c/a", .updateTime(earlier), .failedPrecondition),
      ("c/none", .updateTime(made.updateTime), .notFound),
    ] as [(String, Firestore.Precondition?, StatusCode?)] {
      var copy = fixture
      let refusal = fault { _ = try copy.commit([Self.other, Self.verify(path, precondition)]) }
      #expect(refusal?.code == code, "\(path) \(String(describing: precondition))")
      #expect(try (copy.get("c/z") != nil) == (code == nil))
      #expect(try copy.get("c/a") == made)
      #expect(try copy.get("c/none") == nil)
    }
  }

  @Test("a verification writes nothing, so that a transaction that read the document can commit")
  func verificationBesideTransaction() throws {
    var fixture = FirestoreFixture()
    let made = try fixture.set("c/a", ["x": 1])
    let transaction = try fixture.begin()
    _ = try fixture.get("c/a", .transaction(transaction))
    _ = try fixture.run(.init(), .transaction(transaction))
    let result = try fixture.commit([Self.verify("c/a", .exists(true))])
    #expect(result.writeResults == [Firestore.WriteResult()])
    #expect(try fixture.get("c/a") == made)
    try fixture.commit([Self.other], in: transaction)
    #expect(try fixture.get("c/z") != nil)
  }

  @Test("at most 10,000 transactions of a database are open; those that end or expire make room")
  func transactions() throws {
    var fixture = FirestoreFixture()
    let database = FirestoreFixture.database
    let first = try fixture.begin()
    let open = try #require(fixture.service.databases[database]?.transactions[first])
    for number in 2...9_999 {
      fixture.service.databases[database]?.transactions[Array("\(number)".utf8)] = open
    }
    let last = try fixture.begin()
    let full = ServiceFault(.resourceExhausted, "Too many open transactions.")
    for options in [Firestore.TransactionOptions.readWrite(), .readOnly()] {
      #expect(fault { _ = try fixture.begin(options) } == full)
    }
    #expect(fault { _ = try fixture.get("c/a", .newTransaction(.readOnly())) } == full)
    _ = try fixture.service.beginTransaction(in: .init(project: "q"), at: fixture.now)
    try fixture.service.rollback(first, in: database, at: fixture.now)
    let next = try fixture.begin()
    _ = try fixture.begin(.readWrite(retry: last))
    #expect(fault { _ = try fixture.begin() } == full)
    try fixture.commit([], in: next)
    _ = try fixture.begin()
    #expect(fault { _ = try fixture.begin() } == full)
    fixture.now = fixture.now + .seconds(60)
    _ = try fixture.begin()
    #expect(fixture.service.databases[database]?.transactions.count == 1)
  }

  @Test("the latest 200,000 replaced versions are kept", .timeLimit(.minutes(1)))
  func versions() throws {
    let start = FirestoreFixture.start
    let now = start + .seconds(1)
    let name = FirestoreFixture.name("c/a")
    var database = DocumentDatabase(FirestoreFixture.database)
    for number in 1...Int64(199_999) {
      let end = Timestamp(microseconds: start.microseconds + number)
      database.keep(.init(document: nil, end: end), of: name.path)
    }
    let tooOld = ServiceFault(.failedPrecondition, "The requested 'read_time' is too old.")
    func refusal(_ time: Timestamp) -> ServiceFault? { fault { _ = try database.checked(readTime: time, at: now) } }
    _ = try database.commit([Firestore.Write(name, .update(fields: ["x": 1], mask: nil))], at: now)
    #expect(refusal(start) == nil)
    _ = try database.commit([Firestore.Write(name, .update(fields: ["x": 2], mask: nil))], at: now)
    #expect(refusal(start) == tooOld)
    #expect(refusal(start + .microseconds(1)) == nil)
  }

  @Test(
    "an aggregation counts a read for each 1,000 documents, at least one",
    arguments: [(0, 0, 1), (1, 0, 1), (1_000, 0, 1), (1_001, 0, 2), (2_000, 0, 2), (2_001, 0, 3), (1_001, 1_000, 2)])
  func aggregations(count: Int, offset: Int, reads: Int) throws {
    var fixture = FirestoreFixture()
    try fixture.commit((0..<count).map { .init(FirestoreFixture.name("c/\($0)"), .update(fields: [:], mask: nil)) })
    let result = try fixture.service.runAggregation(
      [.init(.count(upTo: nil))], over: .init(offset: offset), under: FirestoreFixture.root, at: fixture.now)
    #expect(result.fields == ["field_1": .integer(Int64(count - offset))])
    #expect(fixture.service.usage.reads == reads)
  }
}
