import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsStores
import ProgramConsole

#if Google
import CloudJobsGoogle
#endif

/// `doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Checks a store, its clock, its workers and its jobs, each with the remedy of what is wrong.",
    discussion: """
      With --project (or a Firestore store) and --location it checks the queue and Cloud Scheduler too. It writes one \
      entry that nothing reads, and removes it. The exit code is 1 if a check failed.
      """)

  #if Google
  @OptionGroup var cloud: CloudOptions
  #endif
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      let address = try store.address()
      var checks: [DoctorCheck]
      do throws(JobError) {
        let runtime = try await store.runtime()
        checks = await Doctor(runtime, address).checks()
      } catch {
        // A wrong command line is no finding about the store.
        guard CommandFailure.code(of: error) != 64 else { throw error }
        let others = Doctor.storeChecks.map { DoctorCheck($0, .skipped, "The store can't be opened.") }
        checks = [DoctorCheck("store", failedWith: error)] + others
      }
      checks += await googleChecks(address)
      let report = DoctorReport(checks: checks, store: "\(address)")
      try output.show(report.json) { _, _ in report.lines(width: Terminal.current.width) }
      if report.count(.failed) > 0 { throw ExitCode(1) }
    }
  }

  /// Returns the checks of the queue and of Cloud Scheduler.
  private func googleChecks(_ address: StoreAddress) async -> [DoctorCheck] {
    #if Google
    let names = ["queue", "scheduler"]
    guard let project = cloud.project(of: address), let location = cloud.location else {
      return names.map { DoctorCheck($0, .skipped, "Give --project and --location to check it.") }
    }
    var options = cloud
    options.serviceURL = cloud.serviceURL ?? "https://unknown.invalid"
    do {
      let configuration = try options.configuration(for: address)
      return try await CloudOptions.withGoogle(project) { google in
        let sync = CloudSync(configuration, in: google)
        let place = "--location \(location) --project \(project)"
        let queue = await Doctor.check(names[0]) { () async throws(JobError) in
          DoctorCheck.queue(try await sync.defaultQueue(), name: configuration.tasks.queue)
        }
        let scheduler = await Doctor.check(names[1]) { () async throws(JobError) in
          DoctorCheck.scheduler(
            try await sync.masterJob(),
            name: configuration.schedulerJobName(of: .master).split(separator: "/").last.map { String($0) } ?? "",
            at: SystemClock().now())
        }
        return [queue, scheduler].map { $0.completingCommands(with: place) }
      }
    } catch {
      return names.map { DoctorCheck($0, .failed, CommandFailure.text(of: error)) }
    }
    #else
    return []
    #endif
  }
}

/// The checks of a store.
struct Doctor: Sendable {
  /// The names of the checks after the first.
  static let storeChecks = ["permissions", "clock", "indexes", "versions", "jobs", "workers", "passes"]
  /// The number of due records of each kind that are read.
  private static let dueLimit = 200

  private let runtime: JobRuntime
  private let address: StoreAddress
  private var store: any JobStore { runtime.store }

  /// Creates the checks of an open store.
  init(_ runtime: JobRuntime, _ address: StoreAddress) {
    (self.runtime, self.address) = (runtime, address)
  }

  private var isFirestore: Bool { if case .firestore = address.kind { true } else { false } }

  /// Returns a check, or the one that its error makes.
  static func check(_ name: String, _ body: () async throws(JobError) -> DoctorCheck) async -> DoctorCheck {
    do throws(JobError) {
      return try await body()
    } catch {
      return DoctorCheck(name, failedWith: error)
    }
  }

  /// Makes all checks, one after the other.
  func checks() async -> [DoctorCheck] {
    [
      await Self.check("store") { () async throws(JobError) in try await reachable() },
      await Self.check("permissions") { () async throws(JobError) in try await permissions() },
      await Self.check("clock") { () async throws(JobError) in try await clock() },
      await indexes(),
      await Self.check("versions") { () async throws(JobError) in try await versions() },
      await Self.check("jobs") { () async throws(JobError) in
        DoctorCheck.jobs(try await JobInventory(runtime).all().jobs, hasCode: JobCommand.registry != nil)
      },
      await Self.check("workers") { () async throws(JobError) in try await workers() },
      await Self.check("passes") { () async throws(JobError) in try await passes() },
    ]
  }

  private func call<Result: Sendable>(
    _ body: (any JobStore) async throws(StoreError) -> Result
  ) async throws(JobError) -> Result {
    do throws(StoreError) {
      return try await body(store)
    } catch {
      throw JobError(error)
    }
  }

  private func reachable() async throws(JobError) -> DoctorCheck {
    _ = try await call { (store) async throws(StoreError) in try await store.jobs(after: nil, limit: 1) }
    return DoctorCheck("store", .ok, "\(address) answers.")
  }

  /// Writes an entry that nothing reads, and removes it.
  private func permissions() async throws(JobError) -> DoctorCheck {
    let id = LedgerID.leader("cloud-jobs-doctor")
    let entry = Ledger.leader(LeaderLedger(holder: nil, term: 0, until: .epoch))
    do throws(JobError) {
      _ = try await call { (store) async throws(StoreError) in try await store.commit([.putLedger(id, entry, .none)]) }
      _ = try await call { (store) async throws(StoreError) in try await store.commit([.putLedger(id, nil, .none)]) }
    } catch {
      return DoctorCheck(
        "permissions", failedWith: error, remedy: "Grant this user the right to write, or run commands that only read.")
    }
    return DoctorCheck("permissions", .ok, "Entries can be read, written and removed.")
  }

