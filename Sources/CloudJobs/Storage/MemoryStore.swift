public import CloudJobsCore
import Synchronization

/// A store that lives in the process and ends with it: for tests, simulations and jobs that may be lost.
///
/// Documents are kept in their stored form, so that what the other stores can't keep isn't kept here either.
public final class MemoryStore: JobStore {
  private struct Document {
    var version: Version
    var fields: JSONValue
  }

  private struct State {
    var jobs: [String: Document] = [:]
    var runs: [RunID: (version: Version, run: Run)] = [:]
    var due = OrderedTimes<String>()
    var waking = OrderedTimes<RunID>()
    var journal: [JournalEntry] = []
    var lastVersion: Int64 = 0
    var lastTime = Timestamp.distantPast
  }

  private let state = Mutex(State())
  private let clock: any JobClock

  /// An empty store.
  ///
  /// - Parameter clock: what counts as the store's time; it never goes backwards in answers.
  public init(clock: any JobClock = .system) {
    self.clock = clock
  }

  /// Reads documents by id, all as of one moment.
  public func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading {
    let now = clock.now()
    return state.withLock { state in
      var reading = StoreReading(time: Self.advance(&state, to: now), jobs: [:], runs: [:])
      for id in jobs { reading.jobs[id] = Self.jobRecord(id.rawValue, state) }
      for id in runs { reading.runs[id] = Self.runRecord(id, state) }
      return reading
    }
  }

  /// The jobs whose `state.nextRun` has come.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let now = clock.now()
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      let entries = state.due.entries(until: time, after: cursor.map { ($0.key, $0.id) }, limit: limit + 1)
      let next = entries.count > limit ? StoreCursor(key: entries[limit - 1].key, id: entries[limit - 1].id) : nil
      return StorePage(
        records: entries.prefix(limit).compactMap { Self.jobRecord($0.id, state) }, next: next, time: time)
    }
  }

  /// The runs whose `wakeAt` has come.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    let now = clock.now()
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      let place = cursor.flatMap { cursor in (try? RunID(cursor.id)).map { (cursor.key, $0) } }
      let entries = state.waking.entries(until: time, after: place, limit: limit + 1)
      let next =
        entries.count > limit ? StoreCursor(key: entries[limit - 1].key, id: entries[limit - 1].id.rawValue) : nil
      return StorePage(
        records: entries.prefix(limit).compactMap { Self.runRecord($0.id, state) }, next: next, time: time)
    }
  }

  /// Job documents by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let now = clock.now()
    return state.withLock { state in
      let ids = state.jobs.keys.filter { id in cursor.map { $0.id < id } ?? true }.sorted()
      return StorePage(
        records: ids.prefix(limit).compactMap { Self.jobRecord($0, state) },
        next: ids.count > limit ? StoreCursor(key: 0, id: ids[limit - 1]) : nil, time: Self.advance(&state, to: now))
    }
  }

  /// Runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    let now = clock.now()
    return state.withLock { state in
      let found = state.runs.values.map(\.run).filter { run in
        filter.matches(run)
          && (cursor.map { (run.createdAt.microseconds, run.id.rawValue) < ($0.key, $0.id) } ?? true)
      }.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
      let last = found.count > limit ? found[limit - 1] : nil
      return StorePage(
        records: found.prefix(limit).compactMap { Self.runRecord($0.id, state) },
        next: last.map { StoreCursor(key: $0.createdAt.microseconds, id: $0.id.rawValue) },
        time: Self.advance(&state, to: now))
    }
  }

  /// Journal entries, latest first.
  public func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [JournalEntry] {
    state.withLock { state in
      Array(state.journal.filter { $0.time <= time }.sorted { ($0.time, $0.id) > ($1.time, $1.id) }.prefix(limit))
    }
  }

  /// Makes all the changes, or none.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    let now = clock.now()
    let result = state.withLock { state in
      Result { () throws(StoreError) -> Timestamp in
        for write in writes { try Self.check(write, state) }
        let time = Self.advance(&state, to: now)
        for write in writes { Self.apply(write, &state) }
        return time
      }
    }
    return try result.get()
  }

  private static func advance(_ state: inout State, to now: Timestamp) -> Timestamp {
    state.lastTime = max(state.lastTime, now)
    return state.lastTime
  }

  private static func jobRecord(_ id: String, _ state: State) -> JobRecord? {
    state.jobs[id].map { JobRecord(id: id, version: $0.version, fields: $0.fields) }
  }

  private static func runRecord(_ id: RunID, _ state: State) -> RunRecord? {
    state.runs[id].map { RunRecord(id: id, version: $0.version, run: .success($0.run)) }
  }

  private static func check(_ write: Write, _ state: State) throws(StoreError) {
    let (name, version, fence, precondition): (String, Version?, Int64?, Precondition) =
      switch write {
      case .putRun(let run, let precondition):
        ("run", state.runs[run.id]?.version, state.runs[run.id]?.run.fence, precondition)
      case .deleteRun(let id, let precondition):
        ("run", state.runs[id]?.version, state.runs[id]?.run.fence, precondition)
      case .putConfiguration(let id, _, let precondition), .patchState(let id, _, let precondition),
        .deleteJob(let id, let precondition):
        ("job document", state.jobs[id.rawValue]?.version, nil, precondition)
      case .putJournal: ("journal entry", nil, nil, .none)
      }
    let holds =
      switch precondition {
      case .none: true
      case .absent: version == nil
      case .version(let expected): version == expected
      case .fence(let token): fence == token
      }
    if !holds { throw StoreError(.conflict, "The \(name) is not as expected. Read it again and decide anew.") }
  }

  private static func apply(_ write: Write, _ state: inout State) {
    state.lastVersion += 1
    let version = Version(state.lastVersion)
    switch write {
    case .putRun(let run, _):
      state.waking.set(run.id, from: state.runs[run.id]?.run.wakeAt, to: run.wakeAt)
      state.runs[run.id] = (version, run)
    case .deleteRun(let id, _):
      state.waking.set(id, from: state.runs[id]?.run.wakeAt, to: nil)
      state.runs[id] = nil
    case .putConfiguration(let id, let configuration, _):
      var members = configuration.fields.object ?? [:]
      members["state"] = state.jobs[id.rawValue]?.fields["state"]
      put(id.rawValue, Document(version: version, fields: .object(members)), &state)
    case .patchState(let id, let patch, _):
      var members = state.jobs[id.rawValue]?.fields.object ?? [:]
      members["state"] = patch.applied(to: members["state"])
      put(id.rawValue, Document(version: version, fields: .object(members)), &state)
    case .deleteJob(let id, _): put(id.rawValue, nil, &state)
    case .putJournal(let entry):
      state.journal.removeAll { $0.id == entry.id }
      state.journal.append(entry)
    }
  }

  private static func put(_ id: String, _ document: Document?, _ state: inout State) {
    let old = jobRecord(id, state)?.nextRun
    state.jobs[id] = document
    state.due.set(id, from: old, to: jobRecord(id, state)?.nextRun)
  }
}

extension MemoryStore {
  /// Puts a document in its stored form, readable or not, as an operator's tool would.
  ///
  /// - Parameters:
  ///   - id: the document's id, whatever it is.
  ///   - fields: the fields.
  public func importJob(id: String, fields: JSONValue) {
    state.withLock { state in
      state.lastVersion += 1
      Self.put(id, Document(version: Version(state.lastVersion), fields: fields), &state)
    }
  }
}

extension JobStore where Self == MemoryStore {
  /// A store that lives in the process and ends with it.
  public static var memory: MemoryStore { MemoryStore() }
}
