#if HTTP
public import CloudJobs
public import CloudJobsCore

extension FirestoreStore {
  /// The service's time, by a commit of nothing, which bills nothing.
  func now() async throws(StoreError) -> Timestamp {
    time.advance(
      to: try await reading { (client) async throws(FirestoreFault) in
        try await client.commit(["writes": .array([])]).time
      })
  }

  /// Calls what changes nothing, whether or not the task is cancelled.
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

  /// Reads documents by id, all as of one moment.
  public func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading {
    try StoreLimits.check(jobs: jobs, runs: runs)
    let names =
      Set(jobs).map { configuration.name(configuration.jobs, $0.rawValue) }
      + Set(runs).map { configuration.name(configuration.runs, $0.rawValue) }
    if names.isEmpty { return StoreReading(time: try await now(), jobs: [:], runs: [:]) }
    let found = try await reading { (client) async throws(FirestoreFault) in try await client.batchGet(names) }
    var reading = StoreReading(time: time.advance(to: found.time), jobs: [:], runs: [:])
    let prefix = configuration.name(configuration.runs, "")
    for document in found.documents {
      if document.name.hasPrefix(prefix) {
        if let record = document.run { reading.runs[record.id] = record }
      } else if let id = try? JobID(document.id) {
        reading.jobs[id] = document.job
      }
    }
    return reading
  }

  /// The jobs whose `state.nextRun` has come.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let query = FirestoreQuery.due(try await now(), after: cursor, configuration)
    return try await page(query, limit: limit, by: "state", "nextRun") { $0.job }
  }

  /// The runs whose `wakeAt` has come.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    let query = FirestoreQuery.waking(try await now(), after: cursor, configuration)
    return try await page(query, limit: limit, by: "wakeAt") { $0.run }
  }

  /// Job documents by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await page(.jobs(after: cursor, configuration), limit: limit) { $0.job }
  }

  /// Runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    guard let query = FirestoreQuery.runs(matching: filter, after: cursor, configuration) else {
      return StorePage(records: [], next: nil, time: try await now())
    }
    return try await page(query, limit: limit, by: "createdAt") { $0.run }
  }

  /// A page of a query's results, with one more asked for to know whether they go on.
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

  /// Journal entries, latest first; one that was edited by hand and can't be read is left out.
  public func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [JournalEntry] {
    let query = FirestoreQuery.journal(until: time, configuration)
    let limit = StoreLimits.page(limit)
    let found = try await reading { (client) async throws(FirestoreFault) in
      try await client.runQuery(query, limit: limit)
    }
    return found.documents.compactMap(\.journalEntry)
  }
}
#endif
