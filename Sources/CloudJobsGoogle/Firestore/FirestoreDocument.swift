#if HTTP
import CloudJobs
import CloudJobsCore

/// A document in the form of Firestore's REST API.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents#Document>.
struct FirestoreDocument: Sendable {
  /// The resource name.
  let name: String
  /// The time of the last change, which is the version.
  let updateTime: Timestamp
  /// The fields as typed Firestore values.
  let fields: JSONValue?

  /// Parses a document; nil if the JSON is not one.
  init?(_ json: JSONValue) {
    guard let name = json["name"]?.string,
      let updateTime = json["updateTime"]?.string.flatMap({ Timestamp(rfc3339: $0) })
    else { return nil }
    self.name = name
    self.updateTime = updateTime
    fields = json["fields"]
  }

  /// The last component of the resource name.
  var id: String {
    let bytes = name.utf8
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return name }
    return String(name[bytes.index(after: slash)...])
  }

  /// The update time in microseconds, which is unique among a document's versions.
  var version: Version { Version(updateTime.microseconds) }

  /// Returns the timestamp of a field, as indexes order it.
  func time(at path: [String]) -> Timestamp? {
    var value: JSONValue? = ["mapValue": ["fields": fields ?? [:]]]
    for name in path { value = value?["mapValue"]?["fields"]?[name] }
    return value?["timestampValue"]?.string.flatMap { Timestamp(rfc3339: $0) }
  }

  /// The document as a job record.
  ///
  /// Indexes order values by type first, so a query by time finds a `state.nextRun` only if it is a timestamp.
  var job: JobRecord {
    var record = JobRecord(id: id, version: version, fields: .object(FirestoreValue.fields(fields)))
    record.nextRun = time(at: ["state", "nextRun"])
    return record
  }

  /// The document as a run record; nil if its id is not a run id.
  var run: RunRecord? {
    guard let id = try? RunID(id) else { return nil }
    do throws(JobError) {
      return RunRecord(id: id, version: version, run: .success(try FirestoreRun.decode(id, fields)))
    } catch {
      return RunRecord(id: id, version: version, run: .failure(error))
    }
  }

  /// The document as a ledger's record; nil if its id is not a ledger's.
  var ledger: LedgerRecord? {
    guard let id = try? LedgerID(FirestoreDocumentID.decode(id)) else { return nil }
    return LedgerRecord(
      id: id, version: version, changedAt: updateTime, fields: .object(FirestoreValue.fields(fields)))
  }

  /// The run's last fencing token; nil if it can't be read.
  var fence: Int64? {
    guard let value = fields?["fence"] else { return 0 }
    return FirestoreValue.decode(value).integer
  }

  /// The number of the run's amendments; nil if it can't be read.
  var amendments: Int64? {
    guard let value = fields?["amendments"] else { return 0 }
    return FirestoreValue.decode(value).integer
  }

  /// The document as a journal entry; nil if it can't be read.
  var journalEntry: PassJournalEntry? {
    try? PassJournalEntry(id: FirestoreDocumentID.decode(id), fields: .object(FirestoreValue.fields(fields)))
  }
}

/// Document ids for arbitrary names, such as those of journal entries.
///
/// A document id contains no `/`, is neither `.` nor `..`, and is not of the form `__…__`
/// (<https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields>). Violating and control
/// characters are percent-encoded; everything else stays as it is, so that ids keep the order of their names.
enum FirestoreDocumentID {
  /// Returns the document id of an entry of a run's log, in the order of the entries.
  static func log(_ run: RunID, _ sequence: Int64) -> String {
    let digits = String(max(0, sequence))
    return "\(run)-" + String(repeating: "0", count: 19 - digits.utf8.count) + digits
  }

  /// Returns the document id of a name.
  static func encode(_ name: String) -> String {
    if name.isEmpty { return "%" }
    let isDots = name == "." || name == ".."
    let isReserved = name.utf8.starts(with: "__".utf8)
    var bytes = [UInt8]()
    for (index, byte) in name.utf8.enumerated() {
      let isSpecial = byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%")
      if isSpecial || isDots || (isReserved && index == 0) {
        bytes.append(UInt8(ascii: "%"))
        bytes += [byte >> 4, byte & 15].map { digits[Int($0)] }
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Returns the name of a document id; an id written by another program is its own name.
  static func decode(_ id: String) -> String {
    if id == "%" { return "" }
    let bytes = Array(id.utf8)
    var name = [UInt8]()
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = digits.firstIndex(of: bytes[index + 1]), let low = digits.firstIndex(of: bytes[index + 2])
      {
        name.append(UInt8(high << 4 | low))
        index += 3
      } else {
        name.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: name, as: UTF8.self)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)
}
#endif
