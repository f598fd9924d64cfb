#if HTTP
public import CloudJobs
public import CloudJobsCore
import Synchronization

/// The Cloud Firestore database and collections of a store, with its call policy.
public struct FirestoreConfiguration: Sendable {
  /// The Google Cloud project's id.
  public var project: String
  /// The database's id.
  public var database: String
  /// The collection of job documents, at the database's root.
  public var jobs = "jobs"
  /// The collection of runs, at the database's root.
  public var runs = "runs"
  /// The collection of the pass journal, at the database's root.
  public var journal = "journal"
  /// The collection of the runs' logs, at the database's root.
  public var logs = "logs"
  /// The collection of ledgers, which keep account of limits and unique keys, at the database's root.
  public var ledgers = "ledgers"
  /// The collection of the records of effects, at the database's root.
  public var effects = "effects"
  /// The time for which the record of an effect is kept; longer than a run may take from its first attempt to its end.
  public var effectRetention = Duration.days(180)
  /// The timeout of one call to Firestore.
  public var callTimeout = Duration.seconds(5)
  /// The maximum number of attempts of a commit under contention.
  public var contentionTries = 10
  /// The delay before the second attempt; it doubles up to half a second, reduced by up to half as jitter.
  public var contentionDelay = Duration.milliseconds(10)

  /// Creates a configuration.
  ///
  /// - Parameters:
  ///   - project: the Google Cloud project's id.
  ///   - database: the database's id.
  public init(project: String, database: String = "(default)") {
    self.project = project
    self.database = database
  }

  /// The resource name of the database's document root.
  var root: String { "projects/\(project)/databases/\(database)/documents" }

  /// Returns a document's resource name.
  func name(_ collection: String, _ id: String) -> String { "\(root)/\(collection)/\(id)" }

  /// Returns the path of a method on the database's documents.
  func path(_ method: String) -> String { "/v1/\(root):\(method)" }
}

/// A store in Cloud Firestore, over its REST API.
///
/// Jobs and runs are documents of the collections ``FirestoreConfiguration/jobs`` and ``FirestoreConfiguration/runs``,
/// with the fields of the core's documents; times are timestamps, days and payloads are strings. The store's time is
/// the service's: the read and commit times of its responses. A document's version is its `updateTime` in microseconds,
/// which is unique per document; a write without changes keeps it.
///
/// A write with a fencing token requires that the run is unchanged since this store wrote or read the token; if it has
/// changed, the token is read again. The store takes no locks and leaves no transactions open, and the process that
/// claimed a run commits its result without a read.
///
/// Documents that Firestore can't hold are rejected as `invalid`: more than 1 MiB, a list directly in a list, names of
/// the form `__…__`, more than 20 levels (<https://firebase.google.com/docs/firestore/quotas>). A job whose
/// `state.nextRun` is a string or number is not listed as due, because indexes order values by type; a runtime's start
/// or next housekeeping converts it to a timestamp. Filtered run lists need the composite indexes of
/// `infra/firestore.indexes.json`.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest>.
public final class FirestoreStore: PurgingStore, RunPrefixStore {
  let configuration: FirestoreConfiguration
  let client: FirestoreClient
  let time = LatestServerTime()
  let fences = FencingTokenCache()
  let ledgers = FirestoreLedgers()
  let ledgerQueue = LedgerQueue()
  private let clock: any JobClock
  private let random: RandomSource

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - configuration: the database and collections.
  ///   - google: access to Firestore; its clock only measures delays between attempts under contention.
  public init(_ configuration: FirestoreConfiguration, in google: GoogleCloud) {
    self.configuration = configuration
    client = FirestoreClient(
      configuration: configuration, exchange: google.client, access: google.firestore, clock: google.clock)
    clock = google.clock
    random = google.random
  }

  /// Commits all writes, or none.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try StoreLimits.check(writes)
    if writes.isEmpty { return try await now() }
    let changed = Set(
      writes.compactMap { write in if case .changeLedger(let id, _) = write { id } else { nil } })
    return try await Uncancelled.run { () async throws(StoreError) in
      if changed.isEmpty { return try await self.apply(writes) }
      return try await self.ledgerQueue.commit(writes, changing: changed) { group in await self.apply(group) }
    }
  }

  /// The delays between attempts under contention.
  var contentionDelays: RetryDelays {
    RetryDelays(first: configuration.contentionDelay, longest: .milliseconds(500))
  }

  /// Waits before an attempt under contention.
  func pause(_ delays: inout RetryDelays) async {
    let delay = random.draw { delays.next(random: &$0) }
    try? await clock.sleep(until: clock.now() + delay)
  }
}

