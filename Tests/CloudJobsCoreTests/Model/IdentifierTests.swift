import Testing

@testable import CloudJobsCore

@Suite("Run id")
struct RunIDTests {
  @Test(
    "The digest of job and occurrence never changes",
    arguments: [
      ("send_welcome_email", .key("user-42"), "4bd6e413c39c55f873b2cdc546efa633de774e16046d4aba7acdddf26edd9a67"),
      ("send_welcome_email", .key("user-43"), "909d1425c351e15770d580696662e33783b82404100b6a4bbf817ecc72854756"),
      (
        "nightly_report", .scheduledFor(Timestamp(microseconds: 1_795_226_040_000_000)),
        "6b79a596949764bde1c09a92c05ab4809c7bd9ca81b50edadfdb25a673e37f4e"
      ),
      (
        "nightly_report", .scheduledFor(Timestamp(microseconds: -1)),
        "2cf1e510e706800248445d779b8540a4055faf600d82ac1a73f63fad979e2155"
      ),
      (
        "nightly_report", .key("1795226040000000"),
        "1724a067ec8a1e08e6ec281a8cf555a1485f36e8616f31daeac74fabf9ca9aa2"
      ),
      ("a", .key(""), "6f3b6ef158fedc7e1d804a9798506750624d3614a9ed0fdb6a8e20775cbb32b8"),
      (
        "job:with.all-chars_1", .key("Ümläut €😀"),
        "b6d1f945cc186b3cb3787289e994d1d040e26e0e87fc96f365a4d5d944a03d53"
      ),
      (
        "cloud_jobs_master", .scheduledFor(.epoch),
        "9782d73dc9e6155f798d45f019f8d68937a37e6da3e90e7b6fcf14fda6f0863e"
      ),
    ] as [(JobID, Occurrence, String)])
  func golden(job: JobID, occurrence: Occurrence, digest: String) {
    #expect(RunID(job: job, occurrence: occurrence).rawValue == digest)
  }

  @Test("Different jobs and occurrences have different run ids")
  func distinct() {
    var seen = Set<RunID>()
    for job in ["a", "b", "a1", "k", "t"] as [JobID] {
      for number in 0..<200 {
        seen.insert(RunID(job: job, occurrence: .key("\(number)")))
        seen.insert(RunID(job: job, occurrence: .scheduledFor(Timestamp(microseconds: Int64(number)))))
      }
    }
    #expect(seen.count == 5 * 400)
  }

  @Test("A run id's text and bytes round-trip, and their order is that of the text")
  func text() throws {
    let ids = (0..<500).map { RunID(job: "a", occurrence: .key("\($0)")) }
    for id in ids {
      #expect(try RunID(id.description) == id)
      #expect(RunID(bytes: id.bytes) == id && id.bytes.count == 32)
    }
    #expect(ids.sorted().map(\.rawValue) == ids.map(\.rawValue).sorted())
    #expect(RunID(bytes: [1, 2]) == nil && RunID(bytes: [UInt8](repeating: 0, count: 33)) == nil)
  }

  @Test(
    "Rejected text",
    arguments: [
      "", "abc", String(repeating: "a", count: 63), String(repeating: "a", count: 65),
      String(repeating: "A", count: 64),
      String(repeating: "g", count: 64), String(repeating: "ａ", count: 64), String(repeating: "a", count: 63) + "\n",
    ])
  func refused(text: String) throws {
    let error = try #require(throws: JobError.self) { try RunID(text) }
    #expect(error.code == .invalidField)
    #expect(error.field == "runId")
  }
}

@Suite("Job id")
struct JobIDTests {
  @Test(
    "Accepted names",
    arguments: [
      "a", "A", "0", "_", "_a", "a_b-c.d:e", "send_welcome_email", "nightly-report", "v2.cleanup", "__almost",
      "almost__", "9lives", String(repeating: "x", count: 128), "cloud_jobs_master",
    ])
  func accepted(text: String) throws {
    #expect(try JobID(text).rawValue == text)
  }

  @Test(
    "Rejected names",
    arguments: [
      ("", .invalidField, "empty"), (String(repeating: "x", count: 129), .tooLarge, "129"),
      ("-a", .invalidField, "begin"), (".a", .invalidField, "begin"), (":a", .invalidField, "begin"),
      (".", .invalidField, "begin"), ("..", .invalidField, "begin"), ("a b", .invalidField, "letters"),
      ("a/b", .invalidField, "letters"), ("a\\b", .invalidField, "letters"), ("a\n", .invalidField, "letters"),
      ("a\u{0}", .invalidField, "letters"), ("é", .invalidField, "letters"), ("job😀", .invalidField, "letters"),
      ("a%20", .invalidField, "letters"), ("ａ", .invalidField, "letters"), ("a,b", .invalidField, "letters"),
      ("__name__", .invalidField, "reserved"), ("____", .invalidField, "reserved"),
      (String(repeating: "é", count: 65), .tooLarge, "130"),
    ] as [(String, JobError.Code, String)])
  func refused(text: String, code: JobError.Code, word: String) throws {
    let error = try #require(throws: JobError.self) { try JobID(text) }
    #expect(error.code == code)
    #expect(error.field == "jobId")
    #expect(error.message.contains(word))
  }

  @Test("Job ids are ordered by bytes")
  func order() {
    #expect(["b", "B", "a", "_", "0"].map { $0 as JobID }.sorted() == ["0", "B", "_", "a", "b"])
  }
}
