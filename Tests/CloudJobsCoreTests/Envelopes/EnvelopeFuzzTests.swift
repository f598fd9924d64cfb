import CloudJobsCore
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Envelope under mutation")
struct EnvelopeFuzzTests {
  private static let codes: Set<JobError.Code> = [.malformedEnvelope, .malformedJSON, .invalidField, .tooLarge]

  @Test("Mutated requests are decoded to valid deliveries or rejected quickly", arguments: UInt64(1)...10)
  func mutations(seed: UInt64) {
    var mutator = EnvelopeMutator(seed: seed)
    var counts = (taken: 0, refused: 0)
    for round in 0..<10_000 {
      let request = mutator.next()
      let start = threadProcessorTime()
      let fault: String?
      do {
        fault = Self.fault(of: try Envelope.decode(request))
        counts.taken += 1
      } catch {
        fault = Self.fault(of: error)
        counts.refused += 1
      }
      let span = threadProcessorTime() - start
      if let fault { Issue.record("round \(round): \(fault): \(String(decoding: request.body, as: UTF8.self))") }
      if span > .milliseconds(50) { Issue.record("round \(round) took \(span)") }
    }
    // Both results must be frequent, or the mutations are too strong or too weak.
    #expect(counts.taken > 1_000 && counts.refused > 1_000, "\(counts)")
  }

  @Test("The same seed produces the same requests")
  func seeds() {
    var (first, second, third) = (EnvelopeMutator(seed: 7), EnvelopeMutator(seed: 7), EnvelopeMutator(seed: 8))
    let bodies = (0..<50).map { _ in first.next().body }
    #expect(bodies == (0..<50).map { _ in second.next().body })
    #expect(bodies != (0..<50).map { _ in third.next().body })
  }

  @Test("The largest hostile bodies take time proportional to their size", arguments: HostileBody.allCases)
  func hostile(body: HostileBody) {
    let small = Self.span(of: body.bytes(65_536))
    let large = Self.span(of: body.bytes(1_048_576))
    // Sixteen times the size; the rest is room for caches and for the clock's grain.
    #expect(large < small * 80 + .milliseconds(100), "\(small) for 64 KiB, \(large) for 1 MiB")
  }

  private static func span(of body: [UInt8]) -> Duration {
    let request = EnvelopeRequest(body: body)
    let start = threadProcessorTime()
    _ = try? Envelope.decode(request)
    return threadProcessorTime() - start
  }

  /// Returns the defect of a delivery, or nil.
  private static func fault(of delivery: Delivery) -> String? {
    if let payload = delivery.payload {
      guard (try? JSONText(checking: payload.bytes, limits: .payload)) != nil else { return "unsound payload" }
    }
    if delivery.runID != nil, delivery.occurrence != nil { return "two identities" }
    let text = Envelope.native(for: delivery)
    guard let again = try? Envelope.decode(EnvelopeRequest(body: text.bytes)) else { return "not taken again" }
    let run = delivery.runID ?? delivery.occurrence.map { RunID(job: delivery.job, occurrence: $0) }
    let runAgain = again.runID ?? again.occurrence.map { RunID(job: again.job, occurrence: $0) }
    let isSame =
      again.job == delivery.job && run == runAgain && again.attempt == delivery.attempt
      && again.payload == delivery.payload && again.correlationID == delivery.correlationID
    return isSame ? nil : "not the same again"
  }

  /// Returns the defect of an error, or nil.
  private static func fault(of error: JobError) -> String? {
    guard codes.contains(error.code) else { return "code \(error.code)" }
    guard let field = error.field, !field.isEmpty else { return "no field" }
    return error.message.hasSuffix(".") && error.message.utf8.count < 500 ? nil : "message \(error.message)"
  }
}

/// A generator of almost valid requests: it mutates valid ones by bytes and by the grammar of JSON.
struct EnvelopeMutator {
  private var random: SeededGenerator

