#if Server
public import CloudJobs
import CloudJobsCore
public import Logging
import Tracing

/// A handler of swift-log that writes each record as one line of JSON to standard error, in the form of Cloud Logging.
///
/// Records of a request or of an attempt name its trace, so that Cloud Logging shows them together, and as labels its
/// job and its run. ``JobServer/main(settings:_:)`` and the like use it for the runtime's logger on Cloud Run
/// (``LogFormat/auto``). A program calls ``bootstrap(project:)`` first to have it for all of its loggers:
///
/// ```swift
/// CloudLogHandler.bootstrap(project: "my-project")
/// await JobServer.main { JobRuntime(jobs, store: store, authentication: .trustLoopback) }
/// ```
public struct CloudLogHandler: LogHandler {
  private let label: String
  private let project: String?
  private let write: @Sendable ([UInt8]) -> Void
  private let clock: any JobClock
  /// The metadata of every record.
  public var metadata: Logger.Metadata = [:]
  /// The least level of records.
  public var logLevel = Logger.Level.info
  /// The provider of further metadata.
  public var metadataProvider: Logger.MetadataProvider?

  /// Creates a handler that writes to standard error.
  ///
  /// - Parameters:
  ///   - label: the label of the logger.
  ///   - project: the id of the Google Cloud project that has the traces; nil for that in the variable
  ///     `GOOGLE_CLOUD_PROJECT`, without which records name the id of the trace alone.
  public init(label: String, project: String? = nil) {
    self.init(
      label: label, project: project ?? ProcessVariables.all["GOOGLE_CLOUD_PROJECT"].flatMap { $0.isEmpty ? nil : $0 },
      clock: .system, write: { StandardErrorLines.write($0) })
  }

  /// Creates a handler that gives its lines to a function.
  init(
    label: String, project: String?, clock: any JobClock, write: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.label = label
    self.project = project
    self.clock = clock
    self.write = write
    metadataProvider = LoggingSystem.metadataProvider
  }

  /// Makes it the handler of all loggers that are created from now on; to be called once, at the begin of a program
  /// that has set up no other logging system.
  ///
  /// - Parameter project: the project, as of ``init(label:project:)``.
  public static func bootstrap(project: String? = nil) {
    LoggingSystem.bootstrap { CloudLogHandler(label: $0, project: project) }
  }

  /// Metadata by key.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes a record.
  public func log(event: LogEvent) {
    let context = ServiceContext.current
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    if let own = event.metadata { all.merge(own) { $1 } }
    let record = CloudLogRecord(
      time: clock.now(), level: event.level, label: label, message: "\(event.message)",
      error: event.error.map { "\($0)" }, metadata: all,
      source: (file: event.file, line: event.line, function: event.function), trace: context?.trace,
      project: project, labels: context?.runLabels)
    write(record.line)
  }
}
#endif
