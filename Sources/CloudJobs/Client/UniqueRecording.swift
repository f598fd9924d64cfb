import CloudJobsCore

/// The plans of requests with unique keys that are recorded together: each is made on top of those before it.
struct UniqueRecording: Sendable {
  private struct Holder {
    var ledger: UniqueLedger?
    var precondition: Precondition
    var isChanged = false
  }

  private struct PlannedRun {
    var run: Run
    var precondition: Precondition
    var isChanged = false
  }

  private let settings: PlanSettings
  private let payloads: StoredPayloads
  private let now: Timestamp
  private var holders: [LedgerID: Holder] = [:]
  private var planned: [RunID: PlannedRun] = [:]
  /// The runs that are stored and can't be read.
  private let unreadable: Set<RunID>
  /// The runs that requests result in, where these are other ones, by the run that each would have created.
  private(set) var results: [RunID: RunID] = [:]
  /// The runs that are created.
  private(set) var created: Set<RunID> = []
  /// The runs that are cancelled, because others replace them.
  private(set) var replaced: [Run] = []

  /// Begins with what is stored.
  ///
  /// - Parameters:
  ///   - ids: the ledgers of the requests' keys.
  ///   - ledgers: a reading of these ledgers.
  ///   - reading: a later reading of the runs that hold the keys.
  ///   - settings: the runtime's settings.
  ///   - payloads: the coding of payloads.
  init(
    _ ids: [LedgerID], _ ledgers: StoreReading?, _ reading: StoreReading, _ settings: PlanSettings,
    _ payloads: StoredPayloads
  ) {
    self.settings = settings
    self.payloads = payloads
    now = reading.time
    for id in ids {
      let record = ledgers?.ledgers[id]
      holders[id] = Holder(
        ledger: record?.ledger?.unique, precondition: record.map { .version($0.version) } ?? .absent)
    }
    for (id, record) in reading.runs {
      guard let run = try? record.run.get() else { continue }
      planned[id] = PlannedRun(run: run, precondition: .version(record.version))
    }
    unreadable = Set(reading.runs.values.filter(\.isUnreadable).map(\.id))
  }

  /// Plans the requests with unique keys.
  ///
  /// - Parameters:
  ///   - drafts: the requests.
  ///   - runs: the runs that they would create.
  ///   - reading: the runs that are stored.
  mutating func add(_ drafts: [RunDraft], _ runs: [RunID: Run], _ reading: StoreReading) {
    var planned = Set<RunID>()
    for draft in drafts where reading.runs[draft.id] == nil && planned.insert(draft.id).inserted {
      guard let uniqueness = draft.unique, let run = runs[draft.id] else { continue }
      add(run, uniqueness, retention: draft.definition.policy.retention)
    }
  }

  /// Plans a request.
  ///
  /// - Parameters:
  ///   - run: the run that it would create.
  ///   - uniqueness: the uniqueness that it asks for.
  ///   - retention: the retention of a run's record.
  mutating func add(_ run: Run, _ uniqueness: Uniqueness, retention: Retention) {
    let id = LedgerID.unique(run.job, key: uniqueness.key)
    let holder = holders[id]?.ledger
    if let holder, unreadable.contains(holder.run) { return results[run.id] = holder.run }
    let plan = planUnique(
      UniqueInput(
        uniqueness, run: run, holder: holder, existing: holder.flatMap { planned[$0.run]?.run }, retention: retention,
        now: now, settings: settings))
    switch plan {
    case .keep(let other): results[run.id] = other
    case .update(var other):
      results[run.id] = other.id
      // An encryption may bind the input to its run.
      if let input = try? payloads.moved(other, from: run) { other.input = input.input }
      change(other)
    case .create(let run, let ledger, let cancelled):
      if let cancelled {
        change(cancelled)
        // One that this call itself was about to create has neither a task nor an end to report.
        if !created.contains(cancelled.id) { replaced.append(cancelled) }
      }
      planned[run.id] = PlannedRun(run: run, precondition: .absent, isChanged: true)
      created.insert(run.id)
      holders[id]?.ledger = ledger
      holders[id]?.isChanged = true
    }
  }

  /// Changes a run that is stored or that a plan has created.
  mutating func change(_ run: Run) {
    planned[run.id]?.run = run
    planned[run.id]?.isChanged = true
  }

  /// The runs as they become, those that stay as they are among them.
  var runs: [RunID: Run] { planned.mapValues(\.run) }

  /// The writes of the plans; a kept run makes no write, so that its key's ledger may change meanwhile.
  var writes: [Write] {
    let runs = planned.sorted { $0.key < $1.key }.map(\.value).filter(\.isChanged)
    let ledgers = holders.sorted { $0.key < $1.key }.filter(\.value.isChanged)
    return runs.map { .putRun($0.run, $0.precondition) }
      + ledgers.map { .putLedger($0.key, $0.value.ledger.map { .unique($0) }, $0.value.precondition) }
  }
}
