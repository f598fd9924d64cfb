import CloudJobs
import CloudJobsCore
import CloudJobsStores
import Testing

@Suite("Addresses of stores")
struct StoreAddressTests {
  @Test(
    "A text names a kind of store, and is shown without a password",
    arguments: [
      ("memory", .memory, "memory"), ("sqlite:jobs.db", .sqlite(path: "jobs.db"), "sqlite:jobs.db"),
      ("sqlite:/a b/ü.db", .sqlite(path: "/a b/ü.db"), "sqlite:/a b/ü.db"),
      ("postgres://h/d", .postgres("postgres://h/d", schema: nil), "postgres://h/d"),
      ("firestore://p", .firestore(project: "p", database: "(default)"), "firestore://p"),
      ("firestore://p/d", .firestore(project: "p", database: "d"), "firestore://p/d"),
      (
        "postgresql://u:p@h:1/d?sslmode=require", .postgres("postgresql://u:p@h:1/d?sslmode=require", schema: nil),
        "postgres://u@h:1/d"
      ),
      ("postgres://u:p%40@h/d?schema=s", .postgres("postgres://u:p%40@h/d", schema: "s"), "postgres://u@h/d"),
      (
        "postgres://u:p@q@h/d?a=b&schema=s&c=d", .postgres("postgres://u:p@q@h/d?a=b&c=d", schema: "s"),
        "postgres://u@h/d"
      ),
      (
        "postgres://u:p?schema=x&y@h/d?schema=s", .postgres("postgres://u:p?schema=x&y@h/d", schema: "s"),
        "postgres://u@h/d"
      ),
      ("postgres://u:a#b?c@h?schema=s", .postgres("postgres://u:a#b?c@h", schema: "s"), "postgres://u@h"),
      ("postgres://u@h/d?x=a@b", .postgres("postgres://u@h/d?x=a@b", schema: nil), "postgres://u@h/d"),
      ("postgres:///d?host=/r&password=p", .postgres("postgres:///d?host=/r&password=p", schema: nil), "postgres:///d"),
    ] as [(String, StoreAddress.Kind, String)])
  func kinds(_ text: String, kind: StoreAddress.Kind, shown: String) throws {
    let address = try StoreAddress(text)
    #expect(address.kind == kind)
    #expect(address.description == shown)
  }

  @Test(
    "Another text is refused",
    arguments: [
      "", "jobs.db", "sqlite:", "sqlite://jobs.db", "sqlite:///jobs.db", "mysql://h/d", "firestore://",
      "firestore://p/", "firestore://p/d/x", "firestore://p?d", "MEMORY", "postgres:h",
      "sqlite:a\0",
    ])
  func faults(_ text: String) {
    let error = #expect(throws: JobError.self) { try StoreAddress(text) }
    #expect(error?.code == .invalidField && error?.field == "store")
  }

  @Test("A store that can't be opened is an error with a remedy, not a crash")
  func opening() async throws {
    #expect(try await StoreAddress("memory").open() is MemoryStore)
    for text in ["sqlite:/nowhere/at/all.db", "postgres://127.0.0.1:1/none?connect_timeout=1"] {
      let address = try StoreAddress(text)
      await #expect(throws: JobError.self, "\(text)") { _ = try await address.open() }
    }
  }
}
