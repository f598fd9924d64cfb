import CloudJobsCore
import HTTPTypes
import Logging
import TestSupport
import Testing

@testable import CloudJobs

@Suite("Redaction")
struct RedactionTests {
  private static let payload: JSONValue = [
    "name": "Ann", "note": "call order-4711 back \"soon\"", "card": ["4111-1111", 12345678], "pin": 7, "ok": true,
    "code": "", "address": ["city": "Säckingen", "token": "ab"],
  ]

  @Test(
    "Confidential values are replaced in texts",
    arguments: [
      ("Card 4111-1111 was refused", "Card [redacted] was refused"), ("4111-1111", "[redacted]"),
      ("12345678 and 123456789", "[redacted] and [redacted]9"), ("pin 7", "pin [redacted]"), ("pin 17", "pin 17"),
      ("(ab)", "([redacted])"), ("abc, cab", "abc, cab"), ("true, Ann", "true, Ann"), ("Säckingen", "Säckingen"),
      ("", ""), ("4111", "4111"),
    ])
  func namedFields(text: String, expected: String) {
    let rule = RedactionRule(fields: ["card", "pin", "code", "token"], coversPayload: false)
    #expect(PayloadRedactor(JSONText(Self.payload), rule).redact(text) == expected)
  }

  @Test(
    "All longer values of an encrypted payload are confidential, also escaped and in parts",
    arguments: [
      ("Ann of Säckingen", "Ann of [redacted]"), ("no order-4711", "no [redacted]"), ("pin 7", "pin 7"),
      (#"{"note":"call order-4711 back \"soon\""}"#, #"{"note":"[redacted]"}"#),
      ("call order-4711 back \"soon\"!", "[redacted]!"), ("call back", "call back"),
    ])
  func everything(text: String, expected: String) {
    let rule = RedactionRule(fields: [], coversPayload: true)
    #expect(PayloadRedactor(JSONText(Self.payload), rule).redact(text) == expected)
  }

  @Test("Texts without a payload, or with an encrypted one, stay as they are")
  func noPayload() {
    let rule = RedactionRule(fields: ["data"], coversPayload: true)
    let encrypted = EncryptedPayload(keyID: "key-12345", nonce: [1], data: [2]).payload
    for payload in [nil, encrypted, .null] {
      #expect(PayloadRedactor(payload, rule).redact("key-12345") == "key-12345")
    }
  }

  @Test("Named fields are replaced in a value at any depth")
  func values() {
    let rule = RedactionRule(fields: ["a"], coversPayload: false)
    #expect(
      rule.redacted(["a": ["x": 1], "b": [["a": 2, "c": 3], "a"]])
        == ["a": "[redacted]", "b": [["a": "[redacted]", "c": 3], "a"]])
  }

  @Test("A handler's log, its stored failure and the routes show no value of a named field")
  func runtime() async throws {
    let fixture = RuntimeFixture()
    let recorder = LogRecorder()
    var options = fixture.options()
    options.logger = recorder.logger
    options.redactedFields = ["secret"]
    struct Input: Codable, Hashable {
      var secret: String
      var open: String
    }
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("job", input: Input.self, output: Input.self) { input, context in
        var context = context
        context.logger[metadataKey: "set"] = "\(input.secret)"
        context.logger.notice(
          "got \(input)", metadata: ["given": "\(input.secret)", "list": ["\(input.secret)", ["of": "\(input)"]]])
        return .done(input)
      }
      EndpointJob("fail", input: Input.self) { input, _ in
        let padding = String(repeating: "-", count: RunFailure.maximumMessage - 5)
        throw JobFailure.permanent(padding + "\(input.secret)")
      }
    }
    let input = Input(secret: "canary-12345", open: "visible")
    for job in ["job", "fail"] as [JobID] { try await runtime.run(job, input, key: "k") }
    let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/jobs/runs?payload=true")
    let page = String(decoding: await runtime.handle(request, peer: .inProcess).body, as: UTF8.self)
    let texts = recorder.lines + [page]
    #expect(texts.contains { $0.contains("visible") } && page.contains(#""secret":"[redacted]""#))
    for text in texts { #expect(!text.contains("canary"), "\(text)") }
    let failed = try await fixture.runs().first { $0.job == "fail" }
    #expect(failed?.failure?.message.contains("canary") == false, "a message is redacted before it is cut")
  }
}
