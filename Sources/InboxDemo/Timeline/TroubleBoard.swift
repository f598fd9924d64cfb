import CloudJobs
import CloudJobsCore
import Synchronization

/// Tells on the console when something that the demo depends on fails, once, and when it works again.
final class TroubleBoard: Sendable {
  /// What can be in trouble.
  enum Part: Hashable {
    case reading
    case writing
    case emulator

    var failure: String {
      switch self {
      case .reading: "The store can't be read"
      case .writing: "The store can't be written"
      case .emulator: "The emulator does not answer as it should"
      }
    }

    var recovery: String {
      switch self {
      case .reading: "The store can be read again"
      case .writing: "The store can be written again"
      case .emulator: "The emulator answers again"
      }
    }
  }

  private let clock: any JobClock
  private let write: @Sendable (String) -> Void
  private let since = Mutex<[Part: Timestamp]>([:])

  /// A board that writes lines to the console, or where a test wants them.
  init(clock: any JobClock, write: @escaping @Sendable (String) -> Void = { Console.write($0) }) {
    self.clock = clock
    self.write = write
  }

  /// Takes note of a failure.
  func failed(_ part: Part, _ reason: String) {
    let now = clock.now()
    let isNew = since.withLock { since in
      defer { since[part] = since[part] ?? now }
      return since[part] == nil
    }
    if isNew { write("! \(part.failure): \(Console.printable(reason)) Trying until it works.") }
  }

  /// Takes note of a success.
  func worked(_ part: Part) {
    guard let begin = since.withLock({ $0.removeValue(forKey: part) }) else { return }
    write("! \(part.recovery), after \((clock.now() - begin).components.seconds) s.")
  }
}

/// A store that reports its troubles to a board.
final class WatchedStore<Base: JobStore>: JobStore {
  private let base: Base
  private let board: TroubleBoard

  init(_ base: Base, _ board: TroubleBoard) {
    self.base = base
    self.board = board
  }

  func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading {
    try await watch(.reading) { () async throws(StoreError) in try await base.read(jobs: jobs, runs: runs) }
  }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await watch(.reading) { () async throws(StoreError) in try await base.dueJobs(after: cursor, limit: limit) }
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await watch(.reading) { () async throws(StoreError) in try await base.wakingRuns(after: cursor, limit: limit) }
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await watch(.reading) { () async throws(StoreError) in try await base.jobs(after: cursor, limit: limit) }
  }

  func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    try await watch(.reading) { () async throws(StoreError) in
      try await base.runs(matching: filter, after: cursor, limit: limit)
    }
  }

  func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [JournalEntry] {
    try await watch(.reading) { () async throws(StoreError) in try await base.journal(until: time, limit: limit) }
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try await watch(.writing) { () async throws(StoreError) in try await base.commit(writes) }
  }

  private func watch<Result>(
    _ part: TroubleBoard.Part, _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    do throws(StoreError) {
      let result = try await call()
      board.worked(part)
      return result
    } catch {
      switch error.code {
      case .unavailable, .unknownOutcome: board.failed(part, error.message)
      // The store has answered.
      case .conflict: board.worked(part)
      case .invalid: break
      }
      throw error
    }
  }
}

extension WatchedStore: PurgingStore where Base: PurgingStore {
  func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    try await watch(.writing) { () async throws(StoreError) in try await base.purgeExpired(limit: limit) }
  }

  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    try await watch(.writing) { () async throws(StoreError) in try await base.purgeJournal(before: time, limit: limit) }
  }
}

extension JobStore {
  /// This store, with its troubles told on a board.
  func watched(by board: TroubleBoard) -> any JobStore { WatchedStore(self, board) }
}
