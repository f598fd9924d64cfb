extension Envelope {
  /// The names of the members of the native form.
  package static var memberNames: Set<String> { EnvelopeMembers.known }
}

/// The members of the native envelope, and what callers write in their place.
enum EnvelopeMembers {
  /// Longest delay that an envelope may ask for.
  static let longestDelay = Duration.days(366)

  /// The members that are read.
  static let known: Set<String> = [
    "jobId", "payload", "key", "delay", "notBefore", "runId", "attempt", "correlationId",
  ]

  /// Other systems' words for them, in lower case and without separators.
  private static let synonyms: [String: String] = [
    "input": "payload", "data": "payload", "body": "payload", "args": "payload", "arguments": "payload",
    "params": "payload", "parameters": "payload", "payloads": "payload", "id": "key", "taskid": "key",
    "idempotencykey": "key", "uniquekey": "key", "dedupekey": "key", "deduplicationid": "key", "keys": "key",
    "delayseconds": "delay", "delayms": "delay", "in": "delay", "after": "delay", "wait": "delay",
    "countdown": "delay", "at": "notBefore", "eta": "notBefore", "scheduletime": "notBefore",
    "scheduledfor": "notBefore", "runat": "notBefore", "startat": "notBefore", "attempts": "attempt",
    "traceid": "correlationId", "job": "jobId", "jobname": "jobId", "run": "runId",
  ]

  /// The name that a member should have; nil for a known member, and for one that resembles none.
  static func correction(of name: String) -> String? {
    guard !known.contains(name), name.utf8.count <= 24 else { return nil }
    let plain = name.withoutCaseAndSeparators
    return synonyms[plain] ?? known.first { $0.lowercased() == plain } ?? name.oneSlip(from: known)
  }

  /// Refuses members of a native envelope that are misspelt.
  ///
  /// - Throws: ``JobError`` `malformedEnvelope` with the member and the right name.
  static func check(_ object: EnvelopeObject) throws(JobError) {
    for name in object.names {
      guard let right = correction(of: name) else { continue }
      throw JobError(
        .malformedEnvelope, "The member \"\(name)\" is not read: the name is \(right). Rename it, or leave it out.",
        field: object.place(of: name))
    }
  }

  /// Refuses members of a task descriptor that stand for its payload, its key or a start.
  ///
  /// - Throws: ``JobError`` `malformedEnvelope` with the member and the right name.
  static func checkDescriptor(_ object: EnvelopeObject) throws(JobError) {
    for name in object.names where !["taskType", "metadata", "payload", "correlationId"].contains(name) {
      let right = ["key", "delay", "notBefore"].contains(name) ? name : correction(of: name)
      let remedy: String
      switch right {
      case "payload", "correlationId": remedy = "the name is \(right ?? "")"
      case "key", "runId": remedy = "a descriptor names its work by metadata.id"
      case "delay", "notBefore":
        remedy = "a start is a member of the native form, {\"jobId\": …, \"\(right ?? "")\": …}"
      default: continue
      }
      throw JobError(
        .malformedEnvelope, "The member \"\(name)\" is not read: \(remedy).", field: object.place(of: name))
    }
  }
}
