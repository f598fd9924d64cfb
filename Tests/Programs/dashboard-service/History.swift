#if Server
import CloudJobs
import CloudJobsCore

/// A day's runs, written as ended attempts leave them; the same for the same number.
struct History {
  private let store: any JobStore
  private let now: Timestamp
  private let count: Int
  private var random = Mixer(state: 20_261_128)

  init(_ runtime: JobRuntime, runs count: Int) {
    (store, now, self.count) = (runtime.store, runtime.clock.now(), count)
  }

  /// The jobs of the history: how many of a hundred runs each has, how many of a thousand of those fail, and its
  /// errors.
  private static let jobs: [(job: JobID, share: Int, failing: Int, errors: [RunFailure], trigger: Trigger)] = [
    (
      "send_welcome_email", 30, 40,
      [
        RunFailure(kind: "busy", message: "The mail service is busy."),
        RunFailure(kind: "invalidAddress", message: "The address <nobody@invalid> is refused: 550 5.1.1 unknown user"),
      ], .task
    ),
    (
      "charge_card", 15, 90,
      [
        RunFailure(kind: "declined", message: "The bank declined the card: insufficient funds."),
        RunFailure(kind: "timeout", message: "The payment service did not answer within 10 s."),
        RunFailure(kind: "invalidAmount", message: "The amount is zero."),
      ], .task
    ),
    ("resize_images", 25, 8, [RunFailure(kind: "decoding", message: "IMG_0042.heic is not an image.")], .parent),
    (
      "import_catalogue", 3, 120,
      [RunFailure(kind: "DecodingError", message: "keyNotFound: \"price\" at articles[17] of the supplier's file")],
      .task
    ),
    ("clean_carts", 15, 0, [], .pass),
    ("check_stock", 9, 150, [RunFailure(kind: "failure", message: "The warehouse did not answer.")], .pass),
    ("nightly_report", 1, 0, [], .schedule),
    ("train_recommendations", 2, 200, [RunFailure(kind: "memory", message: "The process was killed: 9.")], .manual),
  ]

  /// Writes the documents of the jobs, the runs and the logs of the latest runs.
  mutating func write() async throws {
    try await writeDocuments()
    var writes: [Write] = []
    for number in 0..<count {
      let run = run(number)
      writes.append(.putRun(run, .none))
      if number < 200 { writes.append(log(of: run)) }
      if writes.count >= StoreLimits.batch - 1 {
        _ = try await store.commit(writes)
        writes = []
      }
    }
    _ = try await store.commit(writes)
  }

  private func writeDocuments() async throws {
    var paused = JobConfiguration()
    paused.paused = true
    var disabled = JobConfiguration()
    disabled.enabled = false
    var invalid = JobConfiguration()
    invalid.cron = "every blue moon"
    var edited = JobConfiguration()
    (edited.interval, edited.timeout) = (.seconds(20), .seconds(30))
    var open = JobStatePatch()
    open.set(consecutiveFailures: 5)
    open.set(breakerOpenUntil: now + .seconds(480))
    open.set(status: .failure)
    _ = try await store.commit([
      .putConfiguration("sync_prices", paused, .none), .putConfiguration("legacy_export", disabled, .none),
      .putConfiguration("rebuild_index", invalid, .none), .putConfiguration("clean_carts", edited, .none),
      .patchState("charge_card", open, .none),
    ])
  }