  /// Creates a mutator whose requests depend only on the seed.
  init(seed: UInt64) {
    random = SeededGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15)
  }

  /// The valid requests to start from.
  static let sound: [EnvelopeRequest] = GoodEnvelopes.all.map(\.request)

  /// Other bodies to begin with: those that the tables refuse, and texts that are JSON and no envelope.
  static let corpus: [String] =
    MalformedEnvelopes.all.map(\.request).filter { $0.body.count < 4_096 }
    .map { String(decoding: $0.body, as: UTF8.self) } + JSONTexts.accepted

  /// Header fields that the decoder reads, each with valid and invalid values.
  static let fields: [(name: String, values: [String])] = [
    (
      "Content-Type",
      ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", ";", ""]
    ),
    ("ce-specversion", ["1.0", "1", "0.3", "1.0 "]), ("ce-id", ["7", "%37", "%", "%zz", "%c3%28", ""]),
    ("ce-source", ["//a/b", "%00", "é"]), ("ce-type", ["t", publishedType]), ("ce-jobid", ["a", "a b", ""]),
    ("X-CloudTasks-QueueName", ["q", "q/q", "é", ""]), ("X-CloudTasks-TaskName", ["t", "t t", "\u{0}"]),
    ("X-CloudTasks-TaskRetryCount", ["0", "-1", "999999999", "9999999999", "1.5"]),
    ("X-CloudTasks-TaskETA", ["1795229640.25", "1795229640", ".", "1.", "-1", "999999999999.999999999999", "1e9"]),
    ("X-CloudScheduler-ScheduleTime", ["2026-11-21T02:54:00Z", "2026-11-21", "x", "9999-12-31T23:59:60.999999-23:59"]),
    ("X-CloudScheduler-JobName", ["nightly", "\u{7F}"]), ("Idempotency-Key", ["k", "", "ключ"]),
    ("X-Correlation-ID", ["c", "a\nb"]),
    ("traceparent", ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "-"]),
  ]

  private static let tokens: [String] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", "0", "-", "1e5", "1e999", "1000001", "{}", "[]",
    "\"\"", "\"a\"", "\"\\ud800\"", "\"\\u0000\"", "\u{FEFF}", "é", "\"jobId\":\"a\"", "\"taskType\":\"a\"",
    "\"payload\":{}", "\"metadata\":{}", "\"message\":{}", "\"runId\":\"k\"", "\"attempt\":1", "\"data\":\"e30=\"",
    "\"specversion\":\"1.0\"", "\"correlationId\":\"c\"", "123456789012345678901234567890", " ", "\n", "//",
  ]

  /// The next request: seldom mutated more than twice, or nothing sound would be left.
  mutating func next() -> EnvelopeRequest {
    var request = pick(Self.sound)
    if chance(1, of: 4) { request.body = Array(pick(Self.corpus).utf8) }
    repeat { request.body = mutated(request.body) } while chance(1, of: 3)
    if chance(1, of: 3) {
      request.path = pick([.trigger, .scheduled("a"), .scheduled("a b"), .master])
      request.headers = headers()
    }
    return request
  }

  private mutating func headers() -> EnvelopeHeaders {
    var fields = [(name: String, value: String)]()
    while chance(1, of: 2) {
      let field = pick(Self.fields)
      fields.append((field.name, pick(field.values)))
    }
    if chance(1, of: 4) {
      fields += [("ce-specversion", "1.0"), ("ce-id", "7"), ("ce-source", "s")]
      fields.append(("ce-type", pick(["t", publishedType])))
    }
    return EnvelopeHeaders(fields)
  }

  private mutating func chance(_ count: Int, of total: Int) -> Bool {
    Int.random(in: 0..<total, using: &random) < count
  }

  private mutating func mutated(_ body: [UInt8]) -> [UInt8] {
    var body = body
    switch Int.random(in: 0..<11, using: &random) {
    case 0:
      if let index = body.indices.randomElement(using: &random) { body[index] = .random(in: 0...255, using: &random) }
    case 1:
      if let index = body.indices.randomElement(using: &random) {
        body[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
    case 2: body = Array(body[..<place(in: body)])
    case 3: body.removeSubrange(range(in: body))
    case 4: body.insert(contentsOf: body[range(in: body)], at: place(in: body))
    case 5: body = Array(body[..<place(in: body)]) + Array(pick(Self.corpus).utf8.suffix(40))
    case 6: body.insert(contentsOf: Array(pick(Self.tokens).utf8), at: place(in: body))
    case 7: body.replaceSubrange(range(in: body), with: Array(pick(Self.tokens).utf8))
    case 8: body = nested(body)
    case 9:
      if let member = memberPlace(in: body) { body.insert(contentsOf: Array("\(pick(Self.tokens)),".utf8), at: member) }
    default:
      guard !body.isEmpty else { break }
      body.swapAt(place(in: body) % body.count, place(in: body) % body.count)
    }
    return body
  }

  /// The body as a part of a larger one.
  private mutating func nested(_ body: [UInt8]) -> [UInt8] {
    let text = String(decoding: body, as: UTF8.self)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return Array("{\"jobId\":\"a\",\"payload\":\(text)}".utf8)
    case 1: return Array("{\"taskType\":\"a\",\"metadata\":\(text)}".utf8)
    case 2: return Array(push(text, attributes: pick(["{}", "{\"jobId\":\"a\"}", text])).utf8)
    case 3: return Array(event(",\"data\":\(text)", type: pick(["t", publishedType])).utf8)
    case 4: return Array(event(",\"data_base64\":\"\(base64(text))\"").utf8)
    default:
      let depth = Int.random(in: 1...40, using: &random)
      return [UInt8](repeating: UInt8(ascii: "["), count: depth) + body
        + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
    }
  }

  /// A place behind a comma or an opening brace, where a member may begin.
  private mutating func memberPlace(in body: [UInt8]) -> Int? {
    body.indices.filter { [UInt8(ascii: "{"), UInt8(ascii: ",")].contains(body[$0]) }
      .randomElement(using: &random).map { $0 + 1 }
  }

  private mutating func place(in body: [UInt8]) -> Int {
    Int.random(in: 0...body.count, using: &random)
  }

  private mutating func range(in body: [UInt8]) -> Range<Int> {
    let start = place(in: body)
    return start..<min(body.count, start + Int.random(in: 0...24, using: &random))
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &random)]
  }
}

