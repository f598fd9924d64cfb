import CloudJobsCore
import Testing

/// A delivery and what is to be done about it.
struct PlanCase: CustomTestStringConvertible, Sendable {
  var name: String
  var input: PlanInput
  var expected: String

  init(_ name: String, _ input: PlanInput, _ expected: String) {
    (self.name, self.input, self.expected) = (name, input, expected)
  }

  var testDescription: String { name }

  private typealias Sample = PlanSample

  static let first: [PlanCase] = [
    PlanCase("a first delivery runs", Sample.input(), "run 1"),
    PlanCase("the first attempt of a named run runs", Sample.input(attempt: 1), "run 1"),
    PlanCase("a later attempt of no run is refused", Sample.input(attempt: 2), "reject notFound"),
    PlanCase("a disabled job is skipped", Sample.input(Sample.job { $0.enabled = false }), "skippedDisabled"),
    PlanCase(
      "a manual trigger does not open a disabled job",
      Sample.input(Sample.job { $0.enabled = false }, trigger: .manual), "skippedDisabled"),
    PlanCase(
      "a manual trigger passes dates, dependencies and overlap",
      Sample.input(
        Sample.job {
          $0.startAt = .instant(.distantFuture)
          $0.skipDates = [.instant(Sample.now)]
          $0.dependencies = ["other"]
          $0.overlap = .skip
        }, trigger: .manual, previous: Sample.run(.running)), "run 1"),
    PlanCase(
      "an endpoint allows overlap", Sample.input(previous: Sample.run(.running)), "run 1"),
    PlanCase(
      "a scheduled job skips overlap",
      Sample.input(Sample.job(.scheduled, cron: "@hourly"), previous: Sample.run(.running)), "skippedOverlap"),
    PlanCase(
      "an ended earlier run does not count",
      Sample.input(Sample.job(.scheduled, cron: "@hourly"), previous: Sample.run(.succeeded)), "run 1"),
    PlanCase(
      "the policy queue waits",
      Sample.input(Sample.job { $0.overlap = .queue }, previous: Sample.run(.running)), "wait"),
    PlanCase(
      "the policy queue runs when the way is free",
      Sample.input(Sample.job { $0.overlap = .queue }, previous: Sample.run(.failed)), "run 1"),
    PlanCase(
      "a dependency that failed closes the gate",
      Sample.input(Sample.job { $0.dependencies = ["a", "b"] }, dependencies: ["a": .success, "b": .failure]),
      "skippedDependencyFailed"),
    PlanCase(
      "a dependency that never ran closes the gate",
      Sample.input(Sample.job { $0.dependencies = ["a"] }), "skippedDependencyFailed"),
    PlanCase(
      "dependencies that succeeded open it",
      Sample.input(Sample.job { $0.dependencies = ["a", "b"] }, dependencies: ["a": .success, "b": .success]), "run 1"),
  ]

