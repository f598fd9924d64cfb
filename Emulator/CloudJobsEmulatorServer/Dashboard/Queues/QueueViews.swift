#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The values of the list of queues.
struct QueuesView: Sendable {
  /// The rows.
  var queues: [QueueRow]
  /// The links to more of them.
  var pager: PagePager
  /// The path of the form for a queue.
  var newQueuePath: String
}

/// A queue as a row of a table.
struct QueueRow: Sendable {
  /// The full name.
  var queueFullName: String
  /// The ID.
  var queueID: String
  /// The location.
  var queueLocation: String
  /// The path of its page.
  var queueHref: String
  /// The kind of the state, a class of the style sheet.
  var queueKind: String
  /// The state in words.
  var queueState: String
  /// The number of tasks.
  var taskCount: String
  /// The number of attempts in flight, and the maximum.
  var inFlight: String
  /// The rate limit.
  var rate: String
  /// The time of the next attempt; nil if it takes more than time.
  var queueNext: PageTime?

  /// Creates the row of a queue.
  init(_ report: CloudTasks.QueueReport, _ context: EmulatorPageContext) {
    let name = report.queue.name
    (queueFullName, queueID) = (name.text, name.id)
    queueLocation = "\(name.location.project) · \(name.location.id)"
    queueHref = context.link(QueuePages.segments(name)).href
    (queueKind, queueState) = Self.state(of: report.queue.state)
    taskCount = PageNumber.text(report.taskCount)
    inFlight =
      "\(PageNumber.text(report.inFlight)) of \(PageNumber.text(report.queue.rateLimits.maxConcurrentDispatches))"
    rate = "\(RateText.text(report.queue.rateLimits.maxDispatchesPerSecond))/s"
    queueNext = context.time(report.nextAttempt)
  }

  /// Returns the kind and the words of a state.
  static func state(of state: CloudTasks.Queue.State) -> (kind: String, words: String) {
    switch state {
    case .running: ("good", "running")
    case .paused: ("paused", "paused")
    case .disabled: ("bad", "disabled")
    }
  }
}

/// A task as a row of a table.
struct TaskRow: Sendable {
  /// The ID.
  var taskID: String
  /// The path of its page.
  var taskHref: String
  /// Method and URL.
  var taskRequest: String
  /// The reason why it waits.
  var reason: ReasonView
  /// The time of the next attempt.
  var taskNext: PageTime
  /// The number of attempts so far.
  var attempts: Int

  /// Creates the row of a task.
  init(_ report: CloudTasks.TaskReport, _ queue: CloudTasks.Queue, _ context: EmulatorPageContext) {
    let task = report.task
    taskID = BoundedText.cut(task.name.id, to: 60)
    taskHref = context.link(TaskPages.segments(task.name)).href
    taskRequest = BoundedText.cut(TargetView.requestLine(task.target), to: 120)
    reason = ReasonView(report, queue, context.clock)
    taskNext = context.time(report.reason.end ?? task.scheduleTime)
    attempts = task.dispatchCount
  }
}

/// The values of the page of a queue.
struct QueueView: Sendable {
  /// The full name.
  var fullName: String
  /// The kind of the state, a class of the style sheet.
  var stateKind: String
  /// The state in words.
  var stateWords: String
  /// Whether it is paused.
  var isPaused: Bool
  /// The number of tasks.
  var taskCount: String
  /// The number of attempts in flight.
  var inFlight: String
  /// The number of tasks that wait for a retry.
  var backingOff: String
  /// The number of whole tokens in the bucket, and its size.
  var tokens: String
  /// The time of the next token; nil if there is one.
  var nextToken: PageTime?
  /// The rate limit.
  var rate: String
  /// What the targets' responses make of it; nil if nothing.
  var slowdown: String?
  /// The limit of attempts in flight.
  var concurrency: String
  /// The retry settings in words.
  var retries: String
  /// The delays in words.
  var backoff: String
  /// What replaces parts of the tasks' requests; nil if nothing.
  var override: String?
  /// The time of the last purge; nil for none.
  var purgedAt: PageTime?
  /// The tasks.
  var tasks: [TaskRow]
  /// The choices of the order.
  var tabs: [PageTab] = []
  /// The ID that is searched for.
  var search = "" {
    didSet { isSearch = !search.isEmpty }
  }
  /// Whether an ID is searched for; stored, as templates see no computed properties.
  private(set) var isSearch = false
  /// The links to more tasks.
  var pager = PagePager(shown: "", next: nil, first: nil)
  /// The path of the page.
  var path: String

  /// Creates the values.
  init(_ report: CloudTasks.QueueReport, _ tasks: [TaskRow], _ context: EmulatorPageContext) {
    let queue = report.queue
    fullName = queue.name.text
    (stateKind, stateWords) = QueueRow.state(of: queue.state)
    isPaused = queue.state != .running
    taskCount = PageNumber.text(report.taskCount)
    inFlight = PageNumber.text(report.inFlight)
    backingOff = PageNumber.text(report.backingOff)
    tokens = "\(PageNumber.text(report.tokens)) of \(PageNumber.text(queue.rateLimits.maxBurstSize))"
    nextToken = report.tokens == 0 ? PageTime(report.nextToken, now: context.now) : nil
    rate = "\(RateText.text(queue.rateLimits.maxDispatchesPerSecond)) per second"
    concurrency = PageNumber.text(queue.rateLimits.maxConcurrentDispatches, "attempt") + " in flight"
    slowdown = Self.slowdown(report)
    (retries, backoff) = (Self.retries(queue.retryConfig), Self.backoff(queue.retryConfig.backoff))
    override = queue.target?.uri.map { _ in "The queue's HTTP target replaces parts of the tasks' URLs." }
    purgedAt = context.time(queue.purgeTime)
    self.tasks = tasks
    path = context.link(QueuePages.segments(queue.name)).href
  }

