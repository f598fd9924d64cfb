import CloudJobs
public import CloudJobsCore
import CloudJobsEmulator

extension SimulatedRuntime {
  /// Advances the time until no enqueued run is left: through retries, delays, and the runs that handlers enqueue.
  ///
  /// Schedules fire as the time passes, as they do in reality. The drain does not wait for the runs that they create,
  /// nor for those that these enqueue, so a periodic job does not keep it going; runs that exist at its beginning
  /// count, whatever created them.
  ///
  /// ```swift
  /// try await local.enqueue(WelcomeEmail(userID: "7"))
  /// let drained = try await local.drain()
  /// #expect(drained.succeeded == 1)
  /// ```
  ///
  /// - Parameters:
  ///   - span: the maximum virtual time; a day unless given.
  ///   - limit: the maximum number of attempts of all jobs.
  ///   - fileID: the file of the call.
  ///   - line: the line of the call.
  /// - Returns: the runs that ended. A failed run is no error.
  /// - Throws: ``TestFailure`` that names the runs that are left at a limit, or the errors of ``advance(by:)``.
  @discardableResult
  public func drain(
    within span: Duration = .seconds(86_400), attempts limit: Int = 5_000, fileID: String = #fileID, line: Int = #line
  ) async throws -> DrainSummary {
    let start = now
    var progress = DrainProgress(self, events: events.count)
    let isDrained = try await emulator.advance(to: start + span) {
      let isDone = try await progress.update()
      return isDone || progress.attempts > limit
    }
    let left = try await progress.left()
    guard left.isEmpty else {
      let runs = left.prefix(10).map { "\n  - \($0.summary)" } + (left.count > 10 ? ["\n  - and more"] : [])
      throw TestFailure(
        expected: "no enqueued run after \(isDrained ? "\(limit) attempts" : "\(span)")",
        found: "\(left.count):" + runs.joined(), fileID: fileID, line: line)
    }
    return DrainSummary(runs: try await progress.ended(), span: now - start)
  }
}

/// The runs that ended during a drain.
public struct DrainSummary: Hashable, Sendable, CustomStringConvertible {
  /// The runs, in the order of their ends.
  public var runs: [Run]
  /// The virtual time that passed.
  public var span: Duration

  /// The number of runs that succeeded.
  public var succeeded: Int { count(of: .succeeded) }
  /// The number of runs that became dead letters.
  public var failed: Int { count(of: .failed) }
  /// The number of runs that were cancelled.
  public var cancelled: Int { count(of: .cancelled) }

  private func count(of status: RunStatus) -> Int { runs.count { $0.status == status } }

  /// The counts, and each run that did not succeed.
  public var description: String {
    let others = runs.filter { $0.status != .succeeded }.prefix(10).map { "\n  - \($0.summary)" }
    return "\(succeeded) succeeded, \(failed) failed, \(cancelled) cancelled in \(span)" + others.joined()
  }
}

/// The runs that a drain waits for.
private struct DrainProgress {
  private let local: SimulatedRuntime
  private let firstEvent: Int
  private var seenEvents: Int
  /// The number of attempts so far.
  private(set) var attempts = 0
  /// Whether the drain waits for a run, as far as that is known.
  private var isAwaited: [RunID: Bool] = [:]
  /// The runs of the latest query that have not ended since; nil before the first query.
  private var open: Set<RunID>?
  /// The runs that a query has found.
  private var waited: Set<RunID> = []
  private var calls = 0

  /// The number of calls after which the store is asked although no event tells that all has ended: a run that a
  /// request with its unique key replaces has none.
  private static let callsPerQuery = 32

  init(_ local: SimulatedRuntime, events: Int) {
    self.local = local
    firstEvent = events
    seenEvents = events
  }

  /// Takes in what has happened since the last call.
  ///
  /// - Returns: whether no run is left. The store is asked when the last known run has ended, and at times.
  mutating func update() async throws -> Bool {
    calls += 1
    for event in local.events.dropFirst(seenEvents) {
      seenEvents += 1
      if event.name == .started { attempts += 1 }
      if event.name == .completed, let run = event.runID { open?.remove(run) }
    }
    if let open, !open.isEmpty, !calls.isMultiple(of: Self.callsPerQuery) { return false }
    return try await left().isEmpty
  }

  /// Returns the runs that have not ended.
  mutating func left() async throws -> [Run] {
    let runs = try await local.enqueued()
    if open == nil { for run in runs { isAwaited[run.id] = true } }
    var left: [Run] = []
    for run in runs where try await isAwaited(run) { left.append(run) }
    open = Set(left.map(\.id))
    waited.formUnion(left.map(\.id))
    return left
  }

  /// Returns the runs that have ended, in the order of their ends.
  mutating func ended() async throws -> [Run] {
    var ids: [RunID] = []
    for event in local.events.dropFirst(firstEvent) where event.name == .completed {
      if let id = event.runID { ids.append(id) }
    }
    ids += waited.subtracting(ids).sorted()
    var ended: [Run] = []
    for start in stride(from: 0, to: ids.count, by: StoreLimits.batch) {
      let batch = Array(ids.dropFirst(start).prefix(StoreLimits.batch))
      let reading = try await local.store.read(jobs: [], runs: batch)
      for id in batch {
        // A run whose retention has ended meanwhile is gone.
        guard let run = try reading.runs[id]?.run.get(), run.status.isTerminal, try await isAwaited(run) else {
          continue
        }
        ended.append(try local.runtime.opened(run))
      }
    }
    return ended
  }

  /// Returns whether the drain waits for a run: not if a schedule has created it meanwhile, or its parent.
  private mutating func isAwaited(_ run: Run) async throws -> Bool {
    if let known = isAwaited[run.id] { return known }
    var result = run.trigger != .schedule && run.trigger != .pass
    if let parent = run.parent {
      if let known = isAwaited[parent] {
        result = known
      } else if let stored = try await local.store.read(jobs: [], runs: [parent]).runs[parent]?.run.get() {
        result = try await isAwaited(stored)
      }
    }
    isAwaited[run.id] = result
    return result
  }
}
