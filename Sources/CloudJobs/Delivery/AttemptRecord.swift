import CloudJobsCore
import Synchronization

/// The record of an attempt under way: its run with the latest checkpoint and progress, and what is to be committed
/// with it.
///
/// Writes are made one at a time, under the attempt's fencing token. Progress and log lines are written at most once a
/// second, with the next report, the next checkpoint, the next tick or the end of the attempt.
final class AttemptRecord: Sendable {
  /// The minimum time between two writes of progress.
  static let writeInterval = Duration.seconds(1)

  private struct State {
    var run: Run
    var isDirty = false
    var isClosed = false
    var lastWrite: Timestamp
    var log: LogBuffer
    /// The runs to record with the attempt's success.
    var outbox: [RunDraft] = []
  }

  /// Opens when the handler must stop.
  let stop = StopSignal()
  /// The checkpoint from which the attempt resumes.
  let start: JSONText?
  private let state: Mutex<State>
  private let turns = Turns()
  private let services: RuntimeServices

  /// Whether runs can be requested with the attempt's success: not in a subprocess, which does not commit it, and not
  /// in a run without a record.
  let takesRequests: Bool
  /// Whether the run is in the store.
  private let isRecorded: Bool

  init(
    _ run: Run, at time: Timestamp, _ services: RuntimeServices, isInSubprocess: Bool = false, isRecorded: Bool = true
  ) {
    start = run.checkpoint
    takesRequests = !isInSubprocess && isRecorded
    self.isRecorded = isRecorded
    let expireAt = time + services.options.logRetention
    let log = LogBuffer(
      run: run.id, attempt: run.attempt, expireAt: expireAt, firstEntry: isInSubprocess ? LogBuffer.subprocessEntry : 0)
    state = Mutex(State(run: run, lastWrite: services.steadyClock.now(), log: log))
    self.services = services
  }

  /// The run as far as it is known here.
  var run: Run { state.withLock { $0.run } }

  /// The runs to record with the attempt's success.
  var outbox: [RunDraft] { state.withLock { $0.outbox } }

  // MARK: What the handler reports

  /// Changes the progress, and writes it unless a write is younger than ``writeInterval``.
  func report(_ change: (inout RunProgress) -> Void) async {
    let isDue = state.withLock { state in
      guard !state.isClosed else { return false }
      var progress = state.run.progress ?? RunProgress()
      change(&progress)
      state.run.progress = progress
      state.isDirty = true
      return services.steadyClock.now() - state.lastWrite >= Self.writeInterval
    }
    // A report that can't be written now is written with the next one, or with the attempt's end.
    if isDue { try? await write() }
  }

  /// Stores a checkpoint, and returns once it is durable.
  ///
  /// One that the store refuses is forgotten, so that what follows can be stored.
  ///
  /// - Throws: ``JobError`` `leaseLost` if another attempt has taken over the run, `storeRejected` if the store refuses
  ///   the checkpoint, `storeUnavailable`.
  func save(checkpoint: JSONText) async throws(JobError) {
    let before = state.withLock { $0.run.checkpoint }
    set(checkpoint: checkpoint)
    do throws(JobError) {
      try await write()
    } catch {
      if error.code == .storeRejected {
        state.withLock { if $0.run.checkpoint == checkpoint { $0.run.checkpoint = before } }
      }
      throw error
    }
  }

  /// Sets the checkpoint, which the attempt's end stores.
  func set(checkpoint: JSONText) {
    state.withLock { state in
      state.run.checkpoint = checkpoint
      state.isDirty = true
    }
  }

  /// Adds a line to the run's log.
  func add(_ line: RunLogLine) {
    state.withLock { state in
      if !state.isClosed { state.log.add(line) }
    }
  }

  /// Adds runs to record with the attempt's success.
  func add(_ drafts: [RunDraft]) {
    state.withLock { $0.outbox += drafts }
  }

  // MARK: Writing

  /// Writes what waits to be written, and asks for requests to cancel the attempt.
  func tick() async {
    if !isRecorded { return }
    let isDirty = state.withLock { $0.isDirty || $0.log.hasLines }
    if isDirty {
      try? await write()
    } else if let reading = try? await services.client.read(runs: [run.id]) {
      adopt(reading.runs[run.id].flatMap { try? $0.run.get() })
    }
  }