  /// Returns what the responses of targets make of the rate of a queue; nil if nothing.
  static func slowdown(_ report: CloudTasks.QueueReport) -> String? {
    if let time = report.heldUntil { return "A target's Retry-After holds the queue until \(PageTime.exact(time))." }
    guard report.rate < report.queue.rateLimits.maxDispatchesPerSecond else { return nil }
    return "The targets' responses slow it down to \(RateText.text(report.rate)) per second."
  }

  /// Returns the limits of retries in words.
  static func retries(_ config: CloudTasks.RetryConfig) -> String {
    let attempts = config.maxAttempts == -1 ? "attempts without limit" : PageNumber.text(config.maxAttempts, "attempt")
    return config.maxRetryDuration > .zero
      ? "\(attempts), for at least \(PageNumber.text(config.maxRetryDuration))" : attempts
  }

  /// Returns the delays of retries in words.
  static func backoff(_ policy: BackoffPolicy) -> String {
    "\(PageNumber.text(policy.minimum)) to \(PageNumber.text(policy.maximum)), "
      + PageNumber.text(policy.doublings, "doubling")
  }
}

/// The form of a queue.
struct QueueForm: Sendable {
  /// Whether the queue is to be created.
  var isNew: Bool
  /// The path that the form is sent to.
  var action: String
  /// The path of the page to return to.
  var backPath = ""
  /// Why the form was refused; nil if it was not.
  var problem: String?
  /// The project ID.
  var project = "local"
  /// The location ID.
  var location = "local"
  /// The ID.
  var queueID = ""
  /// The rate per second.
  var rate: String
  /// The limit of attempts in flight.
  var concurrent: String
  /// The limit of attempts.
  var attempts: String
  /// The limit of time for retries.
  var retryDuration: String
  /// The first delay.
  var minBackoff: String
  /// The longest delay.
  var maxBackoff: String
  /// The number of doublings.
  var doublings: String

  /// Creates the form of a queue's values.
  init(_ limits: CloudTasks.RateLimits, _ retry: CloudTasks.RetryConfig, isNew: Bool, action: String) {
    (self.isNew, self.action) = (isNew, action)
    rate = RateText.text(limits.maxDispatchesPerSecond)
    concurrent = "\(limits.maxConcurrentDispatches)"
    attempts = "\(retry.maxAttempts)"
    retryDuration = WireDuration.text(retry.maxRetryDuration)
    minBackoff = WireDuration.text(retry.backoff.minimum)
    maxBackoff = WireDuration.text(retry.backoff.maximum)
    doublings = "\(retry.backoff.doublings)"
  }

  /// Takes the values that were sent.
  mutating func read(_ fields: PageFields) {
    func value(_ name: String) -> String { (fields[name] ?? "").trimmingSpaces }
    if isNew { (project, location, queueID) = (value("project"), value("location"), value("id")) }
    (rate, concurrent, attempts) = (value("rate"), value("concurrent"), value("attempts"))
    (retryDuration, minBackoff) = (value("retryDuration"), value("minBackoff"))
    (maxBackoff, doublings) = (value("maxBackoff"), value("doublings"))
  }

  /// Returns the queue as the API takes it.
  ///
  /// - Throws: ``PageFault`` for a value that is no number or duration.
  func json(name: String) throws(PageFault) -> JSONValue {
    guard let rate = Double(rate) else { throw FormNumber.fault("The rate", rate, "0.5") }
    return [
      "name": .string(name),
      "rateLimits": [
        "maxDispatchesPerSecond": .double(rate),
        "maxConcurrentDispatches": .integer(try FormNumber.whole(concurrent, "The limit of attempts in flight")),
      ],
      "retryConfig": [
        "maxAttempts": .integer(try FormNumber.whole(attempts, "The maximum number of attempts")),
        "maxRetryDuration": .string(try FormNumber.duration(retryDuration, "The duration of retries")),
        "minBackoff": .string(try FormNumber.duration(minBackoff, "The first delay")),
        "maxBackoff": .string(try FormNumber.duration(maxBackoff, "The longest delay")),
        "maxDoublings": .integer(try FormNumber.whole(doublings, "The number of doublings")),
      ],
    ]
  }
}

/// Numbers and durations of forms.
enum FormNumber {
  /// Returns a whole number; 0 for an empty text.
  static func whole(_ text: String, _ field: String) throws(PageFault) -> Int64 {
    if text.isEmpty { return 0 }
    guard let number = Int64(text), (-1_000_000...1_000_000).contains(number) else { throw fault(field, text, "10") }
    return number
  }

  /// Returns a duration in the form of the API; zero for an empty text.
  static func duration(_ text: String, _ field: String) throws(PageFault) -> String {
    if text.isEmpty { return "0s" }
    guard let span = DurationText.parse(text) else { throw fault(field, text, "30s, 5min or 1h") }
    return WireDuration.text(span)
  }

  /// Returns the fault of a field with an example of what it takes.
  static func fault(_ field: String, _ text: String, _ example: String) -> PageFault {
    PageFault(
      .badRequest, "\(field) can't be \"\(BoundedText.cut(text, to: 60))\". Give one such as \(example).")
  }
}
#endif
