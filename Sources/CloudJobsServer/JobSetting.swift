#if Server
import CloudJobs
import CloudJobsCore
import Logging

/// One setting: its key, what it means, and where its value goes.
///
/// The table of all settings is data: the settings are read by it, and their documentation is checked against it.
struct JobSetting: Sendable {
  /// The key, such as `worker.pollInterval`.
  let key: String
  /// The default as the documentation shows it.
  let standard: String
  /// Sets a value that is given as text.
  ///
  /// Throws ``JobError`` `invalidField` with what was expected.
  let set: @Sendable (inout JobSettings, String) throws -> Void

  /// The group of the setting; nil for one without.
  var group: String? {
    let parts = key.split(separator: ".")
    return parts.count > 1 ? String(parts[0]) : nil
  }

  /// The environment variable.
  var variable: String {
    var name = "CLOUD_JOBS_"
    for character in key {
      if character == "." {
        name += "_"
      } else {
        name += (character.isUppercase ? "_" : "") + character.uppercased()
      }
    }
    return name
  }

  /// All settings, in the order of the documentation.
  static let all: [JobSetting] =
    [store] + worker + runtime + jobs + drain + memory + server + dashboard

  private static let store = JobSetting(key: "store", standard: "none") { settings, value in
    settings.store = try text(value)
  }

  // Whether there is a worker is read first: the others change one that there is.
  private static let worker: [JobSetting] = [
    JobSetting(key: "worker.enabled", standard: "true") { settings, text in
      settings.server.worker = try flag(text) ? settings.server.worker ?? JobWorker.Options() : nil
    },
    worker("concurrency", "64") { $0.concurrency = try number($1, 1...10_000) },
    worker("pollInterval", "1s") { $0.pollInterval = try span($1, atLeast: .milliseconds(10)) },
    worker("reconcileInterval", "10s") { $0.reconcileInterval = try span($1, atLeast: .milliseconds(100)) },
    worker("heartbeat", "15s") { $0.heartbeat = try optionalSpan($1, atLeast: .milliseconds(100)) },
    worker("staleAfter", "1m") { $0.staleAfter = try span($1, atLeast: .seconds(1)) },
    worker("name", "host:process") { $0.name = try text($1) },
    worker("queues", "all") { $0.queues = $1 == "all" ? nil : Set(try names($1)) },
    worker("enableScheduler", "true") { $0.runsSchedules = try flag($1) },
    worker("enableProcessing", "true") { $0.executesRuns = try flag($1) },
  ]

  private static let runtime: [JobSetting] = [
    runtime("queues", "critical=6,default=3,low=1") { $0.queueOrder = try queueOrder($1) },
    runtime("leaseMargin", "15s") { $0.leaseMargin = try span($1, atLeast: .zero) },
    runtime("sweepDelay", "1m") { $0.sweepDelay = try span($1, atLeast: .zero) },
    runtime("misfireGrace", "5m") { $0.misfireGrace = try span($1, atLeast: .zero) },
    runtime("passBudget", "2m") { $0.passBudget = try span($1, atLeast: .seconds(1)) },
    runtime("passConcurrency", "8") { $0.passConcurrency = try number($1, 1...1_000) },
    runtime("housekeeping", "5m") { $0.housekeeping = try span($1, atLeast: .seconds(1)) },
    runtime("journalRetention", "30d") { $0.journalRetention = try span($1, atLeast: .zero) },
    runtime("logRetention", "7d") { $0.logRetention = try span($1, atLeast: .zero) },
    runtime("runLogLevel", "info") { $0.runLogLevel = try level($1) },
    runtime("cancellationPoll", "5s") { $0.cancellationPoll = try span($1, atLeast: .milliseconds(100)) },
    runtime("hookTimeout", "10s") { $0.hookTimeout = try span($1, atLeast: .milliseconds(1)) },
    runtime("maxConcurrentDeliveries", "1000") { $0.maxConcurrentDeliveries = try number($1, 1...1_000_000) },
    runtime("computeThreads", "one per processor") { $0.computeThreads = try number($1, 1...1_024) },
  ]

