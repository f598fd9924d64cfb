#if Server
import CloudJobs
import CloudJobsCore
import Configuration
import Foundation
import Logging
import Testing

@testable import CloudJobsServer

@Suite("Settings")
final class JobSettingsTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func file(_ text: String) throws -> String {
    let file = folder.appending(path: "\(UUID().uuidString).json")
    try Data(text.utf8).write(to: file)
    return file.path
  }

  /// A value of each setting, other than its default, as text and in JSON, and how the settings show it.
  private static let samples: [String: (text: String, json: String, read: @Sendable (JobSettings) -> String)] = [
    "store": ("sqlite:a.db", #""sqlite:a.db""#, { $0.store ?? "" }),
    "worker.concurrency": ("7", "7", { "\($0.server.worker?.concurrency ?? 0)" }),
    "worker.pollInterval": ("2s", #""2s""#, { seconds($0.server.worker?.pollInterval) }),
    "worker.reconcileInterval": ("3", "3", { seconds($0.server.worker?.reconcileInterval) }),
    "worker.heartbeat": ("off", #""off""#, { "\($0.server.worker?.heartbeat == nil)" }),
    "worker.staleAfter": ("2m", "120", { seconds($0.server.worker?.staleAfter) }),
    "worker.name": ("web", #""web""#, { $0.server.worker?.name ?? "" }),
    "worker.queues": ("a, b", #""a,b""#, { "\($0.server.worker?.queues == ["a", "b"])" }),
    "worker.enableScheduler": ("false", "false", { "\($0.server.worker?.runsSchedules ?? true)" }),
    "worker.enableProcessing": ("no", "false", { "\($0.server.worker?.executesRuns ?? true)" }),
    "worker.enabled": ("off", "false", { "\($0.server.worker == nil)" }),
    "runtime.queues": ("a, b", #""a, b""#, { "\($0.runtime.queueOrder == .strict(["a", "b"]))" }),
    "runtime.leaseMargin": ("1s", #""1s""#, { seconds($0.runtime.leaseMargin) }),
    "runtime.sweepDelay": ("2s", #""2s""#, { seconds($0.runtime.sweepDelay) }),
    "runtime.misfireGrace": ("3s", #""3s""#, { seconds($0.runtime.misfireGrace) }),
    "runtime.passBudget": ("4s", #""4s""#, { seconds($0.runtime.passBudget) }),
    "runtime.passConcurrency": ("5", "5", { "\($0.runtime.passConcurrency)" }),
    "runtime.housekeeping": ("6s", #""6s""#, { seconds($0.runtime.housekeeping) }),
    "runtime.journalRetention": ("1d", #""1d""#, { seconds($0.runtime.journalRetention) }),
    "runtime.logRetention": ("2d", #""2d""#, { seconds($0.runtime.logRetention) }),
    "runtime.runLogLevel": ("Error", #""error""#, { "\($0.runtime.runLogLevel == .error)" }),
    "runtime.cancellationPoll": ("9s", #""9s""#, { seconds($0.runtime.cancellationPoll) }),
    "runtime.hookTimeout": ("8s", #""8s""#, { seconds($0.runtime.hookTimeout) }),
    "runtime.maxConcurrentDeliveries": ("70", "70", { "\($0.runtime.maxConcurrentDeliveries)" }),
    "runtime.computeThreads": ("3", "3", { "\($0.runtime.computeThreads ?? 0)" }),
    "jobs.timeout": ("1h", #""1h""#, { seconds($0.runtime.defaults.timeout) }),
    "jobs.retention": ("30d", #""30d""#, { seconds($0.runtime.defaults.retention.failed) }),
    "jobs.queue": ("bulk", #""bulk""#, { $0.runtime.defaults.queue ?? "" }),
    "jobs.maxAttempts": ("5", "5", { "\($0.runtime.defaults.retry.maxAttempts)" }),
    "drain.budget": ("25s", #""25s""#, { seconds($0.runtime.drain.budget) }),
    "drain.concurrency": ("4", "4", { "\($0.runtime.drain.concurrency)" }),
    "memory.limit": ("512Mi", #""512Mi""#, { "\($0.runtime.memory?.bytes ?? 0)" }),
    "memory.warnAt": ("60", "60", { "\($0.runtime.memory?.warnAt ?? 0)" }),
    "memory.refuseAt": ("70", "70", { "\($0.runtime.memory?.refuseAt ?? 0)" }),
    "memory.drainAt": ("80", "80", { "\($0.runtime.memory?.drainAt ?? 0)" }),
    "server.host": ("127.0.0.1", #""127.0.0.1""#, { $0.server.host ?? "" }),
    "server.port": ("9", "9", { "\($0.server.port ?? 0)" }),
    "server.mountPath": ("/tasks", #""/tasks""#, { $0.server.mountPath }),
    "server.drainLimit": ("3s", #""3s""#, { seconds($0.server.drainLimit) }),
    "server.exitLimit": ("5s", #""5s""#, { seconds($0.server.exitLimit) }),
    "server.maxConnections": ("9", "9", { "\($0.server.maxConnections)" }),
    "server.requestTimeout": ("4s", #""4s""#, { seconds($0.server.requestTimeout) }),
    "server.idleTimeout": ("5s", #""5s""#, { seconds($0.server.idleTimeout) }),
    "server.logFormat": ("json", #""json""#, { "\($0.server.logFormat)" }),
    "server.traceFile": ("spans.jsonl", #""spans.jsonl""#, { $0.server.traceFile ?? "" }),
    "server.secret": ("0123456789abcdef", #""0123456789abcdef""#, { $0.secret ?? "" }),
    "dashboard.enabled": ("off", "false", { "\($0.server.dashboard == nil)" }),
    "dashboard.password": ("correct horse", #""correct horse""#, { "\($0.server.dashboard?.access as Any)" }),
    "dashboard.readOnlyPassword": ("correct horse", #""correct horse""#, { "\($0.server.dashboard?.access as Any)" }),
    "dashboard.hosts": (
      "b.example", #""b.example""#, { "\($0.server.dashboard?.access as Any)".lowercased() }
    ),
    "dashboard.path": ("/admin/jobs", #""/admin/jobs""#, { $0.server.dashboard?.path ?? "" }),
    "dashboard.title": ("Shop", #""Shop""#, { $0.server.dashboard?.title ?? "" }),
    "dashboard.refresh": ("off", #""off""#, { seconds($0.server.dashboard?.refreshInterval) }),
  ]

  @Test("Every setting is read from its variable, and from its field in a file")
  func each() async throws {
    let samples = Self.samples
    var base = JobSettings()
    base.server.dashboard = DashboardOptions(
      access: try .passwords([DashboardAccess.User("a", password: "0123456789ab")], hosts: ["a.example"]))
    #expect(Set(samples.keys) == Set(JobSetting.all.map(\.key)))
    for setting in JobSetting.all {
      let sample = try #require(samples[setting.key])
      let before = sample.read(base)
      let byVariable = try await JobSettings.load(over: base, environment: [setting.variable: sample.text])
      let members = setting.key.split(separator: ".")
      let json =
        members.count == 1
        ? "{\"\(members[0])\":\(sample.json)}" : "{\"\(members[0])\":{\"\(members[1])\":\(sample.json)}}"
      let byFile = try await JobSettings.load(over: base, environment: [:], file: try file(json))
      #expect(sample.read(byVariable) != before, "\(setting.variable) has an effect")
      #expect(sample.read(byFile) == sample.read(byVariable), "\(setting.key) in a file")
    }
  }

  @Test("The environment goes before the file, and the file before code")
  func precedence() async throws {
    var base = JobSettings()
    base.server.worker?.concurrency = 1
    (base.runtime.passConcurrency, base.runtime.drain.concurrency) = (1, 1)
    let path = try file(#"{"worker": {"concurrency": 2}, "runtime": {"passConcurrency": 2}}"#)
    let settings = try await JobSettings.load(
      over: base, environment: ["CLOUD_JOBS_WORKER_CONCURRENCY": "3", "CLOUD_JOBS_SETTINGS": path, "OTHER": "x"])
    #expect(settings.server.worker?.concurrency == 3)
    #expect(settings.runtime.passConcurrency == 2 && settings.runtime.drain.concurrency == 1)
    let own = try JobSettings(
      over: base, from: [InMemoryProvider(values: [AbsoluteConfigKey(["drain", "concurrency"]): 9])])
    #expect(own.runtime.drain.concurrency == 9 && own.runtime.passConcurrency == 1)
  }

  @Test(
    "An invalid value is refused with the name of its variable or field",
    arguments: [
      (["CLOUD_JOBS_WORKER_CONCURRENCY": "many"], nil, "CLOUD_JOBS_WORKER_CONCURRENCY"),
      (["CLOUD_JOBS_WORKER_CONCURRENCY": "0"], nil, "CLOUD_JOBS_WORKER_CONCURRENCY"),
      (["CLOUD_JOBS_WORKER_POLL_INTERVAL": "1 s"], nil, "CLOUD_JOBS_WORKER_POLL_INTERVAL"),
      (["CLOUD_JOBS_WORKER_ENABLE_SCHEDULER": "maybe"], nil, "CLOUD_JOBS_WORKER_ENABLE_SCHEDULER"),
      (["CLOUD_JOBS_RUNTIME_QUEUES": "a=1,b"], nil, "CLOUD_JOBS_RUNTIME_QUEUES"),
      (["CLOUD_JOBS_RUNTIME_QUEUES": "a,a"], nil, "CLOUD_JOBS_RUNTIME_QUEUES"),
      (["CLOUD_JOBS_RUNTIME_RUN_LOG_LEVEL": "loud"], nil, "CLOUD_JOBS_RUNTIME_RUN_LOG_LEVEL"),
      (["CLOUD_JOBS_SERVER_PORT": "65536"], nil, "CLOUD_JOBS_SERVER_PORT"),
      (["CLOUD_JOBS_SERVER_MOUNT_PATH": "jobs/"], nil, "CLOUD_JOBS_SERVER_MOUNT_PATH"),
      (["CLOUD_JOBS_WORKER_CONCURENCY": "1"], nil, "CLOUD_JOBS_WORKER_CONCURENCY"),
      (["CLOUD_JOBS_SETTING": "a.json"], nil, "CLOUD_JOBS_SETTING"),
      (["CLOUD_JOBS_WORKERS_CONCURRENCY": "1"], nil, "CLOUD_JOBS_WORKERS_CONCURRENCY"),
      ([:], #"{"worker": {"concurrency": "-1"}}"#, "worker.concurrency"),
      ([:], #"{"worker": {"concurrency": [1]}}"#, "worker.concurrency"),
      ([:], #"{"worker": {"concurrency": {"a": 1}}}"#, "worker.concurrency"),
      ([:], #"{"worker": {"concurrency": null}}"#, "worker.concurrency"),
      ([:], #"{"worker": {"concurrency": true}}"#, "worker.concurrency"),
      ([:], #"{"worker": {"concurrency": 1.5}}"#, "worker.concurrency"),
      ([:], #"{"worker": {"enableScheduler": 0.5}}"#, "worker.enableScheduler"),
      ([:], #"{"worker": {"pollInterval": false}}"#, "worker.pollInterval"),
      ([:], #"{"worker": {"pollInterval": 1e99}}"#, "worker.pollInterval"),
      ([:], #"{"store": {"path": "a.db"}}"#, "store"),
      ([:], #"{"worker.concurrency": 1, "worker": {"concurrency": 2}}"#, "worker.concurrency"),
      (["CLOUD_JOBS_MEMORY_LIMIT": "much"], nil, "CLOUD_JOBS_MEMORY_LIMIT"),
      ([:], #"{"worker": {"concurency": 1}}"#, "worker.concurency"), ([:], #"{"wörker": {}}"#, "wörker"),
      ([:], #"{"worker": 1}"#, "worker"), ([:], "[]", "settings"), ([:], "{", "settings"),
      (["CLOUD_JOBS_SETTINGS": "/nowhere/at/all.json"], nil, "CLOUD_JOBS_SETTINGS"),
    ] as [([String: String], String?, String)])
  func faults(_ environment: [String: String], json: String?, field: String) async throws {
    let path = try json.map { try file($0) }
    do throws(JobError) {
      _ = try await JobSettings.load(environment: environment, file: path)
      Issue.record("The settings were accepted.")
    } catch {
      #expect(error.code == .invalidField && error.field == field, "\(error)")
      #expect(!error.message.isEmpty)
    }
  }

  @Test("The error of a misspelled name tells the right one; a name of the program's own is none of them")
  func nearest() async throws {
    for (name, right) in [
      ("CLOUD_JOBS_WORKER_CONCURENCY", "CLOUD_JOBS_WORKER_CONCURRENCY"), ("CLOUD_JOBS_SETTING", "CLOUD_JOBS_SETTINGS"),
    ] {
      let error = await #expect(throws: JobError.self) { try await JobSettings.load(environment: [name: "1"]) }
      #expect(error?.message.contains("Is it \(right)") == true, "\(error?.message ?? "")")
    }
    _ = try await JobSettings.load(environment: ["CLOUD_JOBS_BIN_DIR": "x", "CLOUD_JOBS_SUBPROCESS": "y"])
    let path = try file(#"{"worker": {"concurrency": "x"}}"#)
    let error = await #expect(throws: JobError.self) { try await JobSettings.load(environment: [:], file: path) }
    #expect(error?.message.contains(path) == true)
  }

  @Test("A key with a point, and a fraction of a second, are read from a file")
  func forms() async throws {
    let settings = try await JobSettings.load(
      environment: [:], file: try file(#"{"worker.pollInterval": 2.25, "runtime": {"hookTimeout": "0.5"}}"#))
    #expect(settings.server.worker?.pollInterval == .milliseconds(2_250))
    #expect(settings.runtime.hookTimeout == .milliseconds(500))
  }

  @Test("The variables of services in Kubernetes are no settings")
  func serviceLinks() async throws {
    let settings = try await JobSettings.load(environment: [
      "CLOUD_JOBS_SERVER_PORT": "tcp://10.0.0.11:80", "CLOUD_JOBS_SERVER_SERVICE_HOST": "10.0.0.11",
      "CLOUD_JOBS_SERVER_SERVICE_PORT": "80", "CLOUD_JOBS_SERVER_SERVICE_PORT_HTTP": "80",
      "CLOUD_JOBS_SERVER_PORT_80_TCP": "tcp://10.0.0.11:80", "CLOUD_JOBS_SERVER_PORT_80_TCP_PROTO": "tcp",
      "CLOUD_JOBS_SERVER_PORT_80_TCP_PORT": "80", "CLOUD_JOBS_SERVER_PORT_80_TCP_ADDR": "10.0.0.11",
      "CLOUD_JOBS_WORKER_MAIN_PORT": "udp://10.0.0.12:53", "CLOUD_JOBS_WORKER_CONCURRENCY": "2",
    ])
    #expect(settings.server.port == nil && settings.server.worker?.concurrency == 2)
    await #expect(throws: JobError.self) {
      try await JobSettings.load(environment: ["CLOUD_JOBS_SERVER_PORT_80": "1"])
    }
  }

  @Test("Whether there is a worker is read before its other settings, which are checked in any case")
  func worker() async throws {
    var base = JobSettings()
    base.server.worker = nil
    let settings = try await JobSettings.load(
      over: base, environment: ["CLOUD_JOBS_WORKER_ENABLED": "true", "CLOUD_JOBS_WORKER_CONCURRENCY": "3"])
    #expect(settings.server.worker?.concurrency == 3)
    let without = try await JobSettings.load(over: base, environment: ["CLOUD_JOBS_WORKER_CONCURRENCY": "3"])
    #expect(without.server.worker == nil)
    await #expect(throws: JobError.self) {
      try await JobSettings.load(over: base, environment: ["CLOUD_JOBS_WORKER_CONCURRENCY": "none"])
    }
  }

  @Test("With a secret callers need it, from anywhere; without one only this machine's programs are trusted")
  func secret() async throws {
    #expect(!JobSettings().authentication.allowsRemotePeers)
    let settings = try await JobSettings.load(environment: ["CLOUD_JOBS_SERVER_SECRET": "0123456789abcdef"])
    #expect(settings.authentication.allowsRemotePeers)
    let short = await #expect(throws: JobError.self) {
      try await JobSettings.load(environment: ["CLOUD_JOBS_SERVER_SECRET": "hush-hush"])
    }
    #expect(short?.field == "CLOUD_JOBS_SERVER_SECRET" && short?.message.contains("hush-hush") == false)
  }

  @Test(
    "The settings of the dashboard make one, change that of the code, or remove it",
    arguments: [
      ([:], false, "none"), ([:], true, "loopback /own"), (["ENABLED": "true"], false, "loopback /dashboard"),
      (["ENABLED": "false", "PASSWORD": "correct horse"], true, "none"),
      (["PASSWORD": "correct horse"], false, "admin, full /dashboard"),
      (["READ_ONLY_PASSWORD": "correct horse", "PATH": "/a/b"], true, "viewer, readOnly /a/b"),
      (["TITLE": "Shop"], false, "none"),
    ] as [([String: String], Bool, String)])
  func dashboard(variables: [String: String], hasOwn: Bool, expected: String) async throws {
    var base = JobSettings()
    if hasOwn { base.server.dashboard = DashboardOptions(path: "/own") }
    let pairs = variables.map { ("CLOUD_JOBS_DASHBOARD_\($0.key)", $0.value) }
    let settings = try await JobSettings.load(over: base, environment: Dictionary(uniqueKeysWithValues: pairs))
    let dashboard = settings.server.dashboard
    let users = dashboard?.access.users.map(\.description) ?? []
    let who = dashboard?.access.isLoopback == true ? "loopback" : users.joined(separator: "; ")
    #expect((dashboard.map { "\(who) \($0.path)" } ?? "none") == expected)
  }

  @Test(
    "No error repeats a password, and names for a dashboard without one are refused",
    arguments: [
      (["PASSWORD": "s3cret"], "CLOUD_JOBS_DASHBOARD_PASSWORD"),
      (["READ_ONLY_PASSWORD": "s3cret"], "CLOUD_JOBS_DASHBOARD_READ_ONLY_PASSWORD"),
      (["ENABLED": "true", "HOSTS": "a.example"], "dashboard.hosts"),
      (["PASSWORD": "s3cret-s3cret", "HOSTS": "https://a.example"], "CLOUD_JOBS_DASHBOARD_HOSTS"),
      (["PASSWORD": "s3cret-s3cret", "HOSTS": ""], "CLOUD_JOBS_DASHBOARD_HOSTS"),
      (["PASSWORD": "s3cret-s3cret", "PATH": "/"], "CLOUD_JOBS_DASHBOARD_PATH"),
      (["PASSWORD": "s3cret-s3cret", "PATH": "/a/../b"], "CLOUD_JOBS_DASHBOARD_PATH"),
      (["PASSWORD": "s3cret-s3cret", "REFRESH": "10ms"], "CLOUD_JOBS_DASHBOARD_REFRESH"),
    ])
  func dashboardFaults(variables: [String: String], field: String) async throws {
    let pairs = variables.map { ("CLOUD_JOBS_DASHBOARD_\($0.key)", $0.value) }
    let error = await #expect(throws: JobError.self) {
      try await JobSettings.load(environment: Dictionary(uniqueKeysWithValues: pairs))
    }
    #expect(error?.field == field)
    #expect(error.map { "\($0)".contains("s3cret") } == false)
  }

  @Test("The documentation lists every setting with its variable and its default")
  func documentation() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Documentation/settings.md").standardizedFileURL
    let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
      .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    #expect(rows.map { $0[0] } == JobSetting.all.map { "`\($0.key)`" })
    #expect(rows.map { $0[1] } == JobSetting.all.map { "`\($0.variable)`" })
    #expect(rows.map { $0[2] } == JobSetting.all.map(\.standard))
    #expect(rows.allSatisfy { $0.count == 4 && !$0[3].isEmpty })
  }

  @Test("The defaults in the table are those of the code")
  func standards() async throws {
    // A setting with its default changes nothing.
    let plain = JobSettings()
    for setting in JobSetting.all where setting.standard.allSatisfy({ !$0.isWhitespace }) {
      if ["store", "worker.name", "server.secret"].contains(setting.key) { continue }
      let settings = try await JobSettings.load(environment: [setting.variable: setting.standard])
      #expect(settings.server.worker == plain.server.worker, "\(setting.key)")
      #expect("\(settings.runtime.defaults)" == "\(plain.runtime.defaults)" || setting.group == "jobs")
      #expect(settings.runtime.drain == plain.runtime.drain, "\(setting.key)")
      #expect(settings.runtime.memory == plain.runtime.memory, "\(setting.key)")
      #expect(Self.figures(settings) == Self.figures(plain), "\(setting.key)")
    }
  }

  private static func figures(_ settings: JobSettings) -> [String] {
    let (runtime, server) = (settings.runtime, settings.server)
    return [
      "\(runtime.queueOrder == .standard)", "\(runtime.leaseMargin)", "\(runtime.sweepDelay)",
      "\(runtime.misfireGrace)", "\(runtime.passBudget)", "\(runtime.passConcurrency)", "\(runtime.housekeeping)",
      "\(runtime.journalRetention)", "\(runtime.logRetention)", "\(String(describing: runtime.runLogLevel))",
      "\(runtime.cancellationPoll)", "\(runtime.hookTimeout)", "\(runtime.maxConcurrentDeliveries)",
      "\(runtime.defaults.timeout)", "\(runtime.defaults.retention)", "\(runtime.defaults.retry)",
      "\(server.port ?? JobServerConfiguration.defaultPort)", server.mountPath, "\(server.drainLimit)",
      "\(server.exitLimit)", "\(server.maxConnections)", "\(server.requestTimeout)", "\(server.idleTimeout)",
    ]
  }
}

private func seconds(_ span: Duration?) -> String { span.map { "\($0)" } ?? "none" }
#endif
