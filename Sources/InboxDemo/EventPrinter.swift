import CloudJobs
import CloudJobsCore
import Foundation
import Synchronization

/// A printer of job events: a line for each notable event, and one line for many similar ones.
struct EventPrinter: Sendable {
  let progress: ScanProgress
  let start: Timestamp

  /// The number of similar events in an interval beyond which they share a line.
  static let alikeLimit = 5
  private static let interval = Duration.milliseconds(500)

  /// Prints until the events end.
  func run(_ events: AsyncStream<JobEvent>, clock: any JobClock) async {
    let pending = PendingEvents()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await event in events {
          if event.name == .duplicate { progress.countDuplicate() }
          pending.add(event)
        }
        pending.close()
      }
      group.addTask {
        repeat {
          try? await clock.sleep(until: clock.now() + Self.interval)
          show(pending.take())
        } while !pending.isClosed
        show(pending.take())
      }
    }
  }

  private func show(_ events: [JobEvent]) {
    for line in lines(for: events) { Console.write(line) }
  }

  /// Returns the lines for some events, in order.
  func lines(for events: [JobEvent]) -> [String] {
    let silent: Set<JobEvent.Name> = [.started, .completed, .event, .log]
    let told = events.filter { !silent.contains($0.name) && !($0.job == DemoJobs.scan && $0.name == .succeeded) }
    let done = told.filter { $0.name == .succeeded && $0.job == DemoJobs.ingest }
    guard done.count > Self.alikeLimit, let last = done.last else { return told.map { line(for: $0) } }
    let others = told.filter { !($0.name == .succeeded && $0.job == DemoJobs.ingest) }.map { line(for: $0) }
    let fastest = done.compactMap(\.duration).min() ?? .zero
    let slowest = done.compactMap(\.duration).max() ?? .zero
    let summary =
      "\(clockText(last.time))  ✔ \(pad(last.job.rawValue))  \(done.count) files, "
      + "\(Self.milliseconds(fastest)) to \(Self.milliseconds(slowest)) each; the last was \(subject(of: last))"
    return others + [summary]
  }

  private func line(for event: JobEvent) -> String {
    var parts = ["\(clockText(event.time))  \(Self.mark(event.name)) \(pad(event.job.rawValue))  \(subject(of: event))"]
    if let attempt = event.attempt, attempt > 1 || event.failure != nil { parts.append("attempt \(attempt)") }
    if let duration = event.duration { parts.append(Self.milliseconds(duration)) }
    if let failure = event.failure, event.name != .succeeded { parts.append(failure.message) }
    if let next = event.next { parts.append("again in \(Self.milliseconds(next - event.time))") }
    if event.failure == nil, let reason = event.reason { parts.append(reason) }
    return parts.filter { !$0.isEmpty }.joined(separator: " · ")
  }

  private func subject(of event: JobEvent) -> String {
    Console.printable(event.runID.flatMap { progress.name(of: $0) } ?? "")
  }

  private func clockText(_ time: Timestamp) -> String {
    let milliseconds = max(0, (time - start).microseconds / 1_000)
    return String(
      format: "%02d:%02d.%03d", milliseconds / 60_000, milliseconds / 1_000 % 60, milliseconds % 1_000)
  }

  private func pad(_ text: String) -> String {
    text.padding(toLength: max(14, text.count), withPad: " ", startingAt: 0)
  }

  private static func milliseconds(_ span: Duration) -> String {
    let microseconds = max(0, span.microseconds)
    return microseconds < 10_000_000
      ? "\(microseconds / 1_000).\(microseconds / 100 % 10) ms" : "\(microseconds / 1_000_000) s"
  }

  private static func mark(_ name: JobEvent.Name) -> String {
    switch name {
    case .started, .completed, .event, .log: "▶"
    case .succeeded: "✔"
    case .failed: "✘"
    case .skipped: "–"
    case .retrying: "↻"
    case .snoozed: "…"
    case .duplicate: "="
    case .leaseLost, .breakerOpened, .breakerClosed, .blocking: "!"
    }
  }
}

/// The events that wait to be printed.
final class PendingEvents: Sendable {
  private let state = Mutex<(events: [JobEvent], isClosed: Bool)>(([], false))

  func add(_ event: JobEvent) {
    state.withLock { $0.events.append(event) }
  }

  /// Removes and returns the events since the last call.
  func take() -> [JobEvent] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events
    }
  }

  func close() {
    state.withLock { $0.isClosed = true }
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }
}
