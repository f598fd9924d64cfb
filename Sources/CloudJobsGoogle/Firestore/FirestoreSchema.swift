#if HTTP
import CloudJobsCore

/// Which fields of a kind of document are times, and so become Firestore timestamps.
///
/// The core writes times as text; a query by time needs them typed, as Firestore keeps the types of values apart
/// (<https://firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering>). Bare days stay text, and
/// so does what is no time.
struct FirestoreSchema: Sendable {
  /// The fields' dotted paths; the elements of a list have the list's path.
  let times: Set<String>

  /// Job documents.
  static let job = FirestoreSchema(times: ["startAt", "endAt", "skipDates", "state.lastRun", "state.nextRun"])
  /// Runs.
  static let run = FirestoreSchema(
    times: [
      "scheduledFor", "notBefore", "createdAt", "startedAt", "finishedAt", "lease.expiresAt", "wakeAt", "expireAt",
    ])
  /// Entries of the journal.
  static let journal = FirestoreSchema(times: ["time", "lines.slot"])

  /// The named values of an object, in Firestore's form.
  func fields(_ object: [String: JSONValue], under prefix: String = "") -> JSONValue {
    var fields = [String: JSONValue](minimumCapacity: object.count)
    for (name, value) in object { fields[name] = encode(value, at: prefix + name) }
    return .object(fields)
  }

  /// A value in Firestore's form.
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
#endif
