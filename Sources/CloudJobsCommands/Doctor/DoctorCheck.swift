import CloudJobs
import CloudJobsCore

/// A check of the doctor, with what it found: pure.
struct DoctorCheck: Hashable, Sendable {
  /// The verdicts, from good to bad.
  enum Verdict: String, Hashable, Sendable, CaseIterable {
    /// It does not apply here.
    case skipped
    /// All is well.
    case ok
    /// It works, but should not stay so.
    case warning
    /// It does not work.
    case failed
  }

  /// What is checked, such as `clock`.
  var name: String
  /// The verdict.
  var verdict: Verdict
  /// What was found, as a sentence.
  var fact: String
  /// What to do, as a sentence; nil if nothing need be done.
  var remedy: String?

  /// Creates a check that an error ended.
  init(_ name: String, failedWith error: JobError, remedy: String? = nil) {
    self.init(name, .failed, CommandFailure.text(of: error), remedy)
  }

  /// Creates a check.
  init(_ name: String, _ verdict: Verdict, _ fact: String, _ remedy: String? = nil) {
    (self.name, self.verdict, self.fact, self.remedy) = (name, verdict, fact, remedy)
  }

  /// The check as JSON.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "verdict": .string(verdict.rawValue), "fact": .string(fact),
    ]
    members["remedy"] = remedy.map { .string($0) }
    return .object(members)
  }
}

// MARK: - The store

extension DoctorCheck {
  /// The difference from the store's time up to which a clock is right.
  static let clockTolerance = Duration.seconds(3)
  /// The difference from the store's time from which runs start at wrong times.
  static let clockLimit = Duration.seconds(60)

  /// Judges this machine's clock.
  ///
  /// - Parameters:
  ///   - store: the store's time.
  ///   - before: this machine's time before it was asked.
  ///   - after: this machine's time after it was asked.
  /// - Returns: the check.
  static func clock(store: Timestamp, before: Timestamp, after: Timestamp) -> DoctorCheck {
    // The store told its time at some time in between.
    let difference: Duration = store < before ? before - store : store > after ? store - after : .zero
    let fact = "The store's time and this machine's differ by \(text(difference))."
    if difference <= clockTolerance { return DoctorCheck("clock", .ok, fact) }
    return DoctorCheck(
      "clock", difference < clockLimit ? .warning : .failed, fact,
      "The store's time decides. Set this machine's clock by NTP; a database's clock is that of its server.")
  }

  /// Returns a duration in the largest unit that fits, such as `2 h`.
  static func text(_ span: Duration) -> String {
    let seconds = span.components.seconds
    switch seconds {
    case ..<1: return "\(span.components.attoseconds / 1_000_000_000_000_000) ms"
    case ..<120: return "\(seconds) s"
    case ..<7_200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3_600) h"
    default: return "\(seconds / 86_400) days"
    }
  }

  /// Judges the indexes of a store's lists.
  ///
  /// - Parameters:
  ///   - isFirestore: whether lists need composite indexes that an operator makes.
  ///   - failures: the lists that failed, with their errors.
  /// - Returns: the check.
  static func indexes(isFirestore: Bool, failures: [(list: String, error: JobError)]) -> DoctorCheck {
    if failures.isEmpty {
      return DoctorCheck(
        "indexes", .ok,
        "Runs by job, by status and by correlation id, and decisions by job can be listed"
          + (isFirestore ? "." : " by the schema."))
    }
    let lists = failures.map(\.list).joined(separator: ", ")
    return DoctorCheck(
      "indexes", .failed, "These can't be listed: \(lists). \(failures[0].error.message)",
      isFirestore ? "Make the indexes of infra/firestore.indexes.json, or those of `cloud-jobs infra`." : nil)
  }
}

// MARK: - The work

extension DoctorCheck {
  /// The time after which due work counts as overdue.
  ///
  /// - Parameter byWorkers: whether workers take it from the store; otherwise a pass and the sweep find it.
  /// - Returns: a duration.
  static func patience(byWorkers: Bool) -> Duration { byWorkers ? .seconds(30) : .minutes(7) }

  /// Judges the jobs' documents.
  ///
  /// - Parameters:
  ///   - jobs: the jobs, as an inventory shows them.
  ///   - hasCode: whether the program has jobs of its own.
  /// - Returns: the check.
  static func jobs(_ jobs: [JSONValue], hasCode: Bool) -> DoctorCheck {
    let setAside = jobs.filter { $0["fault"] != nil }.compactMap { $0["id"]?.string }
    if let first = setAside.first {
      return DoctorCheck(
        "jobs", .failed, "\(setAside.count) of \(jobs.count) documents can't be used: \(list(setAside)).",
        "Their schedules don't run. `jobs show \(first)` tells the fault, and `jobs set` corrects it.")
    }
    let unregistered = hasCode ? jobs.filter { $0["registered"]?.bool == false }.compactMap { $0["id"]?.string } : []
    if let first = unregistered.first {
      return DoctorCheck(
        "jobs", .warning, "This program has no code of \(list(unregistered)).",
        "Another program must have it. If none has, remove the document: `jobs unregister \(first) --yes`.")
    }
    if jobs.isEmpty {
      return DoctorCheck("jobs", .ok, "No job has a document. A program makes them at its first start.")
    }
    return DoctorCheck("jobs", .ok, "The documents of \(jobs.count) \(jobs.count == 1 ? "job" : "jobs") can be used.")
  }

