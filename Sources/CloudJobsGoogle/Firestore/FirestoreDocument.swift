#if HTTP
import CloudJobs
import CloudJobsCore

/// A document as Firestore's REST face answers it.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents#Document>.
struct FirestoreDocument: Sendable {
  /// The resource name.
  let name: String
  /// When it last changed: its version.
  let updateTime: Timestamp
  /// The fields in Firestore's form.
  let fields: JSONValue?

  /// Reads a document; nil where that is none.
  init?(_ json: JSONValue) {
    guard let name = json["name"]?.string,
      let updateTime = json["updateTime"]?.string.flatMap({ Timestamp(rfc3339: $0) })
    else { return nil }
    self.name = name
    self.updateTime = updateTime
    fields = json["fields"]
  }

  /// The last part of the name.
  var id: String {
    let bytes = name.utf8
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return name }
    return String(name[bytes.index(after: slash)...])
  }

  /// The time of the last change in microseconds, which Firestore never gives twice to one document.
  var version: Version { Version(updateTime.microseconds) }

  /// The timestamp of a field, as indices order it.
  func time(at path: [String]) -> Timestamp? {
    var value: JSONValue? = ["mapValue": ["fields": fields ?? [:]]]
    for name in path { value = value?["mapValue"]?["fields"]?[name] }
    return value?["timestampValue"]?.string.flatMap { Timestamp(rfc3339: $0) }
  }

  /// The document as a job's.
  ///
  /// An index keeps values of different types apart, so that a query by time finds a `state.nextRun` only where it is
  /// a timestamp.
  var job: JobRecord {
    var record = JobRecord(id: id, version: version, fields: .object(FirestoreValue.fields(fields)))
    record.nextRun = time(at: ["state", "nextRun"])
    return record
  }

  /// The document as a run; nil where its id names none.
  var run: RunRecord? {
    guard let id = try? RunID(id) else { return nil }
    do throws(JobError) {
      return RunRecord(id: id, version: version, run: .success(try FirestoreRun.decode(id, fields)))
    } catch {
      return RunRecord(id: id, version: version, run: .failure(error))
    }
  }

  /// The run's last fencing token; nil where it can't be read.
  var fence: Int64? {
    guard let value = fields?["fence"] else { return 0 }
    return FirestoreValue.decode(value).integer
  }

  /// The document as an entry of the journal; nil where it can't be read.
  var journalEntry: JournalEntry? {
    try? JournalEntry(id: FirestoreDocumentID.decode(id), fields: .object(FirestoreValue.fields(fields)))
  }
}
#endif