  private func clock() async throws(JobError) -> DoctorCheck {
    let before = SystemClock().now()
    let time = try await call { (store) async throws(StoreError) in try await store.commit([]) }
    return .clock(store: time, before: before, after: SystemClock().now())
  }

  private func indexes() async -> DoctorCheck {
    let filters: [(String, RunFilter)] = [
      ("runs by job", RunFilter(job: "cloud_jobs_doctor")), ("runs by status", RunFilter(statuses: [.failed])),
      ("runs by correlation id", RunFilter(correlationID: "cloud-jobs-doctor")),
    ]
    var failures: [(list: String, error: JobError)] = []
    for (name, filter) in filters {
      do throws(JobError) {
        _ = try await call { (store) async throws(StoreError) in
          try await store.runs(matching: filter, after: nil, limit: 1)
        }
      } catch {
        failures.append((name, error))
      }
    }
    for isAscending in [true, false] {
      do throws(JobError) {
        _ = try await call { (store) async throws(StoreError) in
          try await store.journal(
            matching: JournalFilter(job: "cloud_jobs_doctor", isAscending: isAscending), limit: 1)
        }
      } catch {
        failures.append((isAscending ? "decisions by job, oldest first" : "decisions by job", error))
      }
    }
    return .indexes(isFirestore: isFirestore, failures: failures)
  }

  private func versions() async throws(JobError) -> DoctorCheck {
    let versions = try await StoreVersions(of: store)
    let schema = versions.schema.map { ["schema \($0)"] } ?? []
    let parts = ["cloud-jobs \(JobCommand.version)"] + schema + versions.parts
    return DoctorCheck("versions", .ok, parts.joined(separator: ", ") + ".")
  }

  private func workers() async throws(JobError) -> DoctorCheck {
    let waiting = try await runtime.runs(matching: RunFilter(statuses: [.pending, .scheduled, .running]), limit: 1).runs
    let jobs = try await JobInventory(runtime).all().jobs
    let isScheduled = jobs.contains { $0["state"]?["nextRun"] != nil && $0["enabled"]?.bool != false }
    return .workers(
      try await runtime.workers(), hasWork: !waiting.isEmpty || isScheduled, byWorkers: runtime.needsWorker)
  }

  private func passes() async throws(JobError) -> DoctorCheck {
    let patience = DoctorCheck.patience(byWorkers: runtime.needsWorker)
    let jobs = try await call { (store) async throws(StoreError) in
      try await store.dueJobs(after: nil, limit: Self.dueLimit)
    }
    let runs = try await call { (store) async throws(StoreError) in
      try await store.wakingRuns(after: nil, limit: Self.dueLimit)
    }
    let lateJobs = jobs.records.filter { record in record.nextRun.map { jobs.time - $0 > patience } ?? false }
    let lateRuns = runs.records.compactMap { try? $0.run.get().wakeAt }.filter { runs.time - $0 > patience }
    let oldest = (lateJobs.compactMap(\.nextRun) + lateRuns).min()
    return .passes(
      overdue: lateJobs.map(\.id), runs: lateRuns.count, oldest: oldest, at: runs.time, byWorkers: runtime.needsWorker)
  }
}

/// What the doctor found: pure.
struct DoctorReport {
  let checks: [DoctorCheck]
  let store: String

  /// Returns the number of checks of a verdict.
  func count(_ verdict: DoctorCheck.Verdict) -> Int { checks.count { $0.verdict == verdict } }

  /// The report as JSON.
  var json: JSONValue {
    [
      "store": .string(store), "healthy": .bool(count(.failed) == 0),
      "checks": .array(checks.map(\.json)),
    ]
  }

  /// Returns the report for people, in lines of a terminal's width.
  func lines(width: Int?) -> [String] {
    let indent = (checks.map(\.name.count).max() ?? 0) + 11
    let space = String(repeating: " ", count: indent)
    var lines: [String] = []
    for check in checks {
      let texts = [check.fact, check.remedy].compactMap { $0 }.flatMap {
        TextTable.wrapped($0, width: width.map { $0 - indent })
      }
      let verdict = check.verdict.rawValue
      let head = Colours.paint(verdict) + String(repeating: " ", count: 9 - verdict.count) + check.name
      let gap = String(repeating: " ", count: indent - 9 - check.name.count)
      lines.append(head + gap + (texts.first ?? ""))
      lines += texts.dropFirst().map { space + $0 }
    }
    let summary = DoctorCheck.Verdict.allCases.reversed().map { "\(count($0)) \($0.rawValue)" }
    return lines + ["", summary.joined(separator: ", ") + "."]
  }
}

extension DoctorCheck {
  /// Returns the check with options added to the commands of gcloud in its remedy.
  func completingCommands(with options: String) -> DoctorCheck {
    guard let remedy, let start = remedy.firstRange(of: "`gcloud ") else { return self }
    var check = self
    let end = remedy[start.upperBound...].firstIndex(of: "`") ?? remedy.endIndex
    check.remedy = remedy[..<end] + " \(options)" + remedy[end...]
    return check
  }
}
