#if HTTP
import CloudJobs
import CloudJobsCore

/// The store's writes as Firestore's.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/Write>. An update without a mask replaces the
/// document; with one it sets the fields of the mask, and deletes those that it names and that have no value.
struct FirestoreWrite: Sendable {
  let configuration: FirestoreConfiguration
  /// When the runs that a fencing token protects last changed.
  var fenced: [RunID: Timestamp] = [:]

  /// The body of a commit.
  func commit(_ writes: [Write]) -> JSONValue {
    ["writes": .array(writes.map { encode($0) })]
  }

  /// One write.
  func encode(_ write: Write) -> JSONValue {
    var members: [String: JSONValue]
    switch write {
    case .putRun(let run, _):
      members = update(configuration.name(configuration.runs, run.id.rawValue), FirestoreRun.encode(run))
    case .deleteRun(let id, _): members = delete(configuration.runs, id.rawValue)
    case .putConfiguration(let id, let new, _):
      members = update(
        configuration.name(configuration.jobs, id.rawValue), FirestoreSchema.job.fields(new.fields.object ?? [:]))
      let names = JobConfiguration.fieldNames.sorted().map { FirestoreFieldPath.text($0) }
      members["updateMask"] = Self.mask(names)
    case .patchState(let id, let patch, _):
      // A document that is made by an empty patch has no member `state`, which means the same as an empty one.
      let values = patch.fields.filter { !$0.value.isNull }
      let fields: [String: JSONValue] = values.isEmpty ? [:] : ["state": .object(values)]
      members = update(configuration.name(configuration.jobs, id.rawValue), FirestoreSchema.job.fields(fields))
      members["updateMask"] = Self.mask(patch.fields.keys.sorted().map { FirestoreFieldPath.text("state", $0) })
    case .deleteJob(let id, _): members = delete(configuration.jobs, id.rawValue)
    case .putJournal(let entry):
      members = update(
        configuration.name(configuration.journal, FirestoreDocumentID.encode(entry.id)),
        FirestoreSchema.journal.fields(entry.fields.object ?? [:]))
    }
    members["currentDocument"] = precondition(of: write)
    return .object(members)
  }

  /// The deletion of documents that must not have changed since they were read.
  static func deletion(_ documents: [FirestoreDocument]) -> JSONValue {
    let writes = documents.map { document -> JSONValue in
      ["delete": .string(document.name), "currentDocument": Self.unchanged(since: document.updateTime)]
    }
    return ["writes": .array(writes)]
  }

  private func update(_ name: String, _ fields: JSONValue) -> [String: JSONValue] {
    ["update": ["name": .string(name), "fields": fields]]
  }

  private func delete(_ collection: String, _ id: String) -> [String: JSONValue] {
    ["delete": .string(configuration.name(collection, id))]
  }

  private static func mask(_ paths: [String]) -> JSONValue {
    ["fieldPaths": .array(paths.map { .string($0) })]
  }

  private func precondition(of write: Write) -> JSONValue? {
    switch write.precondition {
    case .none: nil
    case .absent: ["exists": false]
    case .version(let version): Self.unchanged(since: Timestamp(microseconds: version.rawValue))
    case .fence: Self.fencedRun(write).flatMap { fenced[$0] }.map { Self.unchanged(since: $0) }
    }
  }

  private static func unchanged(since time: Timestamp) -> JSONValue {
    ["updateTime": .string(time.description)]
  }

  /// The run that a write changes only under a fencing token.
  static func fencedRun(_ write: Write) -> RunID? {
    switch write {
    case .putRun(let run, .fence): run.id
    case .deleteRun(let id, .fence): id
    default: nil
    }
  }
}
#endif
