import CloudJobsCore
import Testing

@Suite("Envelope under mutation")
struct EnvelopeFuzzTests {
  private static let codes: Set<JobError.Code> = [.malformedEnvelope, .malformedJSON, .invalidField, .tooLarge]

  @Test("Mutated requests mean something sound or are refused, at once", arguments: UInt64(1)...10)
  func mutations(seed: UInt64) {
    var mutator = EnvelopeMutator(seed: seed)
    var counts = (taken: 0, refused: 0)
    for round in 0..<10_000 {
      let request = mutator.next()
      let start = ThreadClock.now()
      let fault: String?
      do {
        fault = Self.fault(of: try Envelope.decode(request))
        counts.taken += 1
      } catch {
        fault = Self.fault(of: error)
        counts.refused += 1
      }
      let span = ThreadClock.now() - start
      if let fault { Issue.record("round \(round): \(fault): \(String(decoding: request.body, as: UTF8.self))") }
      if span > .milliseconds(50) { Issue.record("round \(round) took \(span)") }
    }
    // Both ways out must be well trodden, or the mutations are too wild or too tame.
    #expect(counts.taken > 1_000 && counts.refused > 1_000, "\(counts)")
  }

  @Test("The same seed makes the same requests")
  func seeds() {
    var (first, second, third) = (EnvelopeMutator(seed: 7), EnvelopeMutator(seed: 7), EnvelopeMutator(seed: 8))
    let bodies = (0..<50).map { _ in first.next().body }
    #expect(bodies == (0..<50).map { _ in second.next().body })
    #expect(bodies != (0..<50).map { _ in third.next().body })
  }

  @Test("The largest hostile bodies take time in proportion to their size", arguments: HostileBody.allCases)
  func hostile(body: HostileBody) {
    let small = Self.span(of: body.bytes(65_536))
    let large = Self.span(of: body.bytes(1_048_576))
    // Sixteen times the size; the rest is room for caches and for the clock's grain.
    #expect(large < small * 80 + .milliseconds(100), "\(small) for 64 KiB, \(large) for 1 MiB")
  }

  private static func span(of body: [UInt8]) -> Duration {
    let request = EnvelopeRequest(body: body)
    let start = ThreadClock.now()
    _ = try? Envelope.decode(request)
    return ThreadClock.now() - start
  }

  /// What is wrong with a delivery, or nil.
  private static func fault(of delivery: Delivery) -> String? {
    if let payload = delivery.payload {
      guard (try? JSONText(checking: payload.bytes, limits: .payload)) != nil else { return "unsound payload" }
    }
    if delivery.run != nil, delivery.occurrence != nil { return "two identities" }
    let text = Envelope.native(for: delivery)
    guard let again = try? Envelope.decode(EnvelopeRequest(body: text.bytes)) else { return "not taken again" }
    let run = delivery.run ?? delivery.occurrence.map { RunID(job: delivery.job, occurrence: $0) }
    let runAgain = again.run ?? again.occurrence.map { RunID(job: again.job, occurrence: $0) }
    let isSame =
      again.job == delivery.job && run == runAgain && again.attempt == delivery.attempt
      && again.payload == delivery.payload && again.correlationID == delivery.correlationID
    return isSame ? nil : "not the same again"
  }

  /// What is wrong with an error, or nil.
  private static func fault(of error: JobError) -> String? {
    guard codes.contains(error.code) else { return "code \(error.code)" }
    guard let field = error.field, !field.isEmpty else { return "no field" }
    return error.message.hasSuffix(".") && error.message.utf8.count < 500 ? nil : "message \(error.message)"
  }
}