  private static let jobs: [JobSetting] = [
    runtime("timeout", "5m", group: "jobs") { $0.defaults.timeout = try span($1, atLeast: .milliseconds(1)) },
    runtime("retention", "90d", group: "jobs") { $0.defaults.retention = Retention(try span($1, atLeast: .zero)) },
    runtime("queue", "the service's own", group: "jobs") { $0.defaults.queue = try text($1) },
    runtime("maxAttempts", "3", group: "jobs") { $0.defaults.retry.maxAttempts = try number($1, 1...1_000) },
  ]

  private static let drain: [JobSetting] = [
    runtime("budget", "50s", group: "drain") { $0.drain.budget = try span($1, atLeast: .milliseconds(100)) },
    runtime("concurrency", "10", group: "drain") { $0.drain.concurrency = try number($1, 1...10_000) },
  ]

  private static let memory: [JobSetting] = [
    memory("limit", "that of the container") { $0.bytes = try amount($1) },
    memory("warnAt", "75") { $0.warnAt = try number($1, 1...100) },
    memory("refuseAt", "85") { $0.refuseAt = try number($1, 1...100) },
    memory("drainAt", "92") { $0.drainAt = try number($1, 1...100) },
  ]

  private static let server: [JobSetting] = [
    server("host", "see JobServer") { $0.host = try text($1) },
    server("port", "8080") { $0.port = try number($1, 0...65_535) },
    server("mountPath", "/jobs") { $0.mountPath = try path($1) },
    server("drainLimit", "6s") { $0.drainLimit = try span($1, atLeast: .zero) },
    server("exitLimit", "9s") { $0.exitLimit = try span($1, atLeast: .seconds(1)) },
    server("maxConnections", "1024") { $0.maxConnections = try number($1, 1...1_000_000) },
    server("requestTimeout", "30s") { $0.requestTimeout = try span($1, atLeast: .milliseconds(100)) },
    server("idleTimeout", "1m") { $0.idleTimeout = try span($1, atLeast: .milliseconds(100)) },
    server("logFormat", "auto") { $0.logFormat = try format($1) },
    server("traceFile", "none") { $0.traceFile = try text($1) },
    JobSetting(key: "server.secret", standard: "none") { settings, text in
      // A message with the value would put it into a log.
      guard text.utf8.count >= 16 else { throw JobError(.invalidField, "A secret has at least 16 bytes.") }
      settings.secret = text
    },
  ]

  private static let dashboard: [JobSetting] = [
    dashboard("enabled", "if it has a password") { $0.isEnabled = try flag($1) },
    dashboard("password", "no password") { $0.password = try password($1) },
    dashboard("readOnlyPassword", "no password") { $0.readOnlyPassword = try password($1) },
    dashboard("hosts", "any name") { $0.hosts = try hosts($1) },
    dashboard("path", "/dashboard") { settings, text in
      if let fault = DashboardOptions(path: text).pathFault { throw fault }
      settings.path = text
    },
    dashboard("title", "CloudJobs") { $0.title = String(try text($1).prefix(80)) },
    dashboard("refresh", "5s") { $0.refresh = .some(try optionalSpan($1, atLeast: .seconds(1))) },
  ]

  // MARK: Where values go

  private typealias Setter<Target> = @Sendable (inout Target, String) throws -> Void

  private static func worker(
    _ name: String, _ standard: String, _ set: @escaping Setter<JobWorker.Options>
  ) -> JobSetting {
    JobSetting(key: "worker.\(name)", standard: standard) { settings, text in
      var options = settings.server.worker ?? JobWorker.Options()
      try set(&options, text)
      if settings.server.worker != nil { settings.server.worker = options }
    }
  }

  private static func runtime(
    _ name: String, _ standard: String, group: String = "runtime", _ set: @escaping Setter<RuntimeOptions>
  ) -> JobSetting {
    JobSetting(key: "\(group).\(name)", standard: standard) { settings, text in
      try set(&settings.runtime, text)
    }
  }

  private static func memory(
    _ name: String, _ standard: String, _ set: @escaping Setter<MemoryLimits>
  ) -> JobSetting {
    JobSetting(key: "memory.\(name)", standard: standard) { settings, text in
      var limits = settings.runtime.memory ?? MemoryLimits()
      try set(&limits, text)
      settings.runtime.memory = limits
    }
  }

  private static func server(
    _ name: String, _ standard: String, _ set: @escaping Setter<JobServerConfiguration>
  ) -> JobSetting {
    JobSetting(key: "server.\(name)", standard: standard) { settings, text in
      try set(&settings.server, text)
    }
  }

