#if HTTP
import CloudJobs
import CloudJobsCore
import Synchronization

/// The order in which the commits of this process change ledgers: one at a time, since two at once would conflict.
///
/// While one commit is under way, others that change the same ledgers gather; the next one takes all of them. So the
/// limits of many runs cost one write, and few conflicts with other processes.
final class LedgerQueue: Sendable {
  /// The result of a commit.
  typealias Answer = Result<Timestamp, StoreError>

  /// What a commit is told that waits in a gathering.
  private enum Turn: Sendable {
    /// It was committed by another one, or refused.
    case answered(Answer)
    /// It commits the gathering.
    case leads
  }

  private struct Waiting: Sendable {
    var writes: [Write]
    var turn: CheckedContinuation<Turn, Never>
  }

  private struct State: Sendable {
    /// The commits that wait behind one that changes the same ledgers; absent where none is under way.
    var gatherings: [[LedgerID]: [Waiting]] = [:]
    /// Those that wait for a ledger that is in use; absent where it is not.
    var entering: [LedgerID: [CheckedContinuation<Void, Never>]] = [:]
  }

  private let state = Mutex(State())

  /// Commits writes that change ledgers, alone or together with others.
  ///
  /// - Parameters:
  ///   - writes: the writes.
  ///   - ids: the ledgers that they change, at least one.
  ///   - perform: commits the writes of some callers, each all or none, and returns their results.
  /// - Returns: the time of the commit.
  /// - Throws: the error of `perform`.
  func commit(
    _ writes: [Write], changing ids: Set<LedgerID>, _ perform: ([[Write]]) async -> [Answer]
  ) async throws(StoreError) -> Timestamp {
    let key = ids.sorted()
    let turn = await withCheckedContinuation { continuation in
      let leads = state.withLock { state in
        if state.gatherings[key] == nil {
          state.gatherings[key] = []
          return true
        }
        state.gatherings[key]?.append(Waiting(writes: writes, turn: continuation))
        return false
      }
      if leads { continuation.resume(returning: .leads) }
    }
    if case .answered(let answer) = turn { return try answer.get() }
    await enter(key)
    let others = take(with: writes, from: key)
    let answers = await perform([writes] + others.map(\.writes))
    leave(key)
    for (other, answer) in zip(others, answers.dropFirst()) { other.turn.resume(returning: .answered(answer)) }
    passOn(key)
    return try answers[0].get()
  }

  /// Takes the commits that go together with one.
  private func take(with writes: [Write], from key: [LedgerID]) -> [Waiting] {
    state.withLock { state in
      let waiting = state.gatherings[key] ?? []
      let chosen = LedgerGroup.indices(waiting.map(\.writes), with: writes)
      state.gatherings[key] = waiting.indices.filter { !chosen.contains($0) }.map { waiting[$0] }
      return chosen.map { waiting[$0] }
    }
  }

  /// Lets the first of those that still wait commit the gathering.
  private func passOn(_ key: [LedgerID]) {
    let next = state.withLock { state -> Waiting? in
      guard let waiting = state.gatherings[key], !waiting.isEmpty else {
        state.gatherings[key] = nil
        return nil
      }
      return state.gatherings[key]?.removeFirst()
    }
    next?.turn.resume(returning: .leads)
  }

  /// Waits until no other commit of this process changes any of some ledgers; they are taken in their order, so that
  /// two callers never wait for each other.
  private func enter(_ ids: [LedgerID]) async {
    for id in ids {
      await withCheckedContinuation { continuation in
        let isFree = state.withLock { state in
          guard state.entering[id] != nil else {
            state.entering[id] = []
            return true
          }
          state.entering[id]?.append(continuation)
          return false
        }
        if isFree { continuation.resume() }
      }
    }
  }

  /// Lets the next commit change the ledgers.
  private func leave(_ ids: [LedgerID]) {
    for id in ids {
      let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
        guard state.entering[id]?.isEmpty == false else {
          state.entering[id] = nil
          return nil
        }
        return state.entering[id]?.removeFirst()
      }
      next?.resume()
    }
  }
}

/// The commits that are made together: pure.
enum LedgerGroup {
  /// The maximum number of writes of a group, apart from its first commit.
  static let maximumWrites = 200

  /// Returns the commits that go together with one: those that concern no document of another one, ledgers apart.
  ///
  /// - Parameters:
  ///   - waiting: the writes of those that wait, in their order.
  ///   - first: the writes of the one.
  /// - Returns: their indices, in order.
  static func indices(_ waiting: [[Write]], with first: [Write]) -> [Int] {
    var (targets, count) = (Set(first.compactMap { target(of: $0) }), first.count)
    var indices = [Int]()
    for (index, writes) in waiting.enumerated() {
      let own = writes.compactMap { target(of: $0) }
      guard count + writes.count <= maximumWrites, targets.isDisjoint(with: own) else { continue }
      targets.formUnion(own)
      count += writes.count
      indices.append(index)
    }
    return indices
  }

  /// Returns the writes of a group as one commit, in which each ledger is written once.
  static func writes(_ group: [[Write]]) -> [Write] {
    var ledgers = Set<LedgerID>()
    return group.joined().filter { write in
      if case .changeLedger(let id, _) = write { ledgers.insert(id).inserted } else { true }
    }
  }

  /// The changes of a group's ledgers.
  struct Plan: Sendable {
    /// The ledgers that are changed, as they become.
    var ledgers: [LedgerID: FirestoreLedgers.Change] = [:]
    /// The commits that a ledger refuses, by their index.
    var refusals: [Int: StoreError] = [:]
  }

  /// Decides on the changes of a group's ledgers, in the order of the commits.
  ///
  /// - Parameters:
  ///   - group: the writes of each commit.
  ///   - known: the ledgers as stored, each with the time as of which it is.
  /// - Returns: the plan.
  static func plan(_ group: [[Write]], _ known: [LedgerID: (record: LedgerRecord?, asOf: Timestamp)]) -> Plan {
    var accounts = known.mapValues { known in
      var account = known.record?.ledger?.limits ?? LimitLedger()
      account.refresh(changedAt: known.record?.changedAt, at: known.asOf)
      return account
    }
    var plan = Plan()
    for (index, writes) in group.enumerated() {
      var changed = accounts
      do throws(LedgerFault) {
        for case .changeLedger(let id, let change) in writes {
          guard let now = known[id]?.asOf else { continue }
          try changed[id]?.applyNext(change, at: now)
        }
        accounts = changed
      } catch {
        plan.refusals[index] = StoreError(error)
      }
    }
    for (id, account) in accounts {
      plan.ledgers[id] = FirestoreLedgers.Change(changedAt: known[id]?.record?.changedAt, ledger: .limits(account))
    }
    return plan
  }

  private static func target(of write: Write) -> StoreLimits.Target? {
    if case .changeLedger = write { nil } else { StoreLimits.Target(write) }
  }
}
#endif
