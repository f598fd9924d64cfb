import CloudJobsCore
import Testing

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
    "Refused names",
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

  @Test("The order is that of bytes")
  func order() {
    #expect(["b", "B", "a", "_", "0"].map { $0 as JobID }.sorted() == ["0", "B", "_", "a", "b"])
  }
}
