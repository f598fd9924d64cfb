#if HTTP
import CloudJobs
import CloudJobsCore
@testable import CloudJobsGoogle
import Testing

#if HTTP && Server
@Suite("Sync plan")
struct SyncPlannerTests {
  private typealias Sample = SyncSample

  private static func plan(
    _ definitions: [JobDefinition], _ fields: [JobID: JSONValue] = [:], _ inventory: CloudInventory = CloudInventory(),
    _ configuration: CloudSyncConfiguration = Sample.configuration
  ) -> SyncPlan {
    SyncPlanner.plan(configuration, Sample.documents(definitions, fields), inventory)
  }

  @Test("An empty location gets the default queue and the master job, with all their fields")
  func first() throws {
    let plan = Self.plan([])
    #expect(plan.description == "create queue default\ncreate scheduler job cloud-jobs-cloud_jobs_master")
    #expect(
      plan.changes[0].body == [
        "name": "projects/p/locations/l/queues/default",
        "retryConfig": [
          "maxAttempts": 100, "maxRetryDuration": "86400s", "minBackoff": "1s", "maxBackoff": "300s", "maxDoublings": 8,
        ],
      ])
    #expect(
      plan.changes[1].body == [
        "name": "projects/p/locations/l/jobs/cloud-jobs-cloud_jobs_master",
        "description":
          "[cloud-jobs:cloud-jobs] cloud_jobs_master. Kept by sync: edit the job's document, as edits here are undone.",
        "schedule": "* * * * *", "timeZone": "Etc/UTC", "attemptDeadline": "180s",
        "retryConfig": ["retryCount": 0, "minBackoffDuration": "5s", "maxBackoffDuration": "300s", "maxDoublings": 5],
        "httpTarget": [
          "uri": "https://service.example/jobs/master", "httpMethod": "POST",
          "oidcToken": [
            "serviceAccountEmail": "runner@p.iam.gserviceaccount.com", "audience": "https://service.example",
          ],
        ],
      ])
  }

  @Test(
    "Triggers of a scheduled job",
    arguments: [
      ("0 2 * * *", [:], "create scheduler job cloud-jobs-report"),
      ("@daily", [:], "create scheduler job cloud-jobs-report"),
      ("every monday 09:00", [:], "create scheduler job cloud-jobs-report"),
      ("0 2 * * *", ["enabled": false], "create scheduler job cloud-jobs-report (paused)"),
      ("0 2 * * *", ["trigger": "masterPass"], "note: report: the master pass runs it. Its trigger is masterPass."),
      (
        "*/10 * * * * *", [:],
        "note: report: the master pass runs it. Cloud Scheduler can't express \"*/10 * * * * *\"."
      ),
      ("0 0 L * *", [:], "note: report: the master pass runs it. Cloud Scheduler can't express \"0 0 L * *\"."),
      ("0 0 15W * *", [:], "note: report: the master pass runs it. Cloud Scheduler can't express \"0 0 15W * *\"."),
      ("0 0 * * MON#2", [:], "note: report: the master pass runs it. Cloud Scheduler can't express \"0 0 * * MON#2\"."),
      ("5m", [:], "note: report: the master pass runs it. Cloud Scheduler can't express \"5m\"."),
      ("0 2 * * *", ["cron": "30s"], "note: report: the master pass runs it. Cloud Scheduler can't express \"30s\"."),
      ("30s", ["cron": "0 2 * * *"], "create scheduler job cloud-jobs-report"),
    ] as [(String, JSONValue, String)])
  func triggers(cron: String, fields: JSONValue, line: String) throws {
    let definitions = [Sample.scheduled("report", cron)]
    let documents = Sample.documents(definitions, ["report": fields])
    let plan = SyncPlanner.plan(Sample.configuration, documents, CloudInventory())
    let minuteNotes = Sample.lines(plan).filter { $0.contains("more than once a minute") }
    #expect(Sample.lines(plan).filter { !minuteNotes.contains($0) } == [line])
    #expect(minuteNotes.count == (line.contains("*/10 * * * * *") || line.contains("30s") ? 1 : 0))
    // Exactly one of the two triggers it.
    #expect(try documents.resolve(definitions[0]).isRunByPass(under: .cloudScheduler) == line.hasPrefix("note"))
  }

  @Test("Macros are expanded, and the job's zone and timeout are used")
  func fields() {
    let plan = Self.plan([Sample.scheduled("report", "@weekly", in: "Europe/Berlin")], ["report": ["timeout": 60]])
    let body = plan.changes.last?.body
    #expect(body?["schedule"] == "0 0 * * 0" && body?["timeZone"] == "Europe/Berlin")
    #expect(body?["attemptDeadline"] == "75s" && body?["retryConfig"]?["retryCount"] == 5)
    #expect(body?["httpTarget"]?["uri"] == "https://service.example/jobs/scheduled/report")
  }

  @Test(
    "An edit updates only its fields",
    arguments: [
      ([:], "unchanged scheduler job cloud-jobs-report"),
      (["cron": "30 3 * * *"], "update scheduler job cloud-jobs-report: schedule"),
      (["timeZone": "Asia/Tokyo"], "update scheduler job cloud-jobs-report: timeZone"),
      (["timeout": 90], "update scheduler job cloud-jobs-report: attemptDeadline"),
      (["enabled": false], "update scheduler job cloud-jobs-report: state"),
      (["enabled": false, "cron": "@daily"], "update scheduler job cloud-jobs-report: schedule, state"),
      (["maxRetries": 9, "priority": 4], "unchanged scheduler job cloud-jobs-report"),
    ] as [(JSONValue, String)])
  func edits(fields: JSONValue, line: String) {
    let definitions = [Sample.scheduled("report", "0 2 * * *")]
    let before = Sample.inventory(after: Self.plan(definitions))
    #expect(Sample.lines(Self.plan(definitions, ["report": fields], before)) == [line])
  }

  @Test("Another handler, another account or no account updates the target")
  func target() {
    let before = Sample.inventory(after: Self.plan([]))
    var moved = Sample.configuration
    moved.tasks.handler = "https://other.example/jobs"
    var anonymous = Sample.configuration
    anonymous.tasks.serviceAccount = nil
    for configuration in [moved, anonymous] {
      let plan = Self.plan([], [:], before, configuration)
      #expect(plan.changes.last?.description == "update scheduler job cloud-jobs-cloud_jobs_master: httpTarget")
    }
    #expect(Self.plan([], [:], before).isEmpty)
  }

  @Test("Queues are named by jobs, updated field by field, and never deleted")
  func queues() {
    var job = JobDefinition(id: "job", kind: .endpoint)
    job.policy.queue = "mail"
    #expect(Sample.lines(Self.plan([job])) == ["create queue mail"])
    #expect(Sample.lines(Self.plan([job], ["job": ["queue": "bulk"]])) == ["create queue bulk"])
    var before = Sample.inventory(after: Self.plan([job]))
    #expect(Sample.lines(Self.plan([], [:], before)).isEmpty)
    var configuration = Sample.configuration
    configuration.queues["mail"] = QueueSettings()
    configuration.queues["mail"]?.maxDispatchesPerSecond = 5
    configuration.queues["mail"]?.minBackoff = .seconds(2)
    #expect(
      Sample.lines(Self.plan([job], [:], before, configuration))
        == ["update queue mail: rateLimits.maxDispatchesPerSecond, retryConfig.minBackoff"])
    // Limits without configuration are left to the operator.
    let name = "\(Sample.parent)/queues/mail"
    var fields = before.queues[name]?.object ?? [:]
    fields["rateLimits"] = ["maxDispatchesPerSecond": 7]
    before.queues[name] = .object(fields)
    #expect(Self.plan([job], [:], before).isEmpty)
  }

  @Test("Resources of others are kept: another tag, another name, a name of ours without the tag")
  func foreign() {
    var inventory = Sample.inventory(after: Self.plan([]))
    let own = "\(Sample.parent)/jobs/cloud-jobs-gone"
    let tag = Sample.configuration.ownershipTag
    for (name, description) in [
      ("\(Sample.parent)/jobs/other", "\(tag) copied by hand"), ("\(Sample.parent)/jobs/cloud-jobs-hand", "By hand."),
      ("\(Sample.parent)/jobs/cloud-jobs-2-x", "[cloud-jobs:cloud-jobs-2] x"), (own, "\(tag) gone."),
      ("\(Sample.parent)/jobs/cloud-jobs-report", "By hand."),
    ] {
      inventory.jobs[name] = ["name": .string(name), "description": .string(description)]
    }
    let plan = Self.plan([Sample.scheduled("report", "0 2 * * *")], [:], inventory)
    let changes = plan.changes.filter { $0.action != .unchanged }
    #expect(changes.map(\.description) == ["delete scheduler job cloud-jobs-gone"])
    #expect(plan.notes.count == 1 && plan.notes[0].contains("is left unchanged"))
  }

  @Test("An invalid document leaves its Cloud Scheduler job unchanged, with a note")
  func broken() {
    let definitions = [Sample.scheduled("report", "0 2 * * *")]
    let before = Sample.inventory(after: Self.plan(definitions))
    for fields in [["cron": "nonsense"], ["cron": 5], ["timeZone": "Mars/Base"]] as [JSONValue] {
      let plan = Self.plan(definitions, ["report": fields], before)
      #expect(plan.isEmpty && plan.notes.count == 1)
    }
  }

  @Test("A Cloud Scheduler job in a failed state is updated", arguments: ["UPDATE_FAILED", "DISABLED"])
  func failedState(state: String) {
    var inventory = Sample.inventory(after: Self.plan([]))
    let name = Sample.configuration.schedulerJobName(of: .master)
    var fields = inventory.jobs[name]?.object ?? [:]
    fields["state"] = .string(state)
    inventory.jobs[name] = .object(fields)
    #expect(!Self.plan([], [:], inventory).isEmpty)
  }

  @Test(
    "Different jobs get different names", arguments: [["a-b", "a.b", "a:b", "a_b", "a--b", "a-db", "a-.b", "a.-b"]])
  func names(ids: [String]) throws {
    let names = try ids.map { try JobID($0).schedulerName }
    #expect(Set(names).count == ids.count)
    #expect(names.allSatisfy { $0.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: ":") } })
  }

  @Test(
    "Fields are compared by meaning",
    arguments: [
      (["a": "3s"], ["a": "3.000s"], []), (["a": "3s"], ["a": "3.5s"], ["a"]), (["a": "0s"], [:], []),
      (["a": 0], [:], []), (["a": 5], ["a": "5"], []), (["a": 5], ["a": 5.0], []), (["a": 5], [:], ["a"]),
      (["a": ["b": 1, "c": 2]], ["a": ["b": 1, "c": 3, "d": 4]], ["a.c"]), (["a": nil], [:], []),
      (["a": nil], ["a": ["b": 1]], ["a"]), (["a": "x"], ["a": "y"], ["a"]), (["a": ["b": "0s"]], [:], []),
    ] as [(JSONValue, JSONValue, [String])])
  func comparison(wanted: JSONValue, found: JSONValue, paths: [String]) {
    #expect(FieldComparison.differences(wanted, found, depth: 2) == paths)
  }
}

