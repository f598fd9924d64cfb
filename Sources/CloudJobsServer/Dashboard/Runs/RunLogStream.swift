#if Server
import CloudJobs
import CloudJobsCore
import ServiceLifecycle
import Synchronization

/// The number of logs that are followed at once in one process.
final class LogStreamBudget: Sendable {
  /// The maximum number of streams at once.
  let limit: Int
  private let count = Mutex(0)

  /// Creates a budget.
  init(limit: Int = 100) { self.limit = limit }

  /// The number of streams.
  var used: Int { count.withLock { $0 } }

  /// Takes a place; nil if all are taken.
  func take() -> Ticket? {
    count.withLock { count in
      guard count < limit else { return nil }
      count += 1
      return Ticket(self)
    }
  }

  /// A place, given back when nothing holds it any more.
  final class Ticket: Sendable {
    private let budget: LogStreamBudget

    fileprivate init(_ budget: LogStreamBudget) { self.budget = budget }

    deinit { budget.count.withLock { $0 -= 1 } }
  }
}

/// The lines of a run's log as server-sent events (<https://html.spec.whatwg.org/#server-sent-events>), until the run
/// has ended and its log is read to its end, or until the server shuts down.
///
/// Each event has the place of its line as its id, so that a browser that lost the connection goes on after the last
/// line that it got. The stream does its work in the task that reads it: it ends with it.
final class RunLogStream: Sendable {
  /// The time between looks at the store.
  static let pollInterval = Duration.seconds(1)
  /// The time after which a comment is sent if nothing else was.
  static let heartbeatInterval = Duration.seconds(15)
  /// The maximum number of entries of one look.
  static let batch = 20

  private struct State {
    var position: LogPosition
    var isOver = false
    var isFirst = true
    /// The time of the last bytes.
    var sentAt: Timestamp
  }

  private let runtime: JobRuntime
  private let id: RunID
  private let ticket: LogStreamBudget.Ticket
  private let state: Mutex<State>

  /// Creates a stream.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - id: the run.
  ///   - position: the place after which to begin.
  ///   - ticket: the place among the streams of the process, which is kept as long as the stream.
  init(_ runtime: JobRuntime, _ id: RunID, after position: LogPosition, _ ticket: LogStreamBudget.Ticket) {
    (self.runtime, self.id, self.ticket) = (runtime, id, ticket)
    state = Mutex(State(position: position, sentAt: runtime.clock.now()))
  }

  /// The events.
  var events: AsyncStream<[UInt8]> { AsyncStream { await self.next() } }

  /// Returns the next bytes; nil at the end.
  private func next() async -> [UInt8]? {
    let (isOver, isFirst) = state.withLock { state in
      defer { state.isFirst = false }
      return (state.isOver, state.isFirst)
    }
    if isOver { return nil }
    // Browsers take the stream for open with its first bytes.
    if isFirst { return Array("retry: 3000\n\n".utf8) }
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      if let bytes = await look() { return bytes }
      let now = runtime.clock.now()
      let isSilent = state.withLock { state in
        guard now - state.sentAt >= Self.heartbeatInterval else { return false }
        state.sentAt = now
        return true
      }
      if isSilent { return Array(": still there\n\n".utf8) }
      do {
        try await cancelWhenGracefulShutdown { [runtime] in try await runtime.clock.sleep(for: Self.pollInterval) }
      } catch {
        return nil
      }
    }
    return nil
  }

  /// Returns the events of new lines, or that of the end; nil if there is nothing new, or the store is unavailable.
  private func look() async -> [UInt8]? {
    let position = state.withLock { $0.position }
    do throws(JobError) {
      // The run first: what it logged before its end is read after that.
      let run = try await runtime.run(withID: id)
      // The entry of the last line may have more of them.
      let entries = try await runtime.logEntries(ofRun: id, after: position.sequence - 1, limit: Self.batch)
      let lines = entries.flatMap { RunLogReader.placed($0) }.filter { $0.position > position }
      if let last = lines.last {
        let now = runtime.clock.now()
        state.withLock { ($0.position, $0.sentAt) = (last.position, now) }
        return lines.flatMap { Self.event($0) }
      }
      // Entries without new lines may hide later ones only if there are as many as were asked for.
      guard run?.status.isTerminal ?? true else { return nil }
      state.withLock { $0.isOver = true }
      return Array("event: end\ndata: {}\n\n".utf8)
    } catch {
      return nil
    }
  }

  /// Returns the event of a line.
  ///
  /// Its data is one line, because JSON escapes line ends.
  static func event(_ line: PlacedLine) -> [UInt8] {
    Array("id: \(line.position.text)\nevent: line\ndata: ".utf8) + LogLineView(line.line).json.encoded
      + Array("\n\n".utf8)
  }
}
#endif
