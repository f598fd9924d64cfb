import CloudJobsCore
import Synchronization

/// The deadlines of all attempts of one runtime: one timer for all of them, which sleeps until the earliest.
///
/// It sleeps on the runtime's clock, so in a simulation deadlines pass in virtual time.
///
/// On the system's clock it sleeps on after the last deadline is removed, so that attempts which follow one another
/// start no timers. In a simulation it does not: each of its sleepers is a time at which something may happen.
final class Deadlines: Sendable {
  private struct Entry: Comparable, Sendable {
    var deadline: Timestamp
    var number: Int

    static func < (left: Entry, right: Entry) -> Bool {
      (left.deadline, left.number) < (right.deadline, right.number)
    }
  }

  private struct State {
    var entries = MinimumHeap<Entry>()
    /// The actions of the deadlines that have neither passed nor been removed.
    var actions: [Int: @Sendable () -> Void] = [:]
    var lastNumber = 0
    /// The task that sleeps, if any.
    var sleeper: Task<Void, Never>?
    /// The time at which it wakes.
    var wakeAt = Timestamp.distantFuture

    /// The earliest deadline; entries that were removed are dropped.
    mutating func earliest() -> Entry? {
      while let first = entries.first, actions[first.number] == nil { entries.removeFirst() }
      return entries.first
    }

    /// Removes the actions whose deadline has passed, in the order of their deadlines.
    mutating func due(at now: Timestamp) -> [@Sendable () -> Void] {
      var due: [@Sendable () -> Void] = []
      while let first = earliest(), first.deadline <= now {
        entries.removeFirst()
        if let action = actions.removeValue(forKey: first.number) { due.append(action) }
      }
      return due
    }
  }

  private let state = Mutex(State())
  private let clock: any JobClock
  private let executor: (any TaskExecutor)?
  private let sleepsOn: Bool

  /// Creates an empty set of deadlines.
  ///
  /// - Parameters:
  ///   - clock: the clock of the deadlines.
  ///   - executor: the executor of the task that sleeps; nil for the shared pool.
  init(clock: any JobClock, executor: (any TaskExecutor)?) {
    self.clock = clock
    self.executor = executor
    sleepsOn = clock is SteadyClock
  }

  /// Adds a deadline.
  ///
  /// - Parameters:
  ///   - deadline: the time.
  ///   - action: called once when the time has come; it must return immediately.
  /// - Returns: the number by which the deadline is removed.
  func add(_ deadline: Timestamp, _ action: @escaping @Sendable () -> Void) -> Int {
    state.withLock { state in
      state.lastNumber += 1
      state.actions[state.lastNumber] = action
      state.entries.insert(Entry(deadline: deadline, number: state.lastNumber))
      if deadline < state.wakeAt {
        state.sleeper?.cancel()
        sleep(until: deadline, &state)
      }
      return state.lastNumber
    }
  }

  /// Removes a deadline; one that has passed is ignored.
  func remove(_ number: Int) {
    state.withLock { state in
      state.actions[number] = nil
      if state.actions.isEmpty {
        state.entries.removeAll()
        if sleepsOn { return }
        state.sleeper?.cancel()
        (state.sleeper, state.wakeAt) = (nil, .distantFuture)
      } else {
        let live = state.actions
        state.entries.compact(liveCount: live.count) { live[$0.number] != nil }
      }
    }
  }

  /// The number of deadlines that have not passed.
  var count: Int { state.withLock { $0.actions.count } }

  /// Starts the task that sleeps until a time.
  private func sleep(until time: Timestamp, _ state: inout State) {
    state.wakeAt = time
    state.sleeper = Task(executorPreference: executor) { [self] in
      do { try await clock.sleep(until: time) } catch { return }
      // A cancelled sleep that ends at the same time leaves the work to its successor.
      if !Task.isCancelled { wake() }
    }
  }

  /// Calls the actions that are due, and sleeps until the next deadline.
  private func wake() {
    let now = clock.now()
    let due = state.withLock { state in
      let due = state.due(at: now)
      // An earlier deadline may have been added meanwhile, and have started another sleeper.
      state.sleeper?.cancel()
      (state.sleeper, state.wakeAt) = (nil, .distantFuture)
      if let next = state.earliest() { sleep(until: next.deadline, &state) }
      return due
    }
    for action in due { action() }
  }
}