extension JobStore where Self == FirestoreStore {
  /// Returns a store in Cloud Firestore.
  ///
  /// - Parameters:
  ///   - google: access to Firestore, and the project.
  ///   - database: the database's id.
  /// - Returns: a store.
  public static func firestore(_ google: GoogleCloud, database: String = "(default)") -> FirestoreStore {
    FirestoreStore(FirestoreConfiguration(project: google.project, database: database), in: google)
  }
}

extension FirestoreStore {
  /// Returns the service's time, from an empty commit, which is not billed.
  func now() async throws(StoreError) -> Timestamp {
    time.advance(
      to: try await reading { (client) async throws(FirestoreFault) in
        try await client.commit(["writes": .array([])]).time
      })
  }

  /// Makes a reading call, whether or not the task is cancelled.
  func reading<Value: Sendable>(
    _ call: @escaping @Sendable (FirestoreClient) async throws(FirestoreFault) -> Value
  ) async throws(StoreError) -> Value {
    let client = client
    return try await Uncancelled.run { () async throws(StoreError) in
      do throws(FirestoreFault) {
        return try await call(client)
      } catch {
        throw StoreError(error, during: .reading)
      }
    }
  }

  /// Reads documents by id, all at one point in time.
  public func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try StoreLimits.check(jobs: jobs, runs: runs, ledgers: ledgers)
    let names =
      Set(jobs).map { configuration.name(configuration.jobs, $0.rawValue) }
      + Set(runs).map { configuration.name(configuration.runs, $0.rawValue) }
      + Set(ledgers).map { configuration.name(configuration.ledgers, FirestoreDocumentID.encode($0.rawValue)) }
    if names.isEmpty { return StoreReading(time: try await now(), jobs: [:], runs: [:]) }
    let found = try await reading { (client) async throws(FirestoreFault) in try await client.batchGet(names) }
    var reading = StoreReading(time: time.advance(to: found.time), jobs: [:], runs: [:])
    let prefix = configuration.name(configuration.runs, "")
    let ledgerPrefix = configuration.name(configuration.ledgers, "")
    for document in found.documents {
      if document.name.hasPrefix(prefix) {
        if let record = document.run { reading.runs[record.id] = record }
      } else if document.name.hasPrefix(ledgerPrefix) {
        if let record = document.ledger { reading.ledgers[record.id] = record }
      } else if let id = try? JobID(document.id) {
        reading.jobs[id] = document.job
      }
    }
    for id in ledgers { self.ledgers.remember(id, reading.ledgers[id], asOf: found.time) }
    return reading
  }

  /// Returns a page of the jobs whose `state.nextRun` has come.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let query = FirestoreQuery.due(try await now(), after: cursor, configuration)
    return try await page(query, limit: limit, by: "state", "nextRun") { $0.job }
  }

  /// Returns a page of the runs whose `wakeAt` has come.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    let query = FirestoreQuery.waking(try await now(), after: cursor, configuration)
    return try await page(query, limit: limit, by: "wakeAt") { $0.run }
  }

  /// Returns a page of job documents, by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await page(.jobs(after: cursor, configuration), limit: limit) { $0.job }
  }

  /// Returns a page of the runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    guard let query = FirestoreQuery.runs(matching: filter, after: cursor, configuration) else {
      return StorePage(records: [], next: nil, time: try await now())
    }
    return try await page(query, limit: limit, by: "createdAt") { $0.run }
  }

  /// Returns a page of the ledgers of a family, by their ids.
  public func ledgers(in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<LedgerRecord>
  {
    try await page(.ledgers(in: family, after: cursor, configuration), limit: limit) { $0.ledger }
  }

  /// Returns the ids of runs with a prefix, in their order.
  package func runIDs(withPrefix prefix: String, limit: Int) async throws(StoreError) -> [RunID] {
    let query = FirestoreQuery.runs(withPrefix: prefix, configuration)
    let found = try await reading { (client) async throws(FirestoreFault) in
      try await client.runQuery(query, limit: limit)
    }
    return found.documents.compactMap { try? RunID($0.id) }
  }

  /// Returns a page of a query's results; one extra result is requested to know whether more follow.
  private func page<Record: Sendable>(
    _ query: FirestoreQuery, limit: Int, by path: String..., record: (FirestoreDocument) -> Record?
  ) async throws(StoreError) -> StorePage<Record> {
    let limit = StoreLimits.page(limit)
    let found = try await reading { (client) async throws(FirestoreFault) in
      try await client.runQuery(query, limit: limit + 1)
    }
    let page = found.documents.prefix(limit)
    let last = found.documents.count > limit ? page.last : nil
    return StorePage(
      records: page.compactMap(record),
      next: last.map { StoreCursor(key: $0.time(at: path)?.microseconds ?? 0, id: $0.id) },
      time: time.advance(to: found.time))
  }

  /// Returns journal entries, latest or earliest first; unreadable entries edited by hand are left out.
  public func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    let query = FirestoreQuery.journal(matching: filter, configuration)
    let limit = StoreLimits.page(limit)
    let found = try await reading { (client) async throws(FirestoreFault) in
      try await client.runQuery(query, limit: limit)
    }
    return found.documents.compactMap(\.journalEntry)
  }
}

