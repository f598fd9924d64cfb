public import CloudJobsCore
import Synchronization

/// A store in memory, which ends with the process: for tests, simulations and jobs that may be lost.
///
/// Job documents are kept in their stored form, so that values which other stores can't keep are not kept here either;
/// runs are kept unchanged, payload bytes included.
public final class MemoryStore: PurgingStore, DueTimeStore, ClaimingStore, RunCountingStore {
  private struct Document {
    var fields: JSONValue
    /// The document, decoded when it was stored, so that reads cost nothing.
    var record: JobRecord
  }

  private struct State {
    var jobs: [DocumentName: Document] = [:]
    var runs: [RunID: (version: Version, run: Run)] = [:]
    var due = OrderedTimes<DocumentName>()
    var waking = OrderedTimes<RunID>()
    var expiring = OrderedTimes<RunID>()
    var ledgers: [LedgerID: LedgerRecord] = [:]
    var journal: [DocumentName: PassJournalEntry] = [:]
    var logs: [RunID: [RunLogEntry]] = [:]
    var lastVersion: Int64 = 0
    var lastTime = Timestamp.distantPast
  }

  private let state = Mutex(State())
  private let clock: any JobClock

  /// Creates an empty store.
  ///
  /// - Parameter clock: the clock of the store's time, which never goes backwards in responses.
  public init(clock: any JobClock = .system) {
    self.clock = clock
  }