  /// Writes what waits to be written, for a subprocess that ends.
  func flush() async {
    if state.withLock({ $0.isDirty || $0.log.hasLines }) { try? await write() }
  }

  /// Takes what a subprocess has stored for the attempt.
  func reload() async {
    guard let reading = try? await services.client.read(runs: [run.id]),
      let stored = try? reading.runs[run.id]?.run.get()
    else { return }
    state.withLock { state in
      guard stored.fence == state.run.fence else { return }
      (state.run.checkpoint, state.run.progress) = (stored.checkpoint, stored.progress)
    }
    adopt(stored)
  }

  /// Takes the changes that others made to the stored run; the handler is stopped if it lost the run or must stop.
  func adopt(_ stored: Run?) {
    let mustStop = state.withLock { state in
      guard let stored, stored.fence == state.run.fence, stored.status == .running else { return true }
      state.run = state.run.adoptingAmendments(of: stored)
      return state.run.cancellation != nil
    }
    if mustStop { stop.open() }
  }

  /// Writes the run and the buffered lines.
  private func write() async throws(JobError) {
    if !isRecorded { return }
    await turns.take()
    defer { turns.give() }
    let committer = RunCommitter(services)
    while true {
      let (run, entry, isClosed) = state.withLock { state in
        state.isDirty = false
        return (state.run, state.isClosed ? nil : state.log.entry(), state.isClosed)
      }
      if isClosed { throw .attemptEnded }
      let result: RunCommitter.AttemptCommit
      do throws(StoreError) {
        result = try await committer.update(run, with: entry.map { [.putLog($0)] } ?? [])
      } catch {
        state.withLock { state in
          state.isDirty = true
          if let entry { state.log.restore(entry) }
        }
        throw JobError(error)
      }
      switch result {
      case .committed:
        state.withLock { $0.lastWrite = services.steadyClock.now() }
        return
      case .amended(let stored):
        if let entry { state.withLock { $0.log.restore(entry) } }
        adopt(stored)
      case .lost:
        stop.open()
        throw .attemptEnded
      }
    }
  }

  /// Ends the writing: what the handler reports from now on is ignored.
  ///
  /// - Returns: the run, and the entries of its log that were not written yet.
  func close() async -> (run: Run, log: [RunLogEntry]) {
    await turns.take()
    defer { turns.give() }
    return state.withLock { state in
      state.isClosed = true
      return (state.run, state.log.allEntries())
    }
  }

  /// Returns an entry of the log of an attempt whose record is closed.
  func entry(saying text: String) -> RunLogEntry? {
    let line = RunLogLine(time: services.clock.now(), level: "error", message: text)
    return state.withLock { state in
      state.log.add(line)
      return state.log.entry()
    }
  }
}

/// The signal that a handler must stop.
final class StopSignal: Sendable {
  private struct State {
    var isOpen = false
    var call: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// Whether the handler must stop.
  var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Gives the signal; only the first time counts.
  func open() {
    let call = state.withLock { state in
      let call = state.isOpen ? nil : state.call
      state.isOpen = true
      return call
    }
    call?()
  }

  /// Sets the function that the signal calls; called at once if the signal was given already.
  func onOpen(_ call: (@Sendable () -> Void)?) {
    let isOpen = state.withLock { state in
      state.call = call
      return state.isOpen
    }
    if isOpen { call?() }
  }
}

/// A mutual exclusion of asynchronous work, in the order of arrival.
final class Turns: Sendable {
  private struct State {
    var isTaken = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// Waits for the turn.
  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.isTaken {
          state.waiting.append(continuation)
          return false
        }
        state.isTaken = true
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  /// Gives the turn to the next in line.
  func give() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isTaken = false
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}

extension JobError {
  /// The refusal of a write by an attempt that does not hold its run any more.
  static let attemptEnded = JobError(
    .leaseLost, "The attempt has ended, or another one has taken over the run. Stop the handler.")
}
