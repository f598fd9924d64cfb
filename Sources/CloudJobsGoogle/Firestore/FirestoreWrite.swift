#if HTTP
import CloudJobs
import CloudJobsCore
import Synchronization

/// An encoder of the store's writes as Firestore writes.
///
/// An update without a mask replaces the document. With a mask it sets the fields of the mask and deletes those without
/// a value. Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/Write>.
struct FirestoreWrite: Sendable {
  let configuration: FirestoreConfiguration
  /// The update times of the runs that fencing tokens protect.
  var fenced: [RunID: Timestamp] = [:]
  /// The changed ledgers, each as it becomes, on condition that its document is as it was read.
  var ledgers: [LedgerID: FirestoreLedgers.Change] = [:]

  /// Returns the body of a commit.
  func commit(_ writes: [Write]) -> JSONValue {
    ["writes": .array(writes.map { encode($0) })]
  }

  /// Returns one write.
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
      // A document created by an empty patch has no member `state`, which is equivalent to an empty one.
      let values = patch.fields.filter { !$0.value.isNull }
      let fields: [String: JSONValue] = values.isEmpty ? [:] : ["state": .object(values)]
      members = update(configuration.name(configuration.jobs, id.rawValue), FirestoreSchema.job.fields(fields))
      members["updateMask"] = Self.mask(patch.fields.keys.sorted().map { FirestoreFieldPath.text("state", $0) })
    case .deleteJob(let id, _): members = delete(configuration.jobs, id.rawValue)
    case .putLedger(let id, let ledger, _): members = put(id, ledger)
    case .changeLedger(let id, _): members = put(id, ledgers[id]?.ledger)
    case .putJournal(let entry):
      members = update(
        configuration.name(configuration.journal, FirestoreDocumentID.encode(entry.id)),
        FirestoreSchema.journal.fields(entry.fields.object ?? [:]))
    case .putLog(let entry):
      members = update(
        configuration.name(configuration.logs, FirestoreDocumentID.log(entry.run, entry.sequence)),
        FirestoreSchema.log.fields(entry.fields.object ?? [:]))
    }
    members["currentDocument"] = precondition(of: write)
    return .object(members)
  }

  private func put(_ id: LedgerID, _ ledger: Ledger?) -> [String: JSONValue] {
    let documentID = FirestoreDocumentID.encode(id.rawValue)
    guard let ledger else { return delete(configuration.ledgers, documentID) }
    return update(
      configuration.name(configuration.ledgers, documentID), FirestoreSchema.ledger.fields(ledger.fields.object ?? [:]))
  }

  /// Returns a body that deletes documents on condition that they are unchanged.
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
    if case .changeLedger(let id, _) = write {
      return ledgers[id]?.changedAt.map { Self.unchanged(since: $0) } ?? ["exists": false]
    }
    return switch write.precondition {
    case .none: nil
    case .absent: ["exists": false]
    case .version(let version): Self.unchanged(since: Timestamp(microseconds: version.rawValue))
    case .fence, .attempt: Self.fencedRun(write).flatMap { fenced[$0] }.map { Self.unchanged(since: $0) }
    }
  }

  private static func unchanged(since time: Timestamp) -> JSONValue {
    ["updateTime": .string(time.description)]
  }

  /// Returns the run that a write changes under a fencing token; nil for other writes.
  static func fencedRun(_ write: Write) -> RunID? {
    switch write {
    case .putRun(let run, .fence), .putRun(let run, .attempt): run.id
    case .deleteRun(let id, .fence), .deleteRun(let id, .attempt): id
    default: nil
    }
  }
}

/// The condition of a write on the attempt that holds a run.
struct HeldRun: Hashable, Sendable {
  var fence: Int64
  /// The number of amendments; nil if any number will do.
  var amendments: Int64?

  func matches(fence: Int64?, amendments: Int64?) -> Bool {
    self.fence == fence && (self.amendments == nil || self.amendments == amendments)
  }
}

/// The fencing tokens that this process wrote, with their update times: heartbeats and results need no read.
///
/// Entries only serve as preconditions that the service checks, so they may be stale.
final class FencingTokenCache: Sendable {
  /// A run's fencing token and update time.
  struct Entry: Hashable, Sendable {
    var fence: Int64
    var amendments: Int64
    var updateTime: Timestamp
  }

  /// The maximum number of entries; beyond it, the cache is emptied and tokens are read again.
  private static let limit = 10_000
  private let entries = Mutex<[RunID: Entry]>([:])

  /// Returns the update times of runs whose cached tokens match.
  func times(_ held: [RunID: HeldRun]) -> [RunID: Timestamp] {
    entries.withLock { entries in
      var times: [RunID: Timestamp] = [:]
      for (id, run) in held {
        if let entry = entries[id], run.matches(fence: entry.fence, amendments: entry.amendments) {
          times[id] = entry.updateTime
        }
      }
      return times
    }
  }

  /// Removes runs whose entries turned out to be stale.
  func forget(_ runs: some Sequence<RunID>) {
    entries.withLock { entries in
      for id in runs { entries[id] = nil }
    }
  }

  /// Stores the tokens of the leased runs of a commit.
  func remember(_ writes: [Write], _ updateTimes: [Timestamp?]) {
    entries.withLock { entries in
      for (write, updateTime) in zip(writes, updateTimes) {
        switch write {
        case .putRun(let run, _):
          let entry = updateTime.map { Entry(fence: run.fence, amendments: run.amendments, updateTime: $0) }
          if entries.count >= Self.limit { entries.removeAll(keepingCapacity: true) }
          entries[run.id] = run.lease == nil ? nil : entry
        case .deleteRun(let id, _): entries[id] = nil
        default: continue
        }
      }
    }
  }
}
#endif
