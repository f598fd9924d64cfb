#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import Testing

@testable import CloudJobsServer

@Suite("Search for runs")
struct RunSearchTests {
  @Test(
    "A query is read from the fields of a form",
    arguments: [
      ("job=mail&status=failed", "job=mail status=failed"),
      ("from=2026-11-28T01:02&before=2026-11-28T01:02:03", "from=2026-11-28T01:02:00Z before=2026-11-28T01:02:03Z"),
      ("from=2026-11-28T01%3A02%3A03.5Z", "from=2026-11-28T01:02:03.5Z"),
      ("correlation=a+b&q=%20&id=ABCD+1234", "correlation=a b id=abcd1234"),
      ("q=Grace&group=0123456789abcdef", "q=Grace group=0123456789abcdef"), ("job=&status=", ""),
    ])
  func query(text: String, fields: String) throws {
    let query = try RunQuery(PageFields(text))
    let shown = query.fields.map { field in
      let isTime = field.name == "from" || field.name == "before"
      let time = isTime ? RunQuerySample.short(field.value) : field.value
      return "\(field.name)=\(time)"
    }
    #expect(shown.joined(separator: " ") == fields)
  }

  @Test(
    "An invalid query is refused with the name of its field",
    arguments: [
      ("status=lost", "status"), ("job=a%20b", "jobId"), ("from=yesterday", "from"),
      ("before=2026-13-01T00:00", "before"),
      ("id=abc", "id"), ("id=xyz12345", "id"), ("group=1", "group"), ("group=0123456789abcdeg", "group"),
      ("q=\(String(repeating: "x", count: 201))", "q"),
    ])
  func invalid(text: String, field: String) {
    let error = #expect(throws: JobError.self) { try RunQuery(PageFields(text)) }
    #expect(error?.code == .invalidField && error?.field == field)
  }

  @Test(
    "A position in the list is that of a page, or refused",
    arguments: [
      "", "1", "1_", "1_abc", "x_\(String(repeating: "a", count: 64))", "1_\(String(repeating: "A", count: 64))",
    ])
  func cursor(text: String) {
    #expect(throws: JobError.self) { try RunQuery.cursor(text) }
  }

  @Test(
    "A run is found by what its page shows, in either case",
    arguments: [
      ("grace", true), ("GRACE HOPPER", true), ("\"name\": \"grace", true), ("say \"hi\"", true), ("straße", true),
      ("STRASSE", false), ("STRASSE/ø", false), ("42", true), ("refused", true), ("net::refused", true),
      ("the server", true), ("4711", true), ("half way", true), ("hopper grace", false), ("null", false),
    ])
  func match(text: String, isFound: Bool) {
    var run = Run(
      id: RunID(job: "mail", occurrence: .key("a")), job: "mail", trigger: .task,
      input: JSONText(["name": "Grace Hopper", "note": "say \"hi\"\n", "street": "Straße"]), maxAttempts: 1,
      notBefore: Timestamp(seconds: 0), createdAt: Timestamp(seconds: 0))
    run.output = JSONText(["count": 42])
    run.failure = RunFailure(kind: "net::refused", message: "The server is busy.")
    run.reason = "Order 4711 is late."
    run.progress = RunProgress()
    run.progress?.set(message: "Half way")
    let search = RunSearch(text)
    #expect(search.matches(run) == isFound)
    // What is passed over without being parsed would not have matched.
    #expect(search.mayMatch(run) || !isFound)
  }

  @Test("A search finds no confidential value and no encrypted payload")
  func confidential() async throws {
    let fixture = try await RunPagesFixture(.readOnly, redactedFields: ["card"])
    var failed = fixture.run("a", .failed, input: ["card": "4111-2222", "name": "Ada"])
    failed.failure = RunFailure(kind: "declined", message: "The card 4111-2222 of Ada was declined.")
    let sealed = EncryptedPayload(keyID: "k", nonce: [1], data: Array("secret text".utf8)).payload
    var encrypted = fixture.run("b")
    encrypted.input = sealed
    try await fixture.put([failed, encrypted])
    for text in ["4111", "4111-2222", "encrypted", "secret", "nonce"] {
      let page = try await fixture.get("/runs?q=\(text)")
      #expect(page.text.contains("found 0."), "\(text)")
      #expect(!page.text.contains(failed.id.rawValue))
    }
    let page = try await fixture.get("/runs?q=ada")
    #expect(page.text.contains("found 1.") && page.text.contains(failed.id.rawValue))
    #expect(page.text.contains("1 run has an encrypted payload, which is not searched."))
    #expect(!page.text.contains("4111"))
  }

  @Test("A search reads a bounded number of runs, and goes on where it stopped until it has read all")
  func bound() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<4_500).map { number in
      fixture.run(
        "\(number)", .succeeded, age: number + 1, input: ["n": .string(number % 1_500 == 1_499 ? "needle" : "hay")])
    }
    try await fixture.put(runs)
    let query = try RunQuery(PageFields("q=needle"))
    let scan = RunScan(runtime: fixture.runtime, query: query)
    var (cursor, found, reads) = (StoreCursor?.none, [RunID](), [Int]())
    repeat {
      let step = try await scan.step(after: cursor, limit: 50)
      (cursor, found, reads) = (step.next, found + step.runs.map(\.id), reads + [step.reads])
    } while cursor != nil
    #expect(reads == [2_000, 2_000, 500])
    #expect(found == [1_499, 2_999, 4_499].map { runs[$0].id })
    let page = try await fixture.get("/runs?q=needle")
    #expect(page.text.contains("Looked at 2,000 runs") && page.text.contains("Search further"))
  }

  @Test("A search that finds enough stops there, and goes on with the next run")
  func enough() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<30).map { fixture.run("\($0)", age: $0 / 2 + 1, input: ["n": "needle"]) }
    try await fixture.put(runs)
    let scan = RunScan(runtime: fixture.runtime, query: try RunQuery(PageFields("q=needle")))
    var (cursor, found) = (StoreCursor?.none, [RunID]())
    repeat {
      let step = try await scan.step(after: cursor, limit: 7)
      #expect(step.runs.count <= 7)
      (cursor, found) = (step.next, found + step.runs.map(\.id))
    } while cursor != nil
    #expect(found.count == 30 && Set(found) == Set(runs.map(\.id)))
  }

  @Test(
    "JSON is shown a member a line, and cut at a character",
    arguments: [
      (#"{"b":[1,{}],"a":"é"}"#, 1_000, "{\n  \"a\": \"é\",\n  \"b\": [\n    1,\n    {}\n  ]\n}", true),
      (#""ééé""#, 4, "\"é", false), (#""ééé""#, 8, "\"ééé\"", true), ("[]", 2, "[]", true),
    ])
  func pretty(text: String, limit: Int, shown: String, isWhole: Bool) throws {
    let result = PrettyJSON.bounded(try JSONText(checking: Array(text.utf8)).value, to: limit)
    #expect(result.text == shown && result.isWhole == isWhole)
  }
}

/// Times as the test's tables write them.
enum RunQuerySample {
  /// Returns a time without the zeros at the end of its fraction.
  static func short(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = String(text.dropLast())
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text + "Z"
  }
}
#endif
