#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// A place in the log of a run: a line of an entry.
struct LogPosition: Hashable, Comparable, Sendable {
  /// The sequence of the entry.
  var sequence: Int64
  /// The number of the line in the entry, from 0.
  var line: Int

  /// The place before every line.
  static let start = LogPosition(sequence: -1, line: 0)

  init(sequence: Int64, line: Int) { (self.sequence, self.line) = (sequence, line) }

  /// Reads a place from its text; nil if it is none.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let sequence = Int64(parts[0]), let line = Int(parts[1]), sequence >= -1, line >= 0 else {
      return nil
    }
    self.init(sequence: sequence, line: line)
  }

  /// The place as a text, for a link or the id of an event.
  var text: String { "\(sequence).\(line)" }

  /// The number of the attempt.
  var attempt: Int { Int(sequence >> 20) }

  static func < (left: LogPosition, right: LogPosition) -> Bool {
    (left.sequence, left.line) < (right.sequence, right.line)
  }
}

/// A line of a log with its place.
struct PlacedLine: Hashable, Sendable {
  /// The place.
  var position: LogPosition
  /// The line.
  var line: RunLogLine
}

/// The lines of a log that a page shows.
struct LogWindow: Sendable {
  /// The lines, oldest first.
  var lines: [PlacedLine] = []
  /// Whether there may be earlier lines.
  var hasEarlier = false

  /// The place of the last line; that before every line if there are none.
  var end: LogPosition { lines.last?.position ?? .start }
}

/// Reads a run's log from the end backwards, attempt by attempt.
struct RunLogReader: Sendable {
  /// The number of lines of a page.
  static let pageSize = 500
  /// The maximum number of attempts that are read for a page.
  static let maximumAttempts = 30

  /// The runtime.
  let runtime: JobRuntime
  /// The run.
  let run: Run

  /// Returns the latest lines before a place.
  ///
  /// - Parameter place: the place; nil for the end of the log.
  /// - Returns: the lines.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  func latest(before place: LogPosition? = nil) async throws(JobError) -> LogWindow {
    var window = LogWindow()
    // A place from outside may name any attempt.
    var attempt = min(place.map(\.attempt) ?? run.attempt, run.attempt)
    var reads = 0
    while attempt >= 0, window.lines.count < Self.pageSize, reads < Self.maximumAttempts {
      let lines = try await lines(ofAttempt: attempt).filter { line in place.map { line.position < $0 } ?? true }
      let missing = Self.pageSize - window.lines.count
      if lines.count > missing { window.hasEarlier = true }
      window.lines = lines.suffix(missing) + window.lines
      attempt -= 1
      reads += 1
    }
    if attempt >= 1 { window.hasEarlier = true }
    return window
  }

  private func lines(ofAttempt attempt: Int) async throws(JobError) -> [PlacedLine] {
    let (first, end) = (
      RunLogEntry.sequence(attempt: attempt, number: 0), RunLogEntry.sequence(attempt: attempt + 1, number: 0)
    )
    var lines: [PlacedLine] = []
    var last = first - 1
    while true {
      let entries = try await runtime.logEntries(ofRun: run.id, after: last)
      for entry in entries where entry.sequence < end { lines += Self.placed(entry) }
      guard entries.count == StoreLimits.batch, let sequence = entries.last?.sequence, sequence < end else {
        return lines
      }
      last = sequence
    }
  }

  /// Returns the lines of an entry with their places.
  static func placed(_ entry: RunLogEntry) -> [PlacedLine] {
    entry.lines.enumerated().map { index, line in
      PlacedLine(position: LogPosition(sequence: entry.sequence, line: index), line: line)
    }
  }
}

/// A line of a log as pages and streams show it.
struct LogLineView: Sendable {
  /// The maximum length of a line, in Unicode scalars.
  static let maximumText = 2_000

  var lineTime: String
  var lineLevel: String
  var lineText: String

  /// Creates the view of a line.
  init(_ line: RunLogLine) {
    let text = PageTime.exact(line.time)
    let fraction = "\(line.time)".drop { $0 != "." }.prefix { $0 != "Z" }.prefix(4)
    lineTime = text.split(separator: " ").dropFirst().first.map { "\($0)\(fraction)" } ?? text
    lineLevel = String(line.level.prefix(10))
    let metadata = line.metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    lineText = BoundedText.cut(line.message + metadata, to: Self.maximumText)
  }

  /// The data of an event.
  var json: JSONValue { ["time": .string(lineTime), "level": .string(lineLevel), "text": .string(lineText)] }
}

/// The log of a run: a stream of new lines, and pages of earlier ones.
struct RunLogPages: Sendable {
  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  /// Answers a request for the lines after a place, as they come.
  ///
  /// The place is that of the header `Last-Event-ID`, with which browsers connect again, or of the parameter `after`.
  func stream(of id: RunID, _ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    guard let run = try await context.runtime.run(withID: id) else { throw .noRun(id) }
    let place = context.lastEventID ?? request.query["after"]
    guard let position = LogPosition(place ?? LogPosition.start.text) else {
      throw JobError(.invalidField, "The place in the log is invalid. Leave it out.", field: "after")
    }
    guard let ticket = context.streams.take() else {
      throw JobError(
        .overloaded,
        "\(context.streams.limit) logs are followed already. Close some, or reload the page for more lines.")
    }
    return .events(RunLogStream(context.runtime, run.id, after: position, ticket).events)
  }

  /// Answers a request for a page of lines.
  func page(of id: RunID, _ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    guard let run = try await context.runtime.run(withID: id) else { throw .noRun(id) }
    var place: LogPosition?
    if let text = request.query["before"] {
      place = LogPosition(text)
      if place == nil {
        throw JobError(.invalidField, "The place in the log is invalid. Leave it out.", field: "before")
      }
    }
    let window = try await RunLogReader(runtime: context.runtime, run: run).latest(before: place)
    return context.page(
      RunLogView(window, run, context), "run_log", title: "Log of run \(id.rawValue.prefix(8))",
      segment: RunPages.segment, isLive: false)
  }
}

/// A page of a log.
struct RunLogView: Sendable {
  var logLines: [LogLineView]
  var hasLines: Bool
  var earlierLink: String?
  var latestLink: String
  var backLink: String

  /// Creates the page.
  init(_ window: LogWindow, _ run: Run, _ context: DashboardContext) {
    let page = context.link(RunPages.segment, run.id.rawValue)
    logLines = window.lines.map { LogLineView($0.line) }
    hasLines = !window.lines.isEmpty
    earlierLink = Self.earlierLink(window, page)
    (latestLink, backLink) = (page.appending("lines").href, page.href)
  }

  /// Returns the link to the lines before those of a window; nil if there are none.
  static func earlierLink(_ window: LogWindow, _ page: PageLink) -> String? {
    guard window.hasEarlier, let first = window.lines.first else { return nil }
    return page.appending("lines").with("before", first.position.text).href
  }
}
#endif