  private static func dashboard(
    _ name: String, _ standard: String, _ set: @escaping Setter<DashboardSettings>
  ) -> JobSetting {
    JobSetting(key: "dashboard.\(name)", standard: standard) { settings, text in
      try set(&settings.dashboard, text)
    }
  }

  // MARK: Values

  private static func fault(_ expected: String, _ text: String) -> JobError {
    JobError(.invalidField, "Expected \(expected), found \"\(text.prefix(60))\".")
  }

  private static func text(_ text: String) throws(JobError) -> String {
    if text.isEmpty { throw fault("a text", text) }
    return text
  }

  private static func names(_ text: String) throws(JobError) -> [String] {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).split(separator: " ") }
    guard names.allSatisfy({ $0.count == 1 }) else { throw fault("names, such as critical,default", text) }
    return names.map { String($0[0]) }
  }

  /// Reads a password, which no error repeats.
  private static func password(_ text: String) throws(JobError) -> String {
    guard text.utf8.count >= DashboardAccess.User.minimumPasswordBytes else {
      throw JobError(
        .invalidField, "Expected a password of at least \(DashboardAccess.User.minimumPasswordBytes) bytes.")
    }
    return text
  }

  private static func hosts(_ text: String) throws(JobError) -> [String] {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed }
    guard names.allSatisfy({ $0 == "*" || HostName.isNameOrAddress($0) }) else {
      throw fault("host names without a scheme and a port, such as jobs.example.com,10.0.0.5", text)
    }
    return names
  }

  private static func path(_ text: String) throws(JobError) -> String {
    guard text.hasPrefix("/"), !text.hasSuffix("/") else { throw fault("a path such as /jobs", text) }
    return text
  }

  private static func flag(_ text: String) throws(JobError) -> Bool {
    switch text.lowercased() {
    case "true", "yes", "1", "on": return true
    case "false", "no", "0", "off": return false
    default: throw fault("true or false", text)
    }
  }

  private static func number(_ text: String, _ range: ClosedRange<Int>) throws(JobError) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw fault("a whole number from \(range.lowerBound) to \(range.upperBound)", text)
    }
    return number
  }

  private static func span(_ text: String, atLeast least: Duration) throws(JobError) -> Duration {
    guard let span = Duration(settingText: text), span >= least else {
      throw fault("a duration such as 30s, 5m or 1h30m, or a number of seconds, at least \(least)", text)
    }
    return span
  }

  private static func optionalSpan(_ text: String, atLeast least: Duration) throws(JobError) -> Duration? {
    text.lowercased() == "off" ? nil : try span(text, atLeast: least)
  }

  private static func amount(_ text: String) throws(JobError) -> Int64 {
    guard let bytes = MemoryReading.bytes(text), bytes > 0 else {
      throw fault("an amount of memory such as 512Mi or 2G, or a number of bytes", text)
    }
    return bytes
  }

  private static func level(_ text: String) throws(JobError) -> Logger.Level? {
    if text.lowercased() == "off" { return nil }
    guard let level = Logger.Level(rawValue: text.lowercased()) else {
      throw fault("one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")), or off", text)
    }
    return level
  }

  private static func format(_ text: String) throws(JobError) -> LogFormat {
    guard let format = LogFormat(rawValue: text.lowercased()) else {
      throw fault("one of \(LogFormat.allCases.map(\.rawValue).joined(separator: ", "))", text)
    }
    return format
  }

  /// Reads `critical=6,default=3,low=1`, by weights, or `critical,default,low`, one after the other.
  private static func queueOrder(_ text: String) throws(JobError) -> QueueOrder {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { $0.trimmed }
    }
    let names = parts.map { $0[0] }
    let isPlain = names.allSatisfy { !$0.isEmpty } && Set(names).count == names.count
    if isPlain, parts.allSatisfy({ $0.count == 1 }) { return .strict(names) }
    let weights = parts.compactMap { $0.count == 2 ? Int($0[1]) : nil }
    guard isPlain, weights.count == parts.count, weights.allSatisfy({ (1...1_000_000).contains($0) }) else {
      throw fault("queues with weights, critical=6,default=3,low=1, or in strict order, critical,default,low", text)
    }
    return .weighted(Dictionary(uniqueKeysWithValues: zip(names, weights)))
  }
}

extension Substring {
  fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
#endif
