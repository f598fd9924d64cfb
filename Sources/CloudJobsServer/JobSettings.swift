#if Server
public import CloudJobs
public import CloudJobsCore
public import Configuration

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The settings of a program that serves or executes jobs, from the environment, from a file in JSON and from code.
///
/// ```swift
/// let settings = try await JobSettings.load()
/// let runtime = JobRuntime(jobs, store: store, authentication: settings.authentication, options: settings.runtime)
/// try await JobServer(runtime, configuration: settings.server).runUntilSignal()
/// ```
///
/// The environment goes before the file, and the file before the values in code. `Documentation/settings.md` lists all
/// settings with their defaults.
public struct JobSettings: Sendable {
  /// The options of the runtime.
  public var runtime: RuntimeOptions
  /// The configuration of the server, with that of its worker.
  public var server: JobServerConfiguration
  /// The address of the store, such as `sqlite:jobs.db`; nil if none is set.
  public var store: String?
  /// The secret of callers that are not on this machine, of at least 16 bytes; nil if none is set.
  public var secret: String?

  /// The authentication that the settings ask for: callers with the secret, or without one the programs of this
  /// machine.
  public var authentication: Authentication { secret.map { .sharedSecret($0) } ?? .trustLoopback }
  /// The settings of the dashboard, until all are read.
  var dashboard = DashboardSettings()

  /// The environment variable with the path of the file.
  public static let fileVariable = "CLOUD_JOBS_SETTINGS"

  /// Creates settings from values in code.
  ///
  /// - Parameters:
  ///   - runtime: the options of the runtime.
  ///   - server: the configuration of the server.
  ///   - store: the address of the store; nil for none.
  public init(
    runtime: RuntimeOptions = RuntimeOptions(), server: JobServerConfiguration = JobServerConfiguration(),
    store: String? = nil
  ) {
    self.runtime = runtime
    self.server = server
    self.store = store
  }

  /// Reads settings from the environment and from a file.
  ///
  /// The variable of the setting `worker.pollInterval` is `CLOUD_JOBS_WORKER_POLL_INTERVAL`; in the file it is the
  /// member `pollInterval` of the object `worker`. Durations are texts such as `30s`, `5m` and `1h30m`, or numbers of
  /// seconds.
  ///
  /// - Parameters:
  ///   - base: the values in code.
  ///   - environment: the environment variables; nil for those of the process.
  ///   - file: the path of the file; nil for that in the variable `CLOUD_JOBS_SETTINGS`, without which there is none.
  /// - Returns: the settings.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the name of a variable or of a field that is unknown or
  ///   has an invalid value, or if the file can't be read.
  public static func load(
    over base: JobSettings = JobSettings(), environment: [String: String]? = nil, file: String? = nil
  ) async throws(JobError) -> JobSettings {
    let variables = (environment ?? ProcessVariables.all).filter { !ServiceLinks.contain($0.key, $0.value) }
    try refuseUnknown(variables)
    let environment = EnvironmentVariablesProvider(environmentVariables: variables).prefixKeys(with: "cloudJobs")
    var sources = [Source(provider: environment, file: nil)]
    if let path = file ?? variables[fileVariable], !path.isEmpty {
      sources.append(Source(provider: try provider(ofFile: path), file: path))
    }
    var settings = base
    try settings.read(sources)
    return settings
  }

  /// Reads settings from providers of swift-configuration, such as the program's own.
  ///
  /// - Parameters:
  ///   - base: the values in code.
  ///   - providers: the providers, of which the first that has a value counts. Keys are `worker.concurrency` and so on;
  ///     `prefixKeys(with:)` puts another key before them.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the provider's key of an invalid value.
  public init(over base: JobSettings = JobSettings(), from providers: [any ConfigProvider]) throws(JobError) {
    self = base
    try read(providers.map { Source(provider: $0, file: nil) })
  }

  /// A provider, and the path of the file that it reads, if any.
  private struct Source {
    var provider: any ConfigProvider
    var file: String?
  }

  private mutating func read(_ sources: [Source]) throws(JobError) {
    for setting in JobSetting.all {
      for source in sources {
        let key = AbsoluteConfigKey(settingKey: setting.key)
        guard let (text, name) = try Self.text(of: key, in: source) else { continue }
        do {
          try setting.set(&self, text)
        } catch {
          let place = source.file.map { " The file is \($0)." } ?? ""
          throw JobError(.invalidField, ((error as? JobError)?.message ?? "\(error)") + place, field: name)
        }
        break
      }
    }
    server.dashboard = try dashboard.applied(to: server.dashboard)
  }

  /// Returns the value of a key as text, and its name in the provider; nil if there is none.
  private static func text(
    of key: AbsoluteConfigKey, in source: Source
  ) throws(JobError) -> (text: String, name: String)? {
    var name = key.description
    for type in [ConfigType.string, .int, .bool, .double] {
      // A provider throws if its value has another type.
      guard let found = try? source.provider.value(forKey: key, type: type) else { continue }
      if source.file == nil { name = found.encodedKey }
      guard let value = found.value else { return nil }
      switch value.content {
      case .string(let text): return (text, name)
      case .int(let number): return ("\(number)", name)
      case .bool(let flag): return ("\(flag)", name)
      case .double(let number): return ("\(number)", name)
      default: continue
      }
    }
    throw JobError(.invalidField, "The value is neither a text nor a number, true or false. Change it.", field: name)
  }

  // MARK: Names that nothing reads

  private static func refuseUnknown(_ variables: [String: String]) throws(JobError) {
    let known = Set(JobSetting.all.map(\.variable))
    let groups = Set(JobSetting.all.compactMap(\.group)).map { "CLOUD_JOBS_\($0.uppercased())_" }
    let names = known.union([fileVariable])
    // A name of no group may be the program's own, unless it is almost that of a setting.
    let unknown = variables.keys.filter { name in
      guard name.hasPrefix("CLOUD_JOBS_"), !names.contains(name) else { return false }
      return groups.contains { name.hasPrefix($0) } || names.contains { $0.distance(to: name) <= 2 }
    }.min()
    if let unknown { throw .noSuchSetting(unknown, among: names) }
  }

  private static func provider(ofFile path: String) throws(JobError) -> any ConfigProvider {
    let bytes: [UInt8]
    do {
      bytes = Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw JobError(
        .invalidField, "The file of settings can't be read: \(path). Give the path of a readable file.",
        field: fileVariable)
    }
    do throws(JobError) {
      return try SettingsFile(bytes, known: Set(JobSetting.all.map(\.key))).provider
    } catch {
      throw JobError(error.code, "\(error.message) The file is \(path).", field: error.field)
    }
  }
}
#endif
