// The stored form of a run, which is built as a value and written as text from the same list of fields.

extension Run {
  /// The stored form: the fields that are set; times are RFC 3339 text.
  public var fields: JSONValue {
    var members: [String: JSONValue] = [:]
    members.reserveCapacity(32)
    forEachField { name, field in members[name] = field.value }
    members["input"] = input?.value
    members["output"] = output?.value
    return .object(members)
  }

  /// The stored form without the payloads, as JSON text with members sorted by key.
  package var document: String {
    var text = [UInt8]()
    text.reserveCapacity(512)
    text.append(UInt8(ascii: "{"))
    forEachField { name, field in
      if text.count > 1 { text.append(UInt8(ascii: ",")) }
      text.append(UInt8(ascii: "\""))
      text.append(contentsOf: name.utf8)
      text.append(UInt8(ascii: "\""))
      text.append(UInt8(ascii: ":"))
      field.append(to: &text)
    }
    text.append(UInt8(ascii: "}"))
    return String(decoding: text, as: UTF8.self)
  }

  /// The value of a field.
  private enum Field {
    case text(String)
    case integer(Int64)
    case time(Timestamp)
    case run(RunID)
    case value(JSONValue)

    var value: JSONValue {
      switch self {
      case .text(let text): .string(text)
      case .integer(let number): .integer(number)
      case .time(let time): .string(time.description)
      case .run(let id): .string(id.rawValue)
      case .value(let value): value
      }
    }

    func append(to text: inout [UInt8]) {
      switch self {
      case .text(let string): text.append(json: string)
      case .integer(let number): text += String(number).utf8
      case .time(let time):
        text.append(UInt8(ascii: "\""))
        time.append(to: &text)
        text.append(UInt8(ascii: "\""))
      case .run(let id): text.append(json: id.rawValue)
      case .value(let value): value.encode(into: &text)
      }
    }
  }

  /// Calls a function with each field that is set, apart from the payloads, in the order of the names.
  private func forEachField(_ put: (String, Field) -> Void) {
    func add(_ name: String, _ text: String?) { if let text { put(name, .text(text)) } }
    func add(_ name: String, _ time: Timestamp?) { if let time { put(name, .time(time)) } }
    func add(_ name: String, _ id: RunID?) { if let id { put(name, .run(id)) } }
    func add(_ name: String, _ value: JSONValue?) { if let value { put(name, .value(value)) } }
    func add(_ name: String, positive number: Int64) { if number > 0 { put(name, .integer(number)) } }
    func add(_ name: String, _ texts: [String]) {
      if !texts.isEmpty { put(name, .value(.array(texts.map { .string($0) }))) }
    }
    add("after", prerequisites.map(\.rawValue))
    if !prerequisites.isEmpty { add("afterFailure", failedPrerequisite.rawValue) }
    add("amendments", positive: amendments)
    put("attempt", .integer(Int64(attempt)))
    add("attemptLimit", positive: Int64(attemptLimit ?? 0))
    add("attemptStartedAt", attemptStartedAt)
    add("awaiting", awaiting)
    add("cancellation", cancellation)
    add("checkpoint", checkpoint?.description)
    add("continuations", positive: Int64(continuations))
    add("correlationId", correlationID)
    add("createdAt", createdAt)
    add("dependents", dependents.map(\.rawValue))
    if !earlierAttempts.isEmpty { put("earlierAttempts", .value(.array(earlierAttempts.map(\.fields)))) }
    add("error", failure?.fields)
    add("expireAt", expireAt)
    put("failures", .integer(Int64(failures)))
    put("fence", .integer(fence))
    add("finishedAt", finishedAt)
    put("handoffs", .integer(Int64(reenqueues)))
    add("job", job.rawValue)
    add("lease", lease?.fields)
    add("losses", positive: Int64(losses))
    put("maxAttempts", .integer(Int64(maxAttempts)))
    if !metadata.isEmpty { put("metadata", .value(.object(metadata))) }
    add("notBefore", notBefore)
    add("parent", parent)
    add("permits", permits.map(\.rawValue))
    put("priority", .integer(Int64(priority)))
    add("progress", progress?.fields)
    add("queue", queue)
    add("reason", reason)
    add("scheduledFor", scheduledFor)
    add("startedAt", startedAt)
    add("status", status.rawValue)
    add("timeout", timeout?.field)
    add("trace", trace?.description)
    add("trigger", trigger.rawValue)
    add("uniqueKey", uniqueKey)
    add("waitsFor", waitsFor?.rawValue)
    add("wakeAt", wakeAt)
  }
}