  /// Returns a run of the last day; the first is the latest.
  private mutating func run(_ number: Int) -> Run {
    var pick = Int.random(in: 0..<100, using: &random)
    let kind =
      Self.jobs.first { kind in
        pick -= kind.share
        return pick < 0
      } ?? Self.jobs[0]
    let age = Duration.seconds(90) + .milliseconds(Int64(number) * 86_000_000 / Int64(max(1, count)))
    let created = now - age
    var run = Run(
      id: RunID(job: kind.job, occurrence: .key("history-\(number)")), job: kind.job, trigger: kind.trigger,
      input: input(of: kind.job, number), status: .succeeded, maxAttempts: 3, notBefore: created, createdAt: created)
    if kind.trigger == .pass || kind.trigger == .schedule { run.scheduledFor = created }
    let waited = Duration.milliseconds(Int.random(in: 3...900, using: &random))
    run.startedAt = created + waited
    run.finishedAt = created + waited + .milliseconds(Int.random(in: 8...9_000, using: &random))
    (run.attempt, run.fence) = (1, 1)
    let chance = Int.random(in: 0..<1_000, using: &random)
    if chance < kind.failing, let error = kind.errors.randomElement(using: &random) {
      (run.status, run.attempt, run.failures, run.failure) = (.failed, 3, 3, error)
      run.reason = "3 of 3 attempts failed; the last one with: \(error.message)"
    } else if chance >= 990 {
      (run.status, run.cancellation, run.reason) = (.cancelled, "It was cancelled.", "It was cancelled.")
    } else if chance >= 900 {
      (run.attempt, run.failures) = (2, 1)
    }
    addEarlierAttempts(to: &run, failing: kind.errors.first ?? RunFailure(kind: "busy", message: "Try again later."))
    if run.status == .succeeded, kind.job == "charge_card" {
      run.output = JSONText(["charged": .integer(Int64(number % 400 + 100)), "currency": "EUR"])
    }
    run.queue = kind.job == "send_welcome_email" ? "mail" : kind.job == "charge_card" ? "critical" : nil
    if number % 3 == 0 { run.correlationID = "order-\(1_000 + number / 3)" }
    if number % 5 == 0 { run.metadata = ["region": "eu", "release": .integer(Int64(number % 9))] }
    run.expireAt = now + .seconds(90 * 86_400)
    return run
  }

  /// Divides the run's time among its attempts and the waits between them.
  private func addEarlierAttempts(to run: inout Run, failing failure: RunFailure) {
    guard run.attempt > 1, let start = run.startedAt, let end = run.finishedAt else { return }
    let part = (end - start) / (2 * run.attempt - 1)
    run.earlierAttempts = (1..<run.attempt).map { number in
      let begin = start + part * (2 * (number - 1))
      return RunAttempt(
        number: number, startedAt: begin, endedAt: begin + part, outcome: .failed, failure: run.failure ?? failure)
    }
    run.attemptStartedAt = start + part * (2 * (run.attempt - 1))
  }

  private func input(of job: JobID, _ number: Int) -> JSONText? {
    switch job {
    case "send_welcome_email": JSONText(["customer": .string("customer-\(number)@shop.example")])
    case "charge_card":
      JSONText([
        "order": .integer(Int64(number)), "cents": .integer(Int64(number % 400 + 100)),
        "cardNumber": "4111 1111 1111 1111",
      ])
    case "resize_images": JSONText(["name": .string("IMG_\(number).jpeg")])
    case "import_catalogue":
      JSONText(["supplier": "Müller & Söhne", "articles": 120, "millisecondsPerArticle": 30])
    default: nil
    }
  }

  private func log(of run: Run) -> Write {
    let start = run.startedAt ?? run.createdAt
    var lines = [
      RunLogLine(time: start, level: "info", message: "Attempt \(run.attempt) of \(run.maxAttempts)."),
      RunLogLine(
        time: start + .milliseconds(4), level: "notice", message: "Connected to the service.",
        metadata: ["host": "10.0.0.7", "pool": "2"]),
    ]
    if let failure = run.failure {
      lines.append(RunLogLine(time: start + .milliseconds(7), level: "error", message: failure.message))
    }
    return .putLog(
      RunLogEntry(
        run: run.id, sequence: RunLogEntry.sequence(attempt: run.attempt, number: 0), lines: lines,
        expireAt: now + .seconds(7 * 86_400)))
  }
}

/// SplitMix64, so that each start makes the same history.
private struct Mixer: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
#endif
