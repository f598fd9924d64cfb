extension Envelope {
  /// The native envelope of a delivery, as it is enqueued.
  ///
  /// It carries the job, the run, the attempt, the correlation id and the payload; decoding it gives the same again. A
  /// run id goes before an occurrence. An occurrence that the form can't carry as a key (a schedule time, or a text
  /// that looks like a run id or breaks the rules of keys) is sent as the run id that it stands for, which means the
  /// same run. A correlation id or an attempt outside the bounds of ``EnvelopeLimits/standard`` is left out. The
  /// payload must keep ``JSONLimits/payload``, or no handler will take the envelope.
  ///
  /// - Parameter delivery: what is to be executed.
  /// - Returns: the body to send to the route ``EnvelopePath/trigger``.
  public static func native(for delivery: Delivery) -> JSONText {
    var bytes = Array("{\"jobId\":\"\(delivery.job.rawValue)\"".utf8)
    if let run = delivery.run?.rawValue ?? delivery.occurrence.map({ runText(for: $0, of: delivery.job) }) {
      bytes += Array(",\"runId\":".utf8) + JSONValue.string(run).encoded
    }
    if let attempt = delivery.attempt, (1...EnvelopeLimits.standard.attempt).contains(Int64(attempt)) {
      bytes += Array(",\"attempt\":\(attempt)".utf8)
    }
    switch delivery.start {
    case .after(let delay) where delay >= .zero && delay.microseconds % 1_000 == 0:
      let text = IntervalText.text(microseconds: delay.microseconds)
      bytes += Array(",\"delay\":\"\(text.isEmpty ? "0s" : text)\"".utf8)
    case .after, nil: break
    case .at(let time): bytes += Array(",\"notBefore\":\"\(time)\"".utf8)
    }
    if let correlationID = delivery.correlationID, isCorrelationID(correlationID, limits: .standard) {
      bytes += Array(",\"correlationId\":".utf8) + JSONValue.string(correlationID).encoded
    }
    if let payload = delivery.payload {
      bytes += Array(",\"payload\":".utf8)
      bytes += payload.bytes
    }
    bytes.append(UInt8(ascii: "}"))
    return JSONText(trusted: bytes)
  }

  /// The text by which `runId` names an occurrence.
  private static func runText(for occurrence: Occurrence, of job: JobID) -> String {
    if case .key(let key) = occurrence, (try? RunID(key)) == nil, isKey(key, limits: .standard) { return key }
    return RunID(job: job, occurrence: occurrence).rawValue
  }

  /// Whether a text may be an occurrence's key in a body: neither empty nor too long, and without control characters,
  /// which not every store keeps.
  static func isKey(_ text: String, limits: EnvelopeLimits) -> Bool {
    (1...limits.keyBytes).contains(text.utf8.count)
      && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  /// Whether a text may be a correlation id: neither empty nor too long, and all printable ASCII.
  static func isCorrelationID(_ text: String, limits: EnvelopeLimits) -> Bool {
    (1...limits.correlationBytes).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
  }
}