/// Bodies that would cost a naive parser more than their size.
enum HostileBody: CaseIterable {
  case brackets, names, equalNames, escapedNames, members, escapes, surrogates, digits, strings, spaces, base64

  /// A body of about as many bytes, and never more.
  func bytes(_ size: Int) -> [UInt8] {
    switch self {
    case .brackets: Array(repeatElement(UInt8(ascii: "["), count: size))
    case .names: filled(size, "{\"jobId\":\"a\"", "}") { ",\"\($0)\":0" }
    case .equalNames: filled(size, "{\"jobId\":\"a\"", "}") { _ in ",\"x\":0" }
    case .escapedNames: filled(size, "{\"jobId\":\"a\"", "}") { ",\"\\u0041\($0)\":0" }
    case .members: filled(size, "{\"jobId\":\"a\",\"payload\":[0", "]}") { _ in ",{\"a\":{},\"b\":[]}" }
    case .escapes: filled(size, "{\"jobId\":\"a\",\"runId\":\"", "\"}") { _ in "\\u000a" }
    case .surrogates: filled(size, "{\"jobId\":\"a\",\"correlationId\":\"", "\"}") { _ in "\\ud83d\\ude00" }
    case .digits: filled(size, "{\"jobId\":\"a\",\"attempt\":1", "}") { _ in "0123456789" }
    case .strings: filled(size, "{\"jobId\":\"", "\"}") { _ in "é" }
    case .spaces: filled(size, "{\"jobId\":", "7}") { _ in " \n\t\r" }
    case .base64:
      filled(size, "{\"subscription\":\"s\",\"message\":{\"messageId\":\"1\",\"data\":\"", "\"}}") { _ in "W1tb" }
    }
  }

  private func filled(_ size: Int, _ start: String, _ end: String, _ part: (Int) -> String) -> [UInt8] {
    var bytes = Array(start.utf8)
    var index = 0
    while true {
      let next = Array(part(index).utf8)
      guard bytes.count + next.count + end.utf8.count <= size else { return bytes + Array(end.utf8) }
      bytes += next
      index += 1
    }
  }
}
