#if Server
import CloudJobsPages

/// A word of the dashboard's pages with its explanation.
struct DashboardWord: Sendable {
  /// The id: the name by which templates know it, and its place on the page of all words.
  let id: String
  /// The word, within a sentence.
  let name: String
  /// The labels of facts and fields that it explains.
  let labels: [String]
  /// The explanation, in sentences.
  let text: String

  init(_ id: String, _ name: String, labels: String..., text: String) {
    (self.id, self.name, self.labels, self.text) = (id, name, labels, text)
  }
}

/// All words that the pages explain: the only place of their texts.
enum DashboardWords {
  /// Words about one subject.
  struct Group: Sendable {
    /// The subject.
    let title: String
    /// The words.
    let words: [DashboardWord]
  }

  /// The words by subject.
  static let groups = [
    Group(title: "Runs", words: runs), Group(title: "Jobs", words: jobs), Group(title: "Schedules", words: schedules),
    Group(title: "Execution", words: execution),
  ]

  /// All words.
  static let all: [DashboardWord] = groups.flatMap(\.words)

  /// Returns the words as templates see them.
  ///
  /// - Parameter page: the path of the page that explains them.
  /// - Returns: the words by their ids.
  static func shown(on page: PageLink) -> [String: PageShell.Word] {
    Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.shown(on: page)) })
  }

  /// Returns the word that explains the label of a fact or a field; nil for none.
  static func word(labelled label: String, on page: PageLink) -> PageShell.Word? {
    byLabel[label]?.shown(on: page)
  }

  private static let byLabel: [String: DashboardWord] = Dictionary(
    uniqueKeysWithValues: all.flatMap { word in word.labels.map { ($0, word) } })

  private static let runs = [
    DashboardWord(
      "run", "run",
      text: "One piece of work of a job, asked for once. It has one record, however many attempts it takes."),
    DashboardWord(
      "attempt", "attempt", text: "One execution of a run's handler. The attempts of a run are numbered from 1."),
    DashboardWord(
      "trigger", "trigger", labels: "Trigger",
      text: "What asked for a run: a task that was enqueued, a schedule, a pass, another run, or a person."),
    DashboardWord(
      "retry", "retry", labels: "Attempts", "Retries", "Retry policy",
      text: "A further attempt of a run whose attempt failed. The job's retry policy says how many there are."),
    DashboardWord(
      "backoff", "backoff",
      text:
        "The rule for the time between a failed attempt and the next one: fixed, growing by equal steps, or growing "
        + "by a factor, with a random part so that many retries do not start together."),
    DashboardWord(
      "deadLetter", "dead letter",
      text: "A run that failed for good, because its attempts are used up or its failure was permanent. It is kept "
        + "until its retention is over, so that somebody can find the cause and redrive it."),
    DashboardWord(
      "redrive", "redrive", labels: "Repeats", "Repeated as",
      text:
        "To repeat a dead letter or a cancelled run as a new run with the same input, from its latest checkpoint if "
        + "it has one. A run is redriven once at most; the new run can be redriven too."),
    DashboardWord(
      "checkpoint", "checkpoint", labels: "Continuations",
      text:
        "Data that a handler stores on its way. The next attempt resumes from it: after a failure, in a redrive, or "
        + "in a continuation, where an attempt leaves the rest of the work to the next one."),
    DashboardWord(
      "overdue", "overdue", text: "Of a run: its time has come some while ago, and nothing has started it yet."),
    DashboardWord(
      "key", "unique key", labels: "Unique key",
      text: "The caller's name for a piece of work. A second request with the same key makes no second run."),
    DashboardWord(
      "correlation", "correlation id", labels: "Correlation id",
      text: "A name that all runs of one larger piece of work share, such as an order. A run passes its own on to the "
        + "runs that its handler enqueues."),
    DashboardWord(
      "retention", "retention", labels: "Kept for", "Record kept until",
      text: "The time for which the record of an ended run is kept. Then it is deleted, with its input, output and log."
    ),
  ]

  private static let jobs = [
    DashboardWord(
      "kind", "kind", labels: "Kind",
      text:
        "Why a job runs: an endpoint job because a task was enqueued, a scheduled job because its schedule fired, a "
        + "periodic job because a pass found it due."),
    DashboardWord(
      "state", "state",
      text:
        "Whether a job may run. Disabled: nothing runs. Paused: its schedule is skipped, and its enqueued runs wait. "
        + "Breaker open: it failed too often in a row. Set aside: its document has an invalid field."),
    DashboardWord(
      "health", "health",
      text: "Whether a job does what it should: its latest runs succeed, and none is late. The reasons stand beside it."
    ),
    DashboardWord(
      "document", "document",
      text: "A job's record in the store, which overrides its code without a deployment. A field that it lacks has the "
        + "value of the code."),
    DashboardWord(
      "priority", "priority", labels: "Priority",
      text: "The order among what is due at the same time: the higher number starts first."),
    DashboardWord(
      "queue", "queue", labels: "Queue",
      text: "The line in which an enqueued run waits for its attempts. A job without a queue uses the default one."),
    DashboardWord(
      "limit", "limit", labels: "At once", "At once in the group", "Starts", "Waits for the limit",
      text: "How many attempts of a job or a group are under way at once, or start in a period, on all instances "
        + "together. A run beyond a limit waits, and uses up no attempt."),
    DashboardWord(
      "weight", "weight", labels: "Weight",
      text: "The load that an attempt puts on a processor, which decides where it executes: light beside other work, "
        + "medium on threads of its own, heavy in another process or service."),
    DashboardWord("group", "group", labels: "Group", text: "A label of related jobs, which can share a limit."),
    DashboardWord(
      "timeLimit", "time limit", labels: "Time limit", "Time limit of an attempt",
      text: "The longest that one attempt may take. After it the attempt is stopped, and has failed."),
  ]

  private static let schedules = [
    DashboardWord(
      "occurrence", "occurrence",
      text: "A time for which a schedule asks for a run. However many instances see it, it becomes one run."),
    DashboardWord(
      "missedTimes", "missed times", labels: "Missed times",
      text:
        "Due times at which nothing was there to start the job, as in an outage. skip drops them, once makes one run "
        + "for all of them, and catchUp(3) makes up for the latest three."),
    DashboardWord(
      "overlap", "overlap", labels: "Overlap",
      text: "What happens when a job is due while an earlier run of it is under way: skip leaves the time out, queue "
        + "makes the run wait, allow lets both run."),
    DashboardWord(
      "dependencies", "dependencies", labels: "After",
      text: "Jobs whose last run must have succeeded before this job runs."),
    DashboardWord(
      "gate", "gate",
      text: "A condition that is checked before a job runs: enabled, startAt, endAt, skipDates, dependencies, breaker "
        + "and overlap, in this order. The first that is closed keeps the run from starting. Run now passes all of "
        + "them but enabled."),
    DashboardWord(
      "breaker", "circuit breaker", labels: "Breaker", "Circuit breaker",
      text: "It opens after some failed runs in a row. While it is open, due times are skipped and enqueued runs wait. "
        + "Then one run is let through as a probe, and closes the breaker if it succeeds."),
    DashboardWord(
      "pass", "pass", labels: "Fired by",
      text: "A round over all jobs, once a minute or whenever a worker wakes up: it starts what is due, and takes up "
        + "what was left behind."),
    DashboardWord(
      "passJournal", "pass journal",
      text: "The record of what passes decided about each job, such as a time that was skipped, with the reason."),
  ]

  private static let execution = [
    DashboardWord(
      "lease", "lease", labels: "Leased by", "Lease expires",
      text:
        "The right of one instance to execute an attempt, up to a time. If the instance dies, the lease expires and "
        + "another instance goes on with the run."),
    DashboardWord(
      "fence", "fencing token", labels: "Fencing token",
      text:
        "A number that grows with every lease of a run. What an attempt writes under an older number is refused, so "
        + "that an attempt that was believed dead changes nothing."),
    DashboardWord(
      "lostAttempt", "lost attempt", labels: "Lost attempts",
      text: "An attempt whose lease expired without a result, as after a crash of its instance."),
    DashboardWord(
      "worker", "worker",
      text: "A process that executes runs when they are due. Its heartbeat in the store tells that it is alive."),
    DashboardWord(
      "leader", "leader",
      text:
        "The one instance that does what only one may do. It leads for a term, which it renews; when it dies, another "
        + "instance follows it."),
  ]
}

extension DashboardWord {
  fileprivate func shown(on page: PageLink) -> PageShell.Word {
    PageShell.Word(name, text, href: "\(page.href)#\(id)")
  }
}
#endif
