extension Run {
  /// Reads a stored run.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: its fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first field that is missing or can't be read.
  public init(id: RunID, fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    self.init(
      id: id, job: try reader.required("job", reader.jobID("job")),
      trigger: try reader.required("trigger", reader.choice("trigger", Trigger.self)),
      input: try reader.text("input"),
      status: try reader.required("status", reader.choice("status", RunStatus.self)),
      maxAttempts: try reader.required("maxAttempts", reader.int("maxAttempts", 1...Int.max)),
      scheduledFor: try reader.timestamp("scheduledFor"),
      notBefore: try reader.required("notBefore", reader.timestamp("notBefore")),
      createdAt: try reader.required("createdAt", reader.timestamp("createdAt")))
    output = try reader.text("output")
    attempt = try reader.int("attempt", 0...Int.max) ?? 0
    failures = try reader.int("failures", 0...Int.max) ?? 0
    losses = try reader.int("losses", 0...Int.max) ?? 0
    startedAt = try reader.timestamp("startedAt")
    finishedAt = try reader.timestamp("finishedAt")
    lease = try reader.value("lease").map { (lease) throws(JobError) in try Lease(fields: lease) }
    fence = try reader.long("fence") ?? 0
    handoffs = try reader.int("handoffs", 0...Int.max) ?? 0
    wakeAt = try reader.timestamp("wakeAt")
    failure = try reader.value("error").map { (error) throws(JobError) in try RunFailure(fields: error) }
    reason = try reader.string("reason")
    correlationID = try reader.string("correlationId")
    parent = try reader.runID("parent")
    uniqueKey = try reader.string("uniqueKey")
    queue = try reader.string("queue")
    priority = try reader.int("priority") ?? 0
    expireAt = try reader.timestamp("expireAt")
  }

  /// The fields that are set; times are RFC 3339 text.
  public var fields: JSONValue {
    var members: [String: JSONValue] = [
      "job": .string(job.rawValue), "trigger": .string(trigger.rawValue), "status": .string(status.rawValue),
      "attempt": .integer(Int64(attempt)), "maxAttempts": .integer(Int64(maxAttempts)),
      "failures": .integer(Int64(failures)),
      "notBefore": .string(notBefore.description), "createdAt": .string(createdAt.description),
      "fence": .integer(fence), "handoffs": .integer(Int64(handoffs)), "priority": .integer(Int64(priority)),
    ]
    members["input"] = input?.value
    members["output"] = output?.value
    if losses > 0 { members["losses"] = .integer(Int64(losses)) }
    members["scheduledFor"] = scheduledFor.map { .string($0.description) }
    members["startedAt"] = startedAt.map { .string($0.description) }
    members["finishedAt"] = finishedAt.map { .string($0.description) }
    members["lease"] = lease?.fields
    members["wakeAt"] = wakeAt.map { .string($0.description) }
    members["error"] = failure?.fields
    members["reason"] = reason.map { .string($0) }
    members["correlationId"] = correlationID.map { .string($0) }
    members["parent"] = parent.map { .string($0.rawValue) }
    members["uniqueKey"] = uniqueKey.map { .string($0) }
    members["queue"] = queue.map { .string($0) }
    members["expireAt"] = expireAt.map { .string($0.description) }
    return .object(members)
  }
}

extension Lease {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "lease.", field: "lease")
    self.init(
      owner: try reader.required("owner", reader.string("owner")),
      token: try reader.required("token", reader.long("token")),
      expiresAt: try reader.required("expiresAt", reader.timestamp("expiresAt")))
  }

  var fields: JSONValue {
    ["owner": .string(owner), "token": .integer(token), "expiresAt": .string(expiresAt.description)]
  }
}

extension RunFailure {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "error.", field: "error")
    self.init(kind: try reader.string("kind") ?? "error", message: try reader.string("message") ?? "")
  }

  var fields: JSONValue {
    ["kind": .string(kind), "message": .string(message)]
  }
}
