#if HTTP
import CloudJobsCore

/// Typed values of Firestore's REST API: objects with one member, whose name is the type.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/Shared.Types/ArrayValue#Value>.
enum FirestoreValue {
  /// `null`.
  static let null: JSONValue = ["nullValue": nil]

  /// Returns a string value.
  static func string(_ text: String) -> JSONValue { ["stringValue": .string(text)] }

  /// Returns a timestamp value.
  static func timestamp(_ time: Timestamp) -> JSONValue { ["timestampValue": .string(time.description)] }

  /// Returns a reference value for a document's resource name.
  static func reference(_ name: String) -> JSONValue { ["referenceValue": .string(name)] }

  /// Returns the plain values of typed fields.
  static func fields(_ fields: JSONValue?) -> [String: JSONValue] {
    (fields?.object ?? [:]).mapValues { decode($0) }
  }

  /// Returns a plain value: timestamps as RFC 3339 text, bytes as Base64, references as names.
  ///
  /// A value of unknown type becomes null and an invalid integer becomes text, so that the reader of the field reports
  /// it as unreadable.
  static func decode(_ value: JSONValue) -> JSONValue {
    guard let (type, content) = value.object?.first else { return .null }
    switch type {
    case "booleanValue", "stringValue", "timestampValue", "bytesValue", "referenceValue": return content
    case "integerValue": return integer(content)
    case "doubleValue": return content.double.map { .double($0) } ?? content
    case "geoPointValue":
      return ["latitude": content["latitude"] ?? 0, "longitude": content["longitude"] ?? 0]
    case "arrayValue": return .array((content["values"]?.array ?? []).map { decode($0) })
    case "mapValue": return .object(fields(content["fields"]))
    default: return .null
    }
  }

  private static func integer(_ content: JSONValue) -> JSONValue {
    guard let text = content.string else { return content }
    return Int64(text).map { .integer($0) } ?? content
  }
}

/// The time fields of a kind of document, which are stored as Firestore timestamps.
///
/// The core writes times as text. A query by time needs timestamps, because Firestore orders values by type
/// (<https://firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering>). Plain days and text that
/// is not a time stay strings.
struct FirestoreSchema: Sendable {
  /// The fields' dotted paths; elements of a list have the list's path.
  let times: Set<String>

  /// The schema of job documents.
  static let job = FirestoreSchema(times: ["startAt", "endAt", "skipDates", "state.lastRun", "state.nextRun"])
  /// The schema of runs.
  static let run = FirestoreSchema(
    times: [
      "scheduledFor", "notBefore", "createdAt", "startedAt", "finishedAt", "lease.expiresAt", "wakeAt", "expireAt",
      "attemptStartedAt", "earlierAttempts.startedAt", "earlierAttempts.endedAt",
    ])
  /// The schema of the entries of runs' logs.
  static let log = FirestoreSchema(times: ["expireAt", "lines.time"])
  /// The schema of ledgers.
  static let ledger = FirestoreSchema(times: ["createdAt", "expireAt", "nextSlot"])
  /// The schema of journal entries.
  static let journal = FirestoreSchema(times: ["time", "lines.slot"])

  /// Returns an object's members as typed values.
  func fields(_ object: [String: JSONValue], under prefix: String = "") -> JSONValue {
    var fields = [String: JSONValue](minimumCapacity: object.count)
    for (name, value) in object { fields[name] = encode(value, at: prefix + name) }
    return .object(fields)
  }

  /// Returns a value as a typed value.
  ///
  /// - Parameters:
  ///   - value: the value.
  ///   - path: the dotted path of its field.
  /// - Returns: an object with one member, whose name is the type.
  func encode(_ value: JSONValue, at path: String) -> JSONValue {
    switch value {
    case .null: return FirestoreValue.null
    case .bool(let value): return ["booleanValue": .bool(value)]
    case .integer(let number): return ["integerValue": .string(String(number))]
    case .double(let number): return ["doubleValue": .double(number)]
    case .string(let text):
      if times.contains(path), text.utf8.count > 10, let time = Timestamp(rfc3339: text) {
        return FirestoreValue.timestamp(time)
      }
      return FirestoreValue.string(text)
    case .array(let values):
      return ["arrayValue": ["values": .array(values.map { encode($0, at: path) })]]
    case .object(let members):
      return ["mapValue": ["fields": fields(members, under: path + ".")]]
    }
  }
}

/// The stored form of runs.
///
/// The payloads `input` and `output` are strings with the JSON text, so that they are preserved byte for byte and
/// readable in the console. A payload that another program stored as a map, list or other value is read as that value's
/// JSON.
enum FirestoreRun {
  /// Returns a run's fields as typed values.
  static func encode(_ run: Run) -> JSONValue {
    var document = run
    document.input = nil
    document.output = nil
    var fields = FirestoreSchema.run.fields(document.fields.object ?? [:]).object ?? [:]
    fields["input"] = run.input.map { FirestoreValue.string($0.description) }
    fields["output"] = run.output.map { FirestoreValue.string($0.description) }
    return .object(fields)
  }

  /// Parses a run from typed values.
  ///
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first field that can't be read.
  static func decode(_ id: RunID, _ fields: JSONValue?) throws(JobError) -> Run {
    var plain = FirestoreValue.fields(fields)
    plain["input"] = nil
    plain["output"] = nil
    var run = try Run(id: id, fields: .object(plain))
    run.input = payload(fields?["input"])
    run.output = payload(fields?["output"])
    return run
  }

  private static func payload(_ value: JSONValue?) -> JSONText? {
    guard let value, value != FirestoreValue.null else { return nil }
    guard let text = value["stringValue"]?.string else { return JSONText(FirestoreValue.decode(value)) }
    let limits = JSONLimits(bytes: .max, depth: 512)
    return (try? JSONText(checking: Array(text.utf8), limits: limits)) ?? JSONText(.string(text))
  }
}
#endif
