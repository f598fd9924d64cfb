#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// A delivery, or the end of a task without one, as a row of a table.
struct DeliveryRow: Hashable, Sendable {
  /// The time at which it started.
  var startedAt: PageTime
  /// The short name of the task or job.
  var subjectName: String
  /// The path of its page; nil for a name that is none.
  var subjectHref: String?
  /// Whether it is a task's or a job's.
  var subjectKind: String
  /// The number of the attempt.
  var attemptNumber: Int
  /// Method and URL; empty for an end without a delivery.
  var requestLine: String
  /// The reason for the attempt.
  var startReason: String
  /// The kind of the outcome, a class of the style sheet.
  var outcomeKind: String
  /// The outcome in words.
  var outcomeText: String
  /// What follows from the outcome.
  var verdictText: String
  /// The time until the response; empty before it.
  var latencyText: String

  /// Returns the latest deliveries, newest first.
  ///
  /// - Parameters:
  ///   - entries: the entries of a trace, newest first.
  ///   - limit: the maximum number of rows.
  ///   - now: the time of the page.
  ///   - isWanted: returns whether a row of a subject, with its settlement if it has one, is wanted.
  /// - Returns: the rows.
  static func rows(
    _ entries: some Sequence<TraceEntry>, limit: Int, now: Timestamp,
    where isWanted: (_ subject: String, _ settlement: Settlement?) -> Bool = { _, _ in true }
  ) -> [DeliveryRow] {
    var ends: [DeliveryID: (time: Timestamp, settlement: Settlement)] = [:]
    var rows: [DeliveryRow] = []
    for entry in entries {
      if rows.count == limit { break }
      switch entry.event {
      case .settled(let settlement):
        if let id = settlement.id {
          ends[id] = (entry.time, settlement)
        } else if isWanted(settlement.subject, settlement) {
          rows.append(DeliveryRow(end: settlement, at: entry.time, now: now))
        }
      case .deliveryStarted(let id, let subject, let attempt, let method, let url, let reason):
        let end = ends[id]
        guard isWanted(subject, end?.settlement) else { continue }
        var row = DeliveryRow(subject: subject, attempt: attempt, at: entry.time, now: now)
        row.requestLine = "\(method.name) \(BoundedText.cut(url, to: 160))"
        row.startReason = reason
        if let end { row.set(end.settlement, after: end.time - entry.time) }
        rows.append(row)
      case .note: continue
      }
    }
    return rows
  }

  private init(subject: String, attempt: Int, at time: Timestamp, now: Timestamp) {
    startedAt = PageTime(time, now: now)
    attemptNumber = attempt
    let name = ResourceLink(subject)
    (subjectName, subjectHref, subjectKind) = (name.short, name.href, name.kind)
    (requestLine, startReason, latencyText, verdictText) = ("", "", "", "")
    (outcomeKind, outcomeText) = ("running", "in flight")
  }

  private init(end settlement: Settlement, at time: Timestamp, now: Timestamp) {
    self.init(subject: settlement.subject, attempt: settlement.attempt, at: time, now: now)
    set(settlement, after: nil)
  }

  private mutating func set(_ settlement: Settlement, after span: Duration?) {
    latencyText = span.map { PageNumber.text($0) } ?? ""
    let isSuccess = settlement.outcome?.isSuccess == true
    outcomeKind = isSuccess ? "succeeded" : "failed"
    outcomeText = settlement.outcome.map { "\($0)" } ?? "no attempt"
    switch settlement.verdict {
    case .succeeded: verdictText = ""
    case .retry(let time): verdictText = "next attempt at \(PageTime.exact(time))"
    case .abandoned(let rule): verdictText = "given up: \(rule)"
    case .ignored(let reason): verdictText = "ignored: \(reason)"
    }
    outcomeText = BoundedText.cut(outcomeText, to: 200)
    verdictText = BoundedText.cut(verdictText, to: 200)
  }
}

/// The page of a task, a queue or a job, by its full name.
struct ResourceLink: Hashable, Sendable {
  /// The ID, after that of the queue for a task.
  var short: String
  /// The path of the page; nil for a name that is none.
  var href: String?
  /// The kind: `task`, `queue` or `job`.
  var kind: String

  /// Creates the link of a full name such as `projects/p/locations/l/queues/q/tasks/t`.
  init(_ name: String) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let id = BoundedText.cut(parts.last ?? "", to: 60)
    guard parts.count >= 6, parts[0] == "projects", parts[2] == "locations" else {
      (short, href, kind) = (id, nil, "")
      return
    }
    var segments = [parts[4], parts[1], parts[3], parts[5]]
    if parts.count == 8 { segments += ["tasks", parts[7]] }
    href = segments.reduce(PageLink(EmulatorDashboard.path)) { $0.appending($1) }.href
    kind = parts.count == 8 ? "task" : parts[4] == "jobs" ? "job" : "queue"
    short = parts.count == 8 ? "\(parts[5]) / \(id)" : id
  }
}
#endif