extension FirestoreStore {
  /// Returns a run's log, oldest entry first; unreadable entries edited by hand are left out.
  public func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    let query = FirestoreQuery.log(of: run, after: sequence, configuration)
    let limit = StoreLimits.page(limit)
    let found = try await reading { (client) async throws(FirestoreFault) in
      try await client.runQuery(query, limit: limit)
    }
    return found.documents.compactMap { try? RunLogEntry(fields: .object(FirestoreValue.fields($0.fields))) }
  }
}

extension FirestoreStore {
  /// Commits the writes; starts over after a conflict if the fencing tokens still hold.
  func apply(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    let tokens = Self.tokens(writes)
    var encoder = FirestoreWrite(configuration: configuration)
    encoder.fenced = fences.times(tokens)
    if encoder.fenced.count < tokens.count { encoder.fenced = try await check(tokens) }
    encoder.ledgers = try await changedLedgers(writes, isFresh: false)
    var delays = contentionDelays
    for number in 0..<max(1, configuration.contentionTries) {
      do throws(FirestoreFault) {
        return try await commit(writes, encoder)
      } catch {
        if error.isRefusal(.aborted) {
          await pause(&delays)
          continue
        }
        let error = StoreError(error, during: .committing)
        guard error.code == .conflict, !tokens.isEmpty || !encoder.ledgers.isEmpty else { throw error }
        fences.forget(tokens.keys)
        let present = tokens.isEmpty ? [:] : try await check(tokens)
        let changed = try await changedLedgers(writes, isFresh: true)
        // The fenced runs and the ledgers are unchanged, so another precondition failed.
        let isSame = changed.allSatisfy { encoder.ledgers[$0.key]?.changedAt == $0.value.changedAt }
        if present == encoder.fenced, isSame { throw error }
        if number > 0 { await pause(&delays) }
        encoder.fenced = present
        encoder.ledgers = changed
      }
    }
    throw Self.contention
  }

  private static var contention: StoreError {
    StoreError(.unavailable, "The writes could not be committed because of contention. Retry later.")
  }

  /// Commits writes once.
  private func commit(_ writes: [Write], _ encoder: FirestoreWrite) async throws(FirestoreFault) -> Timestamp {
    let done = try await client.commit(encoder.commit(writes))
    let time = self.time.advance(to: done.time)
    fences.remember(writes, done.updateTimes)
    ledgers.remember(writes, encoder.ledgers, done.updateTimes, at: time)
    return time
  }

  /// Commits the writes of some callers, each all or none: together, or else one after the other.
  ///
  /// - Parameter group: the writes of each caller, which concern no document twice apart from ledgers.
  /// - Returns: the results of the callers.
  private func apply(_ group: [[Write]]) async -> [LedgerQueue.Answer] {
    var answers = [Int: LedgerQueue.Answer]()
    if group.count > 1 {
      do throws(StoreError) {
        answers = try await applyTogether(group)
      } catch {
        // Unless the outcome is unknown, nothing was changed, and each finds out on its own.
        if error.code == .unknownOutcome { return group.map { _ in .failure(error) } }
      }
    }
    for (index, writes) in group.enumerated() where answers[index] == nil {
      do throws(StoreError) {
        answers[index] = .success(try await apply(writes))
      } catch {
        answers[index] = .failure(error)
      }
    }
    return group.indices.compactMap { answers[$0] }
  }

