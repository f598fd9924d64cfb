import CloudJobsCore
import Testing

@Suite("Fields as operators write them")
struct FieldTextTests {
  @Test(
    "Spans are numbers of seconds or the texts that code takes",
    arguments: [
      (1_800, .seconds(1_800)), ("30m", .seconds(1_800)), ("90s", .seconds(90)), ("1h30m", .seconds(5_400)),
      (1_800.0, .seconds(1_800)), ("1D", .days(1)), ("1500ms", .milliseconds(1_500)), (0, nil), ("0s", nil),
      ("30", nil), ("half an hour", nil), (-5, nil), (1.5, nil), ("400d", nil), ("", nil), (true, nil),
    ] as [(JSONValue, Duration?)])
  func spans(value: JSONValue, span: Duration?) throws {
    for name in ["interval", "timeout"] {
      guard let span, name == "interval" || span <= .days(1) else {
        let error = #expect(throws: JobError.self) { try JobConfiguration(fields: [name: value]) }
        #expect(error?.field == name)
        #expect(error?.message.contains("30m") == true)
        continue
      }
      let configuration = try JobConfiguration(fields: [name: value])
      #expect((name == "interval" ? configuration.interval : configuration.timeout) == span)
      #expect(try JobConfiguration(fields: configuration.fields) == configuration)
    }
  }

  @Test(
    "Fields that are not read are told with what was probably meant",
    arguments: [
      ("schedule", "cron"), ("every", "interval"), ("Interval", "interval"), ("time_zone", "timeZone"),
      ("retries", "maxRetries"), ("owner", nil), ("", nil),
      ("intreval", "interval"), ("enabld", "enabled"), ("timeZnoe", "timeZone"), ("priorty", "priority"), ("crn", nil),
    ] as [(String, String?)])
  func unknown(name: String, suggestion: String?) {
    let fields: JSONValue = .object([name: 1, "cron": "* * * * *", "state": [:]])
    let unknown = JobConfiguration.unknownFields(of: fields)
    #expect(unknown.map(\.name) == [name])
    #expect(unknown.first?.suggestion == suggestion)
  }

  @Test("A status that only the predecessor's runtime sets does not set a document aside")
  func foreignStatus() throws {
    let document = try JobDocument(id: "job", fields: ["state": ["status": "skippedBreakerOpen", "epoch": 3]])
    #expect(document.state.status == nil && document.state.epoch == 3)
    #expect(throws: JobError.self) { try JobDocument(id: "job", fields: ["state": ["status": "skippedOften"]]) }
  }

  @Test("A document of known fields, or none at all, has no unknown ones")
  func known() {
    let all = Dictionary(uniqueKeysWithValues: JobConfiguration.fieldNames.map { ($0, JSONValue.null) })
    #expect(JobConfiguration.unknownFields(of: .object(all)).isEmpty)
    #expect(JobConfiguration.unknownFields(of: "text").isEmpty)
  }
}