  /// Reads documents by id, all as of one time.
  public func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try StoreLimits.check(jobs: jobs, runs: runs, ledgers: ledgers)
    let now = clock.now()
    return state.withLock { state in
      var reading = Self.reading(jobs: jobs, state, at: Self.advance(&state, to: now))
      for id in runs { reading.runs[id] = Self.runRecord(id, state) }
      for id in ledgers { reading.ledgers[id] = state.ledgers[id] }
      return reading
    }
  }

  /// Returns whether any run waits in the account of a limit.
  public func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? {
    state.withLock { $0.ledgers[id]?.ledger.hasWaiters }
  }

  /// Lists the jobs whose `state.nextRun` has passed.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let now = clock.now()
    let limit = StoreLimits.page(limit)
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      let place = cursor.map { ($0.key, DocumentName($0.id)) }
      let entries = state.due.entries(until: time, after: place, limit: limit + 1)
      let next =
        entries.count > limit ? StoreCursor(key: entries[limit - 1].key, id: entries[limit - 1].id.text) : nil
      return StorePage(
        records: entries.prefix(limit).compactMap { Self.jobRecord($0.id, state) }, next: next, time: time)
    }
  }

  /// Lists the runs whose `wakeAt` has passed.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    let now = clock.now()
    return state.withLock { state in Self.wakingRuns(after: cursor, limit: limit, &state, at: now) }
  }

  private static func wakingRuns(
    after cursor: StoreCursor?, limit: Int, _ state: inout State, at now: Timestamp
  ) -> StorePage<RunRecord> {
    let limit = StoreLimits.page(limit)
    let time = advance(&state, to: now)
    let place = cursor.flatMap { cursor in (try? RunID(cursor.id)).map { (cursor.key, $0) } }
    let entries = state.waking.entries(until: time, after: place, limit: limit + 1)
    let next =
      entries.count > limit ? StoreCursor(key: entries[limit - 1].key, id: entries[limit - 1].id.rawValue) : nil
    return StorePage(records: entries.prefix(limit).compactMap { runRecord($0.id, state) }, next: next, time: time)
  }

  /// Returns the times at which jobs and runs come due.
  public func dueTimes(within horizon: Duration) async throws(StoreError) -> DueTimes {
    let now = clock.now()
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      return DueTimes(
        time: time, earliestJob: state.due.first, earliestRun: state.waking.first,
        next: [state.due.first(after: time), state.waking.first(after: time)].compactMap { $0 }.min())
    }
  }

  /// Lists job documents by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let now = clock.now()
    let limit = StoreLimits.page(limit)
    return state.withLock { state in
      let ids = state.jobs.keys.filter { id in cursor.map { DocumentName($0.id) < id } ?? true }.sorted()
      return StorePage(
        records: ids.prefix(limit).compactMap { Self.jobRecord($0, state) },
        next: ids.count > limit ? StoreCursor(key: 0, id: ids[limit - 1].text) : nil,
        time: Self.advance(&state, to: now))
    }
  }

  /// Lists runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    let now = clock.now()
    let limit = StoreLimits.page(limit)
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

  /// Counts the runs that have not ended.
  public func waitingRunCounts(tellingApart queues: Set<String>) async throws(StoreError) -> [WaitingRunCount] {
    var counter = try WaitingRunCounter(tellingApart: queues)
    state.withLock { state in
      for (_, run) in state.runs.values { counter.add(1, run.status, in: run.queue) }
    }
    return counter.results
  }

  /// Counts the runs that have failed for good.
  public func failedRunCount() async throws(StoreError) -> Int {
    state.withLock { state in state.runs.values.count { $0.1.status == .failed } }
  }

  /// Counts the runs that were created in a span of time.
  public func runCounts(
    createdFrom start: Timestamp, before end: Timestamp, bucket: Duration
  ) async throws(StoreError) -> [RunCount] {
    if try StoreLimits.buckets(from: start, before: end, bucket: bucket) == 0 { return [] }
    var counter = RunCounter(from: start, before: end, bucket: bucket)
    state.withLock { state in
      for (_, run) in state.runs.values { counter.count(run) }
    }
    return counter.results
  }

  /// Lists journal entries, latest or earliest first.
  public func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    state.withLock { state in
      let entries = state.journal.values.filter(filter.matches).sorted {
        filter.isAscending ? $0.place < $1.place : $1.place < $0.place
      }
      return Array(entries.prefix(StoreLimits.page(limit)))
    }
  }

  /// Lists a run's log, oldest entry first.
  public func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    state.withLock { state in
      let entries = (state.logs[run] ?? []).filter { entry in sequence.map { entry.sequence > $0 } ?? true }
      return Array(entries.prefix(StoreLimits.page(limit)))
    }
  }

  /// Lists the ledgers of a family, by their ids.
  public func ledgers(in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<LedgerRecord>
  {
    let now = clock.now()
    let limit = StoreLimits.page(limit)
    let first = cursor.flatMap { try? LedgerID($0.id) }
    return state.withLock { state in
      let found = state.ledgers.values.filter { record in
        record.id.family == family && (first.map { $0 < record.id } ?? true)
      }.sorted { $0.id < $1.id }
      return StorePage(
        records: Array(found.prefix(limit)),
        next: found.count > limit ? StoreCursor(key: 0, id: found[limit - 1].id.rawValue) : nil,
        time: Self.advance(&state, to: now))
    }
  }

  /// Commits all changes, or none.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try StoreLimits.check(writes)
    let now = clock.now()
    let result = state.withLock { state in
      Result { () throws(StoreError) in try Self.commit(writes, &state, at: now) }
    }
    return try result.get()
  }

  /// Reads due runs, and commits what a function makes of them.
  public func claim(
    after cursor: StoreCursor?, limit: Int, reading jobs: [JobID],
    _ plan: @escaping @Sendable ([RunRecord], StoreReading) -> [[Write]]
  ) async throws(StoreError) -> RunClaims {
    try StoreLimits.check(jobs: jobs, runs: [], ledgers: [])
    let now = clock.now()
    return state.withLock { state in
      let page = Self.wakingRuns(after: cursor, limit: limit, &state, at: now)
      var claims = RunClaims(time: page.time, runs: [], next: page.next)
      let reading = Self.reading(jobs: jobs, state, at: page.time)
      for (record, writes) in zip(page.records, plan(page.records, reading)) {
        let outcome = Result { () throws(StoreError) in
          try StoreLimits.check(writes)
          _ = try Self.commit(writes, &state, at: page.time)
        }
        claims.runs.append(RunClaims.Claim(record: record, outcome: writes.isEmpty ? nil : outcome))
      }
      return claims
    }
  }

  private static func commit(_ writes: [Write], _ state: inout State, at now: Timestamp) throws(StoreError) -> Timestamp
  {
    for write in writes { try check(write, state) }
    let time = max(state.lastTime, now)
    try changeLedgers(writes, &state, at: time)
    state.lastTime = time
    for write in writes { apply(write, &state) }
    return time
  }

  private static func advance(_ state: inout State, to now: Timestamp) -> Timestamp {
    state.lastTime = max(state.lastTime, now)
    return state.lastTime
  }

  private static func reading(jobs: [JobID], _ state: State, at time: Timestamp) -> StoreReading {
    var reading = StoreReading(time: time, jobs: [:], runs: [:])
    for id in jobs { reading.jobs[id] = jobRecord(DocumentName(id.rawValue), state) }
    return reading
  }

  private static func jobRecord(_ id: DocumentName, _ state: State) -> JobRecord? {
    state.jobs[id]?.record
  }

  private static func runRecord(_ id: RunID, _ state: State) -> RunRecord? {
    state.runs[id].map { RunRecord(id: id, version: $0.version, run: .success($0.run)) }
  }

  private static func check(_ write: Write, _ state: State) throws(StoreError) {
    let holds: Bool
    switch write {
    case .putRun(let run, _): holds = Self.holds(write.precondition, state.runs[run.id])
    case .deleteRun(let id, _): holds = Self.holds(write.precondition, state.runs[id])
    case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _):
      let version = state.jobs[DocumentName(id.rawValue)]?.record.version
      holds = write.precondition.holds(version: version, fence: nil, amendments: nil)
    case .putLedger(let id, _, _), .changeLedger(let id, _):
      holds = write.precondition.holds(version: state.ledgers[id]?.version, fence: nil, amendments: nil)
    case .putJournal, .putLog: holds = true
    }
    if !holds { throw StoreError.conflict(on: write) }
  }

  private static func holds(_ precondition: Precondition, _ stored: (version: Version, run: Run)?) -> Bool {
    precondition.holds(
      version: stored?.version, fence: stored?.run.fence, amendments: stored?.run.amendments)
  }

  private static func apply(_ write: Write, _ state: inout State) {
    switch write {
    case .putRun(let run, _):
      let old = state.runs[run.id]?.run
      state.waking.set(run.id, from: old?.wakeAt, to: run.wakeAt)
      state.expiring.set(run.id, from: old?.expireAt, to: run.expireAt)
      state.runs[run.id] = (nextVersion(&state), run)
    case .deleteRun(let id, _):
      state.waking.set(id, from: state.runs[id]?.run.wakeAt, to: nil)
      state.expiring.set(id, from: state.runs[id]?.run.expireAt, to: nil)
      state.runs[id] = nil
    case .putConfiguration(let id, let configuration, _):
      put(DocumentName(id.rawValue), &state) { configuration.replacing(in: $0) }
    case .patchState(let id, let patch, _):
      put(DocumentName(id.rawValue), &state) { stored in
        var members = stored?.object ?? [:]
        members["state"] = patch.applied(to: members["state"])
        return .object(members)
      }
    case .deleteJob(let id, _): put(DocumentName(id.rawValue), &state) { _ in nil }
    case .putLedger(let id, let ledger, _): put(id, ledger, &state)
    case .changeLedger(let id, _):
      // The commit has applied the change, after all preconditions.
      let version = nextVersion(&state)
      state.ledgers[id]?.version = version
      state.ledgers[id]?.changedAt = state.lastTime
    case .putJournal(let entry): state.journal[DocumentName(entry.id)] = entry
    case .putLog(let entry):
      var entries = state.logs[entry.run] ?? []
      entries.removeAll { $0.sequence == entry.sequence }
      entries.insert(entry, at: entries.firstIndex { $0.sequence > entry.sequence } ?? entries.count)
      state.logs[entry.run] = entries
    }
  }

  /// Makes all changes of ledgers, or none.
  private static func changeLedgers(
    _ writes: [Write], _ state: inout State, at time: Timestamp
  ) throws(StoreError) {
    var before = [(LedgerID, LedgerRecord?)]()
    let isAlone = writes.count { if case .changeLedger = $0 { true } else { false } } < 2
    for case .changeLedger(let id, let change) in writes {
      // One that is kept would be copied by its change; a single change that fails has changed nothing.
      if !isAlone { before.append((id, state.ledgers[id])) }
      do throws(StoreError) {
        try state.ledgers[id].apply(change, to: id, at: time)
      } catch {
        for (id, record) in before { state.ledgers[id] = record }
        throw error
      }
    }
  }

  private static func put(_ id: LedgerID, _ ledger: Ledger?, _ state: inout State) {
    let (version, time) = (nextVersion(&state), state.lastTime)
    state.ledgers[id] = ledger.map { LedgerRecord(id: id, version: version, changedAt: time, ledger: $0) }
  }

  private static func nextVersion(_ state: inout State) -> Version {
    state.lastVersion += 1
    return Version(state.lastVersion)
  }

  private static func put(_ id: DocumentName, _ state: inout State, _ change: (JSONValue?) -> JSONValue?) {
    let old = jobRecord(id, state)?.nextRun
    state.jobs[id] = change(state.jobs[id]?.fields).map { fields in
      Document(fields: fields, record: JobRecord(id: id.text, version: nextVersion(&state), fields: fields))
    }
    state.due.set(id, from: old, to: jobRecord(id, state)?.nextRun)
  }
}