  static let waiting: [PlanCase] = [
    PlanCase(
      "a task that a later one has replaced is a duplicate",
      Sample.input(run: Sample.run(.pending, attempt: 0) { $0.reenqueues = 2 }, attempt: 1, reenqueues: 1),
      "duplicate"),
    PlanCase(
      "the latest task of the attempt runs it",
      Sample.input(run: Sample.run(.pending, attempt: 0) { $0.reenqueues = 2 }, attempt: 1, reenqueues: 2), "run 1"),
    PlanCase(
      "a task that does not say its number runs the attempt",
      Sample.input(run: Sample.run(.pending, attempt: 0) { $0.reenqueues = 2 }, attempt: 1), "run 1"),
    PlanCase(
      "a task that was replaced does not come back for the attempt under way",
      Sample.input(run: Sample.run(.running, attempt: 1) { $0.reenqueues = 2 }, attempt: 1, reenqueues: 1),
      "duplicate"),
    PlanCase(
      "the latest task does, until the lease ends",
      Sample.input(run: Sample.run(.running, attempt: 1) { $0.reenqueues = 2 }, attempt: 1, reenqueues: 2), "busy"),
    PlanCase("a pending run runs", Sample.input(run: Sample.run(.pending, attempt: 0), attempt: 1), "run 1"),
    PlanCase(
      "a retry runs at its time", Sample.input(run: Sample.run(.scheduled), attempt: 2), "run 2"),
    PlanCase(
      "a retry runs within the tolerance",
      Sample.input(run: Sample.run(.scheduled, notBefore: .seconds(2)), attempt: 2), "run 2"),
    PlanCase(
      "a retry just before the tolerance is early",
      Sample.input(run: Sample.run(.scheduled, notBefore: .seconds(2) + Sample.microsecond), attempt: 2), "early"),
    PlanCase(
      "a task at the staging threshold is early",
      Sample.input(run: Sample.run(.scheduled, notBefore: .minutes(10)), attempt: 2), "early"),
    PlanCase(
      "a task further ahead is handed over again under another name",
      Sample.input(run: Sample.run(.scheduled, notBefore: .minutes(10) + Sample.microsecond), attempt: 2), "stage 1"),
    PlanCase(
      "the second stage of the first attempt is one too",
      Sample.input(
        run: Sample.run(.scheduled, attempt: 0, notBefore: .days(31)) { $0.reenqueues = 1 }, attempt: 1), "stage 2"),
    PlanCase(
      "a caller without an attempt makes no stage",
      Sample.input(run: Sample.run(.scheduled, attempt: 0, notBefore: .days(31))), "early"),
    PlanCase(
      "a stage of an attempt that has passed is a duplicate",
      Sample.input(run: Sample.run(.scheduled, attempt: 2, notBefore: .days(31)), attempt: 2), "duplicate"),
    PlanCase(
      "an attempt that has passed is a duplicate",
      Sample.input(run: Sample.run(.scheduled, attempt: 2), attempt: 2), "duplicate"),
    PlanCase(
      "a delivery without attempt is a duplicate while a retry waits",
      Sample.input(run: Sample.run(.scheduled, notBefore: .minutes(1))), "duplicate"),
    PlanCase(
      "a delivery without attempt is early before the first",
      Sample.input(run: Sample.run(.scheduled, attempt: 0, notBefore: .minutes(1))), "early"),
    PlanCase(
      "a delivery without attempt serves a retry whose time has come",
      Sample.input(run: Sample.run(.scheduled)), "run 2"),
    PlanCase(
      "a disabled job cancels what waits",
      Sample.input(Sample.job { $0.enabled = false }, run: Sample.run(.scheduled), attempt: 2),
      "skippedDisabled, cancelled"),
    PlanCase(
      "a gate closed since cancels before the first attempt",
      Sample.input(
        Sample.job { $0.skipDates = [.instant(Sample.now)] }, run: Sample.run(.pending, attempt: 0), attempt: 1),
      "skippedDateExclusion, cancelled"),
    PlanCase(
      "a retry goes on past gates that close meanwhile",
      Sample.input(Sample.job { $0.skipDates = [.instant(Sample.now)] }, run: Sample.run(.scheduled), attempt: 2),
      "run 2"),
    PlanCase(
      "a run that waits for an earlier one waits on",
      Sample.input(
        Sample.job { $0.overlap = .queue }, run: Sample.run(.scheduled, attempt: 0), attempt: 1,
        previous: Sample.run(.running)), "wait"),
    PlanCase(
      "a run of another job is refused",
      Sample.input(run: Sample.run(.pending, job: "other"), attempt: 1), "reject invalidField"),
  ]