/// Jobs and documents for the tests of sync.
enum SyncSample {
  static let parent = "projects/p/locations/l"

  static var configuration: CloudSyncConfiguration {
    var tasks = CloudTasksConfiguration(
      project: "p", location: "l", queue: "default", handler: "https://service.example/jobs")
    tasks.serviceAccount = "runner@p.iam.gserviceaccount.com"
    return CloudSyncConfiguration(tasks)
  }

  static func scheduled(_ id: JobID = "report", _ cron: String, in zone: String = "Etc/UTC") -> JobDefinition {
    JobDefinition(id: id, kind: .scheduled, schedule: .text(cron), timeZone: zone)
  }

  static func documents(_ definitions: [JobDefinition], _ fields: [JobID: JSONValue] = [:]) -> JobDocuments {
    var documents = JobDocuments(definitions: definitions)
    for (id, fields) in fields {
      documents.documents[id] = Result { () throws(JobError) in try JobDocument(id: id, fields: fields) }
    }
    return documents
  }

  /// Returns the location's resources after a plan was applied, as a service would list them.
  static func inventory(after plan: SyncPlan) -> CloudInventory {
    var inventory = CloudInventory()
    for change in plan.changes where change.action != .delete {
      var fields = change.body.object ?? [:]
      fields["state"] = change.kind == .queue ? "RUNNING" : change.isPaused ? "PAUSED" : "ENABLED"
      switch change.kind {
      case .queue: inventory.queues[change.name] = .object(fields)
      case .schedulerJob: inventory.jobs[change.name] = .object(fields)
      }
    }
    return inventory
  }

  /// Returns the plan's lines except those about the default queue and the master job.
  static func lines(_ plan: SyncPlan) -> [String] {
    plan.description.split(separator: "\n").map { String($0) }.filter {
      !$0.hasSuffix("queue default") && !$0.hasSuffix("cloud-jobs-cloud_jobs_master")
    }
  }
}
#endif
#endif
