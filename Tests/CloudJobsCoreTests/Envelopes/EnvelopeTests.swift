import CloudJobsCore
import Testing

@Suite("Envelope")
struct EnvelopeTests {
  @Test("Valid requests are decoded", arguments: GoodEnvelopes.all)
  func accepted(example: EnvelopeCase<Delivery>) throws {
    #expect(try Envelope.decode(example.request) == example.result)
  }

  @Test("Invalid requests are rejected with the field and the remedy", arguments: MalformedEnvelopes.all)
  func refused(example: EnvelopeCase<Refusal>) throws {
    let error = try #require(throws: JobError.self) { try Envelope.decode(example.request) }
    #expect(error.code == example.result.code, "\(error)")
    #expect(error.field == example.result.field, "\(error)")
    #expect(error.message.contains(example.result.word), "\(error)")
    #expect(error.message.hasSuffix("."))
    #expect(error.message.utf8.count < 400)
  }

  @Test("There are enough examples, with unique names in each table")
  func tables() {
    #expect(MalformedEnvelopes.all.count >= 120)
    #expect(GoodEnvelopes.all.count >= 60)
    #expect(Set(MalformedEnvelopes.all.map(\.name)).count == MalformedEnvelopes.all.count)
  }

  @Test("A native envelope round-trips")
  func native() throws {
    let run = RunID(job: "a", occurrence: .key("1"))
    for payload in [nil, "null", "[1, 2 ]", "{\"a\":\"\\u00e9\"}"] as [String?] {
      for correlationID in [nil, "c", "\"\\ /"] as [String?] {
        for attempt in [nil, 1, 1_000_000] as [Int?] {
          for (run, key) in [(run, nil), (nil, "k"), (nil, "é\"\\\u{2028}"), (nil, nil)] as [(RunID?, String?)] {
            let delivery = Delivery(
              job: "a", trigger: .manual, occurrence: key.map { .key($0) }, runID: run, attempt: attempt,
              payload: try payload.map { try JSONText(checking: Array($0.utf8)) }, correlationID: correlationID)
            let text = Envelope.native(for: delivery)
            #expect(try JSONText(checking: text.bytes) == text)
            #expect(try Envelope.decode(EnvelopeRequest(body: text.bytes)) == delivery)
          }
        }
      }
    }
  }

  @Test("A native envelope contains the run id of an occurrence that can't be a key")
  func nativeOccurrences() throws {
    let hex = String(repeating: "a", count: 64)
    let occurrences: [Occurrence] = [
      .scheduledFor(.epoch), .key(hex), .key(""), .key("a\nb"), .key(String(repeating: "x", count: 257)),
    ]
    for occurrence in occurrences {
      let text = Envelope.native(for: Delivery(job: "a", trigger: .schedule, occurrence: occurrence))
      let decoded = try Envelope.decode(EnvelopeRequest(body: text.bytes))
      #expect(decoded.runID == RunID(job: "a", occurrence: occurrence))
      #expect(decoded.occurrence == nil)
    }
  }

  @Test("A native envelope omits values that handlers reject")
  func nativeBounds() throws {
    for (attempt, correlationID) in [(0, ""), (-1, "\n"), (1_000_001, "é"), (.max, String(repeating: "c", count: 257))]
    {
      let delivery = Delivery(job: "a", trigger: .manual, attempt: attempt, correlationID: correlationID)
      #expect(Envelope.native(for: delivery).description == "{\"jobId\":\"a\"}")
    }
  }

  @Test("The largest accepted payload fits into an envelope again, with any other members")
  func largestPayload() throws {
    let depth = JSONLimits.payload.depth
    let open = String(repeating: "[", count: depth) + "\""
    let close = "\"" + String(repeating: "]", count: depth)
    let filling = String(repeating: "x", count: JSONLimits.payload.bytes - open.utf8.count - close.utf8.count)
    var delivery = try Envelope.decode(
      EnvelopeRequest(path: .scheduled("a"), body: Array((open + filling + close).utf8)))
    delivery.trigger = .manual
    delivery.occurrence = .key(String(repeating: "\"", count: 256))
    delivery.correlationID = String(repeating: "\\", count: 256)
    delivery.attempt = 1_000_000
    let decoded = try Envelope.decode(EnvelopeRequest(body: Envelope.native(for: delivery).bytes))
    #expect(decoded == delivery)
  }

  @Test("No error contains the sender's text")
  func secrecy() throws {
    for body in [
      "{\"jobId\":\"hunter2 \"}", "{\"jobId\":\"a\",\"runId\":\"hunter2\\n\"}", "{\"jobId\":\"a\",\"x\":hunter2}",
      "{\"jobId\":\"a\",\"attempt\":\"hunter2\"}", "{\"hunter2\":\"hunter2\"}", push("hunter2"),
      "{\"taskType\":\"a\",\"metadata\":{\"weight\":\"hunter2\"}}", event(",\"data_base64\":\"hunter2*\""),
    ] {
      let error = try #require(throws: JobError.self) {
        try Envelope.decode(EnvelopeRequest(body: Array(body.utf8)))
      }
      #expect(!error.description.contains("hunter2"))
    }
  }
}

/// A request and its expected result.
struct EnvelopeCase<Result: Sendable>: Sendable, CustomTestStringConvertible {
  var name: String
  var request: EnvelopeRequest
  var result: Result

  var testDescription: String { name }

  init(
    _ name: String, _ body: String = "", path: EnvelopePath = .trigger, headers: EnvelopeHeaders = [:],
    _ result: Result
  ) {
    self.name = name
    self.request = EnvelopeRequest(path: path, headers: headers, body: Array(body.utf8))
    self.result = result
  }
}

/// The expected properties of an error.
struct Refusal: Sendable {
  var code: JobError.Code
  var field: String
  var word: String

  init(_ code: JobError.Code, _ field: String, _ word: String) {
    self.code = code
    self.field = field
    self.word = word
  }
}
