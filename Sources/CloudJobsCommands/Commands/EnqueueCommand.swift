import ArgumentParser
import CloudJobs
import CloudJobsCore
import ProgramConsole

#if Google
import CloudJobsGoogle
#endif

/// `enqueue`.
struct EnqueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue", abstract: "Enqueues runs of a job, which the program that has its code executes.",
    discussion: """
      Without the job's code, the job must have a document or a run in the store, and its input is not checked before \
      it executes. Over Firestore, --location and --service-url make the task of Cloud Tasks at once; without them, \
      the service's next sweep does.
      """)

  @OptionGroup var work: RequestOptions
  @Option(help: "The time of the start, in RFC 3339.") var at: String?
  @Option(name: .customLong("in"), help: "The delay before the start, such as 90s, 10m or 1h30m.") var delay: String?
  @Option(help: "The number of runs, 1 to 1,000,000.") var count = 1
  #if Google
  @OptionGroup var cloud: CloudOptions
  #endif
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...1_000_000).contains(count) else { throw ValidationError("--count is a number from 1 to 1,000,000.") }
    if count > 1, work.key != nil {
      throw ValidationError("--key makes one run, however often it is asked for. Leave out --key or --count.")
    }
    if at != nil, delay != nil { throw ValidationError("Give --at or --in, not both.") }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      let request = try work.request(start: try start())
      #if Google
      if cloud.location != nil || cloud.serviceURL != nil {
        let tasks = try cloud.configuration(for: try store.address()).tasks
        return try await CloudOptions.withGoogle(tasks.project) { google in
          try await enqueue(request, try await store.runtime(queue: .cloudTasks(tasks, in: google)), .queue)
        }
      }
      #endif
      let runtime = try await store.runtime()
      try await enqueue(request, runtime, runtime.needsWorker ? .worker : .sweep)
    }
  }

  private func enqueue(
    _ request: EnqueueRequest, _ runtime: JobRuntime, _ delivery: EnqueueResult.Delivery
  ) async throws {
    let runtime = try await runtime.enqueuing(request.job)
    var result = EnqueueResult(job: request.job, delivery: delivery)
    if count == 1 {
      let run = try await runtime.enqueue([request])[0]
      (result.run, result.created) = (run, run.isNew ? 1 : 0)
    } else {
      let total = count
      let requests = (1...total).lazy.map { number in
        if number.isMultiple(of: 10_000) { StandardStreams.writeErrorLine("\(number) of \(total)") }
        return request
      }
      let summary = try await runtime.enqueue(contentsOf: requests)
      (result.requested, result.created) = (summary.requested, summary.created)
    }
    try output.show(result.json) { _, _ in result.lines }
  }

  /// The time of the start that the options ask for; nil for at once.
  private func start() throws(JobError) -> DeliveryStart? {
    if let delay {
      guard let span = Duration(settingText: delay), span >= .zero, span <= .days(3_660) else {
        throw JobError(
          .invalidField,
          "\"\(delay)\" is no duration of at most ten years. Write it as 90s, 10m or 1h30m.", field: "--in")
      }
      return .after(span)
    }
    return try RunFilterOptions.time(at, "--at").map { .at($0) }
  }
}

/// What came of `enqueue`.
struct EnqueueResult {
  /// What delivers the runs.
  enum Delivery: String {
    /// A worker takes them from the store.
    case worker
    /// The queue has their tasks.
    case queue
    /// The service's sweep gives them to its queue.
    case sweep
  }

  /// The job.
  var job: JobID
  /// The number of runs that were asked for.
  var requested = 1
  /// The number of runs that the command made.
  var created = 0
  /// The run, if one was asked for.
  var run: EnqueuedRun?
  /// What delivers the runs.
  var delivery: Delivery

  /// The result as JSON.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "job": .string(job.rawValue), "requested": .integer(Int64(requested)), "created": .integer(Int64(created)),
      "deliveredBy": .string(delivery.rawValue),
    ]
    if let run {
      members["run"] = .string(run.id.rawValue)
      members["status"] = .string(run.status.rawValue)
    }
    return .object(members)
  }

  /// The result for people.
  var lines: [String] {
    let first =
      run.map { "\($0.id) is \($0.status.rawValue)\($0.isNew ? "" : ", as before")." }
      ?? "Enqueued \(created) \(created == 1 ? "run" : "runs") of \(job)."
    if delivery != .sweep { return [first] }
    return [
      first,
      "The service's next sweep delivers it, by default within five minutes; with --location and --service-url, Cloud "
        + "Tasks does so at once.",
    ]
  }
}

/// `trigger`.
struct TriggerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trigger", abstract: "Enqueues a run of a job now, past every gate but `enabled`.",
    discussion: """
      It needs the job's code: use the command line of the program that has it. A disabled job is refused, and the run \
      of a paused one waits.
      """)

  @OptionGroup var work: RequestOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      _ = try JobCommand.program(to: "trigger \(work.job)")
      let runtime = try await store.runtime()
      let shown = try await JobInventory(runtime).job(try JobID(work.job))
      guard shown["enabled"]?.bool != false else {
        throw JobError(.busy, "The job \(work.job) is disabled. Enable it first: jobs enable \(work.job).")
      }
      let run = try await runtime.trigger(try work.request())
      let answer: JSONValue = [
        "run": .string(run.id.rawValue), "isNew": .bool(run.isNew), "status": .string(run.status.rawValue),
      ]
      try output.show(answer) { _, _ in ["\(run.id) is \(run.status.rawValue)\(run.isNew ? "" : ", as before")."] }
    }
  }
}
