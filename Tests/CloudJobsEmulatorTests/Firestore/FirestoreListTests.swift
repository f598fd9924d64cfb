import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: lists")
struct FirestoreListTests {
  /// All pages of a list.
  private func pages(_ fixture: inout FirestoreFixture, _ request: Firestore.ListRequest) throws -> [[String]] {
    var request = request
    var pages: [[String]] = []
    repeat {
      let page = try fixture.service.listDocuments(request, at: fixture.now)
      pages.append(page.items.map { $0.name.path.id + ($0.document == nil ? "?" : "") })
      request.page.token = page.nextPageToken
    } while !request.page.token.isEmpty
    return pages
  }

  @Test("documents are paged by name and by a field")
  func paging() throws {
    var fixture = FirestoreFixture()
    for (id, value) in [("a", 3), ("b", 1), ("c", 2), ("d", 5), ("e", 4)] as [(String, Firestore.Value)] {
      try fixture.set("c/\(id)", ["x": value])
    }
    try fixture.set("c/b/s/x")
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    #expect(try pages(&fixture, request) == [["a", "b", "c", "d", "e"]])
    request.page.size = 2
    #expect(try pages(&fixture, request) == [["a", "b"], ["c", "d"], ["e"]])
    request.orders = try Firestore.ListRequest.orders(parsing: "x desc")
    #expect(try pages(&fixture, request) == [["d", "e"], ["a", "c"], ["b"]])
    request.page.size = 5
    #expect(try pages(&fixture, request) == [["d", "e", "a", "c", "b"]])
    request.page.token = "x"
    #expect(fault { _ = try fixture.service.listDocuments(request, at: fixture.now) }?.code == .invalidArgument)
    for text in ["x up", "x desc y", "1", ","] where text != "," {
      #expect(fault { _ = try Firestore.ListRequest.orders(parsing: text) }?.code == .invalidArgument)
    }
    for number in 0..<30 { try fixture.set("many/\(number)") }
    #expect(try pages(&fixture, .init(FirestoreFixture.root, "many")).map(\.count) == [20, 10])
  }

  @Test("missing documents with descendants are listed on request")
  func missing() throws {
    var fixture = FirestoreFixture()
    for path in ["c/a/s/x", "c/b", "c/b/s/x", "c/c/s/x/t/y", "c/d"] { try fixture.set(path) }
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    #expect(try pages(&fixture, request) == [["b", "d"]])
    request.showMissing = true
    #expect(try pages(&fixture, request) == [["a?", "b", "c?", "d"]])
    request.page.size = 2
    #expect(try pages(&fixture, request) == [["a?", "b"], ["c?", "d"]])
    request.orders = [.init("x")]
    #expect(fault { _ = try fixture.service.listDocuments(request, at: fixture.now) }?.code == .invalidArgument)
  }

  @Test("collections are listed below the root and below documents, including missing ones")
  func collections() throws {
    var fixture = FirestoreFixture()
    for path in ["c/a", "b/x/s/y", "c/a/u/1", "c/a/t/1", "c/a/t/2/v/1", "d/q"] { try fixture.set(path) }
    func ids(_ parent: String, _ page: PageRequest = .init()) throws -> ResourcePage<String> {
      var copy = fixture
      return try copy.service.listCollectionIDs(under: FirestoreFixture.name(parent), page: page, at: copy.now)
    }
    #expect(try ids("").items == ["b", "c", "d"])
    #expect(try ids("c/a").items == ["t", "u"])
    #expect(try ids("b/x").items == ["s"])
    #expect(try ids("c/zzz").items == [])
    let first = try ids("", .init(size: 2))
    #expect(first.items == ["b", "c"])
    #expect(try ids("", .init(size: 2, token: first.nextPageToken)) == .init(items: ["d"], nextPageToken: ""))
  }

  @Test("collections with one ID at any depth are listed in pages")
  func recursive() throws {
    var fixture = FirestoreFixture()
    for path in ["c/a", "c/b", "d/x/c/a", "d/x/c/e/c/f", "d/x/e/g"] { try fixture.set(path) }
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    #expect(try pages(&fixture, request) == [["a", "b"]])
    request.isRecursive = true
    #expect(try pages(&fixture, request) == [["a", "b", "a", "f"]])
    request.page.size = 3
    #expect(try pages(&fixture, request) == [["a", "b", "a"], ["f"]])
    request.showMissing = true
    #expect(fault { _ = try fixture.service.listDocuments(request, at: fixture.now) }?.code == .invalidArgument)
  }

  @Test("lists as of a time before changes")
  func past() throws {
    var fixture = FirestoreFixture()
    for path in ["c/a/s/x", "c/b", "d/q"] { try fixture.set(path) }
    let then = try fixture.set("c/b/s/x").updateTime
    for path in ["c/a/s/x", "d/q"] { try fixture.delete(path) }
    for path in ["c/z", "e/q"] { try fixture.set(path) }
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    request.showMissing = true
    #expect(try pages(&fixture, request) == [["b", "z"]])
    request.consistency = .readTime(then)
    #expect(try pages(&fixture, request) == [["a?", "b"]])
    request.page.size = 1
    #expect(try pages(&fixture, request) == [["a?"], ["b"]])
    func collections(_ time: Timestamp?, _ page: PageRequest = .init()) throws -> ResourcePage<String> {
      var copy = fixture
      return try copy.service.listCollectionIDs(under: FirestoreFixture.root, page: page, readTime: time, at: copy.now)
    }
    #expect(try collections(nil).items == ["c", "e"])
    #expect(try collections(then).items == ["c", "d"])
    #expect(try collections(then, .init(size: 1)) == .init(items: ["c"], nextPageToken: "c"))
    #expect(try collections(then, .init(size: 1, token: "c")) == .init(items: ["d"], nextPageToken: ""))
  }

  @Test("a list with missing documents is recorded in its transaction")
  func transactions() throws {
    var fixture = FirestoreFixture()
    try fixture.set("c/a/s/x")
    var request = Firestore.ListRequest(FirestoreFixture.root, "c")
    request.showMissing = true
    let transaction = try fixture.begin()
    request.consistency = .transaction(transaction)
    #expect(try pages(&fixture, request) == [["a?"]])
    try fixture.set("c/y")
    #expect(try pages(&fixture, request) == [["a?"]])
    let write = Firestore.Write(FirestoreFixture.name("z/z"), .delete)
    #expect(fault { _ = try fixture.commit([write], in: transaction) }?.code == .aborted)
  }
}