extension MemoryStore {
  /// Stores a document in its stored form, valid or not, as an operator's tool would.
  ///
  /// - Parameters:
  ///   - id: the document's id, valid or not.
  ///   - fields: the fields.
  public func importJob(id: String, fields: JSONValue) {
    state.withLock { state in Self.put(DocumentName(id), &state) { _ in fields } }
  }

  /// Returns a document in its stored form, unknown members included.
  ///
  /// - Parameter id: the document's id, valid or not.
  /// - Returns: the fields; nil if there is no such document.
  public func exportJob(id: String) -> JSONValue? {
    state.withLock { $0.jobs[DocumentName(id)]?.fields }
  }

  /// Deletes runs whose `expireAt` has passed.
  public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    let now = clock.now()
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      let expired = state.expiring.entries(until: time, after: nil, limit: StoreLimits.page(limit))
      for entry in expired { Self.apply(.deleteRun(entry.id, .none), &state) }
      return expired.count
    }
  }

  /// Deletes log entries whose `expireAt` has passed.
  public func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    let now = clock.now()
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      let doomed = state.logs.values.joined().filter { $0.expireAt <= time }.prefix(StoreLimits.page(limit))
      for entry in doomed {
        state.logs[entry.run]?.removeAll { $0.sequence == entry.sequence }
        if state.logs[entry.run]?.isEmpty ?? false { state.logs[entry.run] = nil }
      }
      return doomed.count
    }
  }

  /// Deletes expired ledgers.
  public func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    let now = clock.now()
    return state.withLock { state in
      let time = Self.advance(&state, to: now)
      let expired = state.ledgers.values.compactMap { record in record.ledger.map { ($0.expireAt, record.id) } }
        .filter { $0.0 <= time }.sorted { $0 < $1 }.prefix(StoreLimits.page(limit))
      for (_, id) in expired { state.ledgers[id] = nil }
      return expired.count
    }
  }

  /// Deletes journal entries, oldest first.
  public func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    state.withLock { state in
      let old = state.journal.values.filter { $0.time < time }.sorted { $0.place < $1.place }
      let doomed = old.prefix(StoreLimits.page(limit))
      for entry in doomed { state.journal[DocumentName(entry.id)] = nil }
      return doomed.count
    }
  }
}

extension PassJournalEntry {
  /// The place of the entry in the journal's order.
  fileprivate var place: (Timestamp, DocumentName) { (time, DocumentName(id)) }
}

extension MemoryStore: RunPrefixStore {
  /// Returns the ids of runs with a prefix, in their order.
  package func runIDs(withPrefix prefix: String, limit: Int) async throws(StoreError) -> [RunID] {
    state.withLock { state in
      Array(state.runs.keys.filter { $0.rawValue.hasPrefix(prefix) }.sorted().prefix(StoreLimits.page(limit)))
    }
  }
}

extension JobStore where Self == MemoryStore {
  /// A store in memory, which ends with the process.
  public static var memory: MemoryStore { MemoryStore() }
}