  /// Judges whether what is due is done.
  ///
  /// - Parameters:
  ///   - jobs: the ids of jobs whose time has passed by more than ``patience(byWorkers:)``.
  ///   - runs: the number of runs whose time has passed by more than that.
  ///   - oldest: the time since which the first of them waits.
  ///   - time: the store's time.
  ///   - byWorkers: whether workers take work from the store.
  /// - Returns: the check.
  static func passes(
    overdue jobs: [String], runs: Int, oldest: Timestamp?, at time: Timestamp, byWorkers: Bool
  ) -> DoctorCheck {
    guard let oldest, !jobs.isEmpty || runs > 0 else {
      return DoctorCheck("passes", .ok, "Nothing that is due waits longer than it should.")
    }
    let parts = [
      jobs.isEmpty ? nil : "\(jobs.count) \(jobs.count == 1 ? "job" : "jobs") (\(list(jobs)))",
      runs == 0 ? nil : "\(runs) \(runs == 1 ? "run" : "runs")",
    ].compactMap { $0 }
    return DoctorCheck(
      "passes", .failed, "\(parts.joined(separator: " and ")) overdue, the first for \(text(time - oldest)).",
      byWorkers
        ? "Start the program that has their code: its `worker` or `serve`."
        : "Cloud Scheduler must call POST /jobs/master of the service once a minute: see the check scheduler.")
  }

  /// Judges the workers.
  ///
  /// - Parameters:
  ///   - workers: the workers that were heard of within the last hour.
  ///   - hasWork: whether the store has jobs with schedules or runs that wait.
  ///   - byWorkers: whether workers take work from the store.
  /// - Returns: the check.
  static func workers(_ workers: [WorkerStatus], hasWork: Bool, byWorkers: Bool) -> DoctorCheck {
    guard byWorkers else {
      return DoctorCheck("workers", .skipped, "Cloud Tasks delivers the runs of this store: it has no workers.")
    }
    let alive = workers.filter { $0.state == .running }
    let lost = workers.filter { $0.state == .lost }.map(\.record.name)
    if alive.isEmpty {
      let fact = lost.isEmpty ? "No worker has been heard of." : "No worker lives; lost: \(list(lost))."
      return DoctorCheck(
        "workers", hasWork ? .failed : .warning, fact, "Start the program that has the jobs: its `worker` or `serve`.")
    }
    let fact = "\(alive.count) \(alive.count == 1 ? "worker lives" : "workers live")"
    if lost.isEmpty { return DoctorCheck("workers", .ok, "\(fact).") }
    return DoctorCheck(
      "workers", .warning, "\(fact); lost within the last hour: \(list(lost)).",
      "A process died or hangs. Its runs continue elsewhere when their leases have expired.")
  }

  /// Returns some names, of which the first are shown.
  static func list(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
  }
}

// MARK: - Google Cloud

extension DoctorCheck {
  /// Judges a queue of Cloud Tasks.
  ///
  /// - Parameters:
  ///   - queue: the queue; nil if it does not exist.
  ///   - name: its name.
  /// - Returns: the check.
  static func queue(_ queue: JSONValue?, name: String) -> DoctorCheck {
    guard let queue else {
      return DoctorCheck("queue", .failed, "The queue \(name) does not exist.", "Make it: `sync --apply`.")
    }
    let state = queue["state"]?.string ?? "RUNNING"
    if state == "RUNNING" { return DoctorCheck("queue", .ok, "The queue \(name) is running.") }
    return DoctorCheck(
      "queue", .failed, "The queue \(name) is \(state.lowercased()): its tasks wait.",
      "Resume it: `gcloud tasks queues resume \(name)`.")
  }

  /// Judges the job of Cloud Scheduler that triggers the master pass.
  ///
  /// - Parameters:
  ///   - job: the job; nil if it does not exist.
  ///   - name: its name.
  ///   - time: the current time.
  /// - Returns: the check.
  static func scheduler(_ job: JSONValue?, name: String, at time: Timestamp) -> DoctorCheck {
    guard let job else {
      return DoctorCheck(
        "scheduler", .failed, "Cloud Scheduler has no job \(name), so that no master pass runs.",
        "Make it: `sync --apply`.")
    }
    let state = job["state"]?.string ?? "ENABLED"
    if state != "ENABLED" {
      return DoctorCheck(
        "scheduler", .failed, "The job \(name) of Cloud Scheduler is \(state.lowercased()): no master pass runs.",
        "Resume it: `gcloud scheduler jobs resume \(name)`.")
    }
    if let code = job["status"]?["code"]?.integer, code != 0 {
      return DoctorCheck(
        "scheduler", .failed, "The last call of the job \(name) of Cloud Scheduler failed with the code \(code).",
        "Check the service's address, that its account \(account(of: job)) may call it, and the service's log.")
    }
    guard let last = job["lastAttemptTime"]?.string.flatMap({ Timestamp(rfc3339: $0) }) else {
      return DoctorCheck("scheduler", .ok, "The job \(name) of Cloud Scheduler is enabled; it has not fired yet.")
    }
    let fact = "The job \(name) of Cloud Scheduler fired \(text(max(.zero, time - last))) ago."
    if time - last < .minutes(10) { return DoctorCheck("scheduler", .ok, fact) }
    return DoctorCheck("scheduler", .warning, fact, "It should fire once a minute: compare it by `sync`.")
  }

  private static func account(of job: JSONValue) -> String {
    job["httpTarget"]?["oidcToken"]?["serviceAccountEmail"]?.string ?? "(none is set)"
  }
}
