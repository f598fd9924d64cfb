import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

extension RuntimeConformance {
  static let payloadCases: [Case] = [
    Case("Stores hold encoded payloads, handlers and callers get them decoded") { fixture in
      let codec = ControlledCodec()
      let local = try await fixture.simulate {
        $0.payloadCodec = codec
      } _: {
        EndpointJob(Greeting.self) { greeting, _ in return "Hello, \(greeting.name)!" }
      }
      let greeting = try await local.runtime.run(Greeting(name: "canary-1"), key: "a")
      try ConformanceFailure.expect(greeting, "Hello, canary-1!", "the result")
      try ConformanceFailure.expect(
        try await local.runtime.run(Greeting(name: "canary-1"), key: "a"), greeting, "the stored result")
      try await local.runtime.enqueue(Greeting(name: "canary-2"), key: "b")
      let answer = await local.runtime.handleRequest(
        body: Array(#"{"jobId":"greeting","payload":{"name":"canary-3"}}"#.utf8), peer: .inProcess)
      try ConformanceFailure.expect(answer.status, 200, "the answer to a delivery with a payload")
      try await local.advance(by: .seconds(5))
      let runs = await local.runs(of: Greeting.jobID)
      try ConformanceFailure.expect(runs.map(\.status), [.succeeded, .succeeded, .succeeded], "the runs")
      for run in runs {
        try ConformanceFailure.expect(run.input.flatMap { EncryptedPayload($0) } != nil, "the input is encoded")
        try ConformanceFailure.expect(run.output.flatMap { EncryptedPayload($0) } != nil, "the output is encoded")
        try ConformanceFailure.expect(!run.fields.text.contains("canary"), "the document has no value of a payload")
      }
    },
    Case("A run whose key is missing is kept without counting a failure, and continues when the key is back") {
      fixture in
      let codec = ControlledCodec()
      let handler = fixture.handler
      let local = try await fixture.simulate {
        $0.payloadCodec = codec
      } _: {
        EndpointJob("work", input: String.self) { _, context in try handler(context, at: .epoch) }.retry(.never)
      }
      try await local.runtime.enqueue("work", "text", key: "a")
      codec.fault = .payloadKeyUnavailable
      try await local.advance(by: .hours(1))
      let waiting = await local.runs(of: "work").first
      try ConformanceFailure.expect(waiting?.status, .scheduled, "the run without its key")
      try ConformanceFailure.expect(waiting?.failures, 0, "its failures")
      try ConformanceFailure.expect(waiting?.reason, "The key is not there.", "the reason")
      try ConformanceFailure.expect(handler.count, 0, "the attempts that reached the handler")
      codec.fault = nil
      try await local.advance(by: .minutes(6))
      try ConformanceFailure.expect(await local.runs(of: "work").map(\.status), [.succeeded], "the run with its key")
    },
    Case("A damaged payload is retried by the policy, and its dead letter keeps it") { fixture in
      let codec = ControlledCodec()
      let local = try await fixture.simulate {
        $0.payloadCodec = codec
      } _: {
        EndpointJob("work", input: String.self) { _, _ in .done }
          .retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(1)), jitter: .none))
      }
      try await local.runtime.enqueue("work", "text", key: "a")
      codec.fault = .payloadDamaged
      try await local.advance(by: .minutes(1))
      let run = await local.runs(of: "work").first
      try ConformanceFailure.expect(run?.status, .failed, "the run")
      try ConformanceFailure.expect(run?.attempt, 3, "its attempts")
      try ConformanceFailure.expect(run?.failure?.kind, "payloadDamaged", "its failure")
      try ConformanceFailure.expect(run?.input != nil, "it still has its input")
    },
    Case("A runtime without a codec keeps encrypted runs") { fixture in
      let codec = ControlledCodec()
      let payload = try codec.encode(
        JSONText("text"), at: PayloadPlace(jobID: "work", runID: RunID(job: "work", occurrence: .key("")), field: ""))
      let local = try await fixture.simulate { EndpointJob("work", input: JSONPayload.self) { _, _ in .done } }
      var delivery = Delivery(job: "work", trigger: .task, payload: payload)
      delivery.occurrence = .key("a")
      let result = await local.runtime.deliver(delivery)
      try ConformanceFailure.expect(result.status, .snoozed, "the result")
      try ConformanceFailure.expect(
        result.reason,
        "The payload is encrypted with the key test, but this runtime has no payload codec. Set "
          + "RuntimeOptions.payloadCodec.", "the reason")
    },
    Case("Values of named fields are replaced in stored failures, reasons and events") { fixture in
      let local = try await fixture.simulate {
        $0.redactedFields = ["card", "pin"]
      } _: {
        EndpointJob("fail", input: JSONPayload.self) { _, _ in
          throw JobFailure.permanent("Card 4111-1111 of Ann, pin 7, 17 tries, was refused.", kind: "card 4111-1111")
        }
        EndpointJob("cancel", input: JSONPayload.self) { _, _ in .cancel(reason: "Card 4111-1111 has expired.") }
      }
      let payload = JSONPayload(value: ["name": "Ann", "payment": ["card": "4111-1111", "pin": 7]])
      let failed = try await local.runtime.run("fail", payload)
      try ConformanceFailure.expect(
        failed.reason, "Card [redacted] of Ann, pin [redacted], 17 tries, was refused.", "the failure")
      let cancelled = try await local.runtime.run("cancel", payload)
      try ConformanceFailure.expect(cancelled.reason, "Card [redacted] has expired.", "the reason")
      for job in ["fail", "cancel"] as [JobID] {
        for var run in await local.runs(of: job) {
          run.input = nil
          try ConformanceFailure.expect(!run.fields.text.contains("4111"), "the document of \(job) has no card")
        }
      }
      let events = local.events.flatMap { [$0.reason, $0.failure?.message, $0.failure?.kind] }.compactMap { $0 }
      try ConformanceFailure.expect(!events.isEmpty && !events.contains { $0.contains("4111") }, "events have no card")
    },
  ]
}

/// A payload of any JSON.
private struct JSONPayload: Codable, Sendable {
  var value: JSONValue

  init(value: JSONValue) { self.value = value }

  init(from decoder: any Decoder) throws { value = .null }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (name, value) in value.object ?? [:] { try Self.encode(value, name, &container) }
  }

  private static func encode(_ value: JSONValue, _ name: String, _ container: inout KeyedEncodingContainer<Key>) throws
  {
    switch value {
    case .string(let text): try container.encode(text, forKey: Key(stringValue: name))
    case .integer(let number): try container.encode(number, forKey: Key(stringValue: name))
    case .object: try container.encode(JSONPayload(value: value), forKey: Key(stringValue: name))
    case .null, .bool, .double, .array: return
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }
  }
}

private struct Greeting: JobInput {
  typealias Output = String
  static let jobID: JobID = "greeting"
  var name: String
}

/// A codec without secrecy, whose key can be taken away.
private final class ControlledCodec: PayloadCodec {
  private let state = Mutex<JobError.Code?>(nil)

  /// The error of each decoding; nil if it succeeds.
  var fault: JobError.Code? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  func encode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText {
    EncryptedPayload(keyID: "test", nonce: Array(place.field.utf8), data: payload.bytes.map { ~$0 }).payload
  }

  func decode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText {
    if let fault { throw JobError(fault, "The key is not there.") }
    guard let encrypted = EncryptedPayload(payload), encrypted.nonce == Array(place.field.utf8) else {
      throw JobError(.payloadDamaged, "The payload is not encoded for this place.")
    }
    return try JSONText(checking: encrypted.data.map { ~$0 })
  }
}