  static let running: [PlanCase] = [
    PlanCase("a live lease is respected", Sample.input(run: Sample.run(.running)), "busy"),
    PlanCase(
      "a lease lives until just before its end",
      Sample.input(run: Sample.run(.running, leaseEnds: Sample.microsecond), attempt: 1), "busy"),
    PlanCase(
      "a lease is over at its end", Sample.input(run: Sample.run(.running, leaseEnds: .zero), attempt: 1), "run 2"),
    PlanCase(
      "a lease is over after its end",
      Sample.input(run: Sample.run(.running, leaseEnds: .zero - Sample.microsecond)), "run 2"),
    PlanCase(
      "a lost lease counts as over", Sample.input(run: Sample.run(.running) { $0.lease = nil }, attempt: 1), "run 2"),
    PlanCase(
      "an attempt that has passed is a duplicate while the next executes",
      Sample.input(run: Sample.run(.running, attempt: 2), attempt: 1), "duplicate"),
    PlanCase(
      "a crash in the last attempt makes the run a dead letter",
      Sample.input(run: Sample.run(.running, attempt: 3, failures: 2, leaseEnds: .zero)), "dead letter"),
    PlanCase(
      "a crash before the last attempt does not",
      Sample.input(run: Sample.run(.running, attempt: 2, failures: 1, leaseEnds: .zero)), "run 3"),
    PlanCase(
      "snoozes do not use up attempts",
      Sample.input(run: Sample.run(.running, attempt: 9, failures: 1, leaseEnds: .zero)), "run 10"),
    PlanCase(
      "a crash in a disabled job cancels",
      Sample.input(Sample.job { $0.enabled = false }, run: Sample.run(.running, leaseEnds: .zero)),
      "skippedDisabled, cancelled"),
  ]

  static let ended: [PlanCase] = [RunStatus.succeeded, .failed, .cancelled].flatMap { status in
    [Int?.none, 1, 2, 3].map { attempt in
      PlanCase(
        "\(status) stays, attempt \(attempt.map { "\($0)" } ?? "unknown")",
        Sample.input(Sample.job { $0.enabled = false }, run: Sample.run(status, attempt: 2), attempt: attempt),
        "duplicate")
    }
  }

  static let starts: [PlanCase] = [
    PlanCase("a delay puts the first attempt off", start(.after(Sample.microsecond)), "schedule"),
    PlanCase("a time ahead puts it off", start(.at(Sample.now + .hours(1))), "schedule"),
    PlanCase("no delay runs", start(.after(.zero)), "run 1"),
    PlanCase("a time that has passed runs", start(.at(Sample.now - .hours(1))), "run 1"),
    PlanCase(
      "a second request for what is put off is a duplicate",
      start(.after(.hours(1)), run: Sample.run(.scheduled, attempt: 0, notBefore: .minutes(1))), "duplicate"),
    PlanCase(
      "a request by hand for what is put off is a duplicate, with no start of its own",
      Sample.input(run: Sample.run(.scheduled, attempt: 0, notBefore: .minutes(1)), trigger: .manual), "duplicate"),
    PlanCase(
      "a second request with a delay while the first executes is a duplicate",
      start(.after(.hours(1)), run: Sample.run(.running)), "duplicate"),
    PlanCase(
      "a second request after the time runs what nobody delivered",
      start(.after(.hours(1)), run: Sample.run(.scheduled, attempt: 0)), "run 1"),
  ]

  static let owners: [PlanCase] = [RetryOwner.pass, .caller].flatMap { owner in
    var ahead = Sample.input(run: Sample.run(.scheduled, notBefore: .days(31)), attempt: 2)
    ahead.settings = PlanSettings(owner: "instance", retryOwner: owner)
    var delayed = start(.after(.hours(1)))
    delayed.settings = ahead.settings
    return [
      PlanCase("\(owner): a task far ahead of its time is early, as it is kept elsewhere", ahead, "early"),
      PlanCase(
        "\(owner): a later start needs a place to wait", delayed,
        owner == .caller ? "reject queueUnavailable" : "schedule"),
    ]
  }

  private static func start(_ start: DeliveryStart, run: Run? = nil) -> PlanInput {
    var input = Sample.input(run: run, trigger: .manual)
    input.delivery.start = start
    return input
  }

  static let all = first + waiting + running + ended + starts + owners
}