  /// Commits the writes of some callers as one commit, apart from those that a limit refuses.
  ///
  /// - Returns: the results; none for those that must be tried on their own.
  private func applyTogether(_ group: [[Write]]) async throws(StoreError) -> [Int: LedgerQueue.Answer] {
    var plan = try await ledgerPlan(group, isFresh: false)
    var delays = contentionDelays
    for number in 0..<max(1, configuration.contentionTries) {
      var answers = plan.refusals.mapValues { LedgerQueue.Answer.failure($0) }
      let accepted = group.indices.filter { answers[$0] == nil }
      if accepted.count < 2 { return answers }
      let writes = LedgerGroup.writes(accepted.map { group[$0] })
      let tokens = Self.tokens(writes)
      var encoder = FirestoreWrite(configuration: configuration)
      encoder.fenced = fences.times(tokens)
      if encoder.fenced.count < tokens.count { encoder.fenced = try await check(tokens) }
      encoder.ledgers = plan.ledgers
      do throws(FirestoreFault) {
        let time = try await commit(writes, encoder)
        for index in accepted { answers[index] = .success(time) }
        return answers
      } catch {
        if error.isRefusal(.aborted) {
          await pause(&delays)
          continue
        }
        let error = StoreError(error, during: .committing)
        guard error.code == .conflict else { throw error }
        let changed = try await ledgerPlan(group, isFresh: true)
        // The ledgers are unchanged, so a precondition of one of the callers failed.
        if plan.ledgers.allSatisfy({ changed.ledgers[$0.key]?.changedAt == $0.value.changedAt }) { throw error }
        if number > 0 { await pause(&delays) }
        plan = changed
      }
    }
    throw Self.contention
  }

  /// Returns the fencing tokens that the writes require.
  private static func tokens(_ writes: [Write]) -> [RunID: HeldRun] {
    var tokens: [RunID: HeldRun] = [:]
    for write in writes {
      guard let run = FirestoreWrite.fencedRun(write) else { continue }
      switch write.precondition {
      case .fence(let token): tokens[run] = HeldRun(fence: token)
      case .attempt(let token, let amendments): tokens[run] = HeldRun(fence: token, amendments: amendments)
      case .none, .absent, .version: continue
      }
    }
    return tokens
  }

  /// Returns the update times of fenced runs whose tokens match.
  ///
  /// - Throws: ``StoreError`` `conflict` if one is not, and `unavailable`.
  private func check(_ tokens: [RunID: HeldRun]) async throws(StoreError) -> [RunID: Timestamp] {
    let names = tokens.keys.sorted().map { configuration.name(configuration.runs, $0.rawValue) }
    let documents: [FirestoreDocument]
    do throws(FirestoreFault) {
      documents = try await client.batchGet(names, fields: ["fence", "amendments"]).documents
    } catch {
      throw StoreError(error, during: .reading)
    }
    var times: [RunID: Timestamp] = [:]
    for document in documents {
      guard let id = try? RunID(document.id), let held = tokens[id],
        held.matches(fence: document.fence, amendments: document.amendments)
      else { continue }
      times[id] = document.updateTime
    }
    guard times.count == tokens.count else {
      throw StoreError(.conflict, "A run has another fencing token or was deleted. Read it again and re-plan.")
    }
    return times
  }
}

extension FirestoreStore {
  /// Deletes expired runs, and then expired records of effects.
  ///
  /// A time-to-live policy on `expireAt` does the same within a day (<https://firebase.google.com/docs/firestore/ttl>).
  public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    let now = try await now()
    let count = try await purge(.expired(now, in: configuration.runs, configuration), limit: limit)
    if count < StoreLimits.page(limit) {
      _ = try await purge(.expired(now, in: configuration.effects, configuration), limit: limit)
    }
    return count
  }

  /// Deletes expired log entries.
  public func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    try await purge(.expired(try await now(), in: configuration.logs, configuration), limit: limit)
  }

  /// Deletes expired ledgers.
  public func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    try await purge(.expired(try await now(), in: configuration.ledgers, configuration), limit: limit)
  }

  /// Deletes journal entries, oldest first.
  public func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    try await purge(.oldJournal(before: time, configuration), limit: limit)
  }

  /// Deletes a query's results; if one changes meanwhile, the query runs again.
  private func purge(_ query: FirestoreQuery, limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await Uncancelled.run { () async throws(StoreError) in
      var delays = self.contentionDelays
      for _ in 0..<max(1, self.configuration.contentionTries) {
        let found = try await self.reading { (client) async throws(FirestoreFault) in
          try await client.runQuery(query, limit: limit).documents
        }
        if found.isEmpty { return 0 }
        do throws(FirestoreFault) {
          _ = self.time.advance(to: try await self.client.commit(FirestoreWrite.deletion(found)).time)
          return found.count
        } catch {
          let isContention = error.isRefusal(.aborted)
          let error = StoreError(error, during: .committing)
          guard isContention || error.code == .conflict else { throw error }
        }
        await self.pause(&delays)
      }
      throw StoreError(.unavailable, "The documents could not be deleted because of contention. Retry later.")
    }
  }
}

/// The latest service time that this process has seen, which never goes back.
final class LatestServerTime: Sendable {
  private let latest = Mutex(Timestamp.distantPast)

  /// Returns the time of a response, or a later one that was seen before.
  func advance(to time: Timestamp) -> Timestamp {
    latest.withLock { latest in
      latest = max(latest, time)
      return latest
    }
  }
}
#endif
