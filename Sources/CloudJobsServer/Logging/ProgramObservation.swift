#if Server
import CloudJobs
import CloudJobsCore
import Logging
import Tracing

/// The observation of a program, as its settings ask for it.
package enum ProgramObservation {
  /// Runs a program: its logs have the form that is chosen, and its traces go to a file if one is named.
  ///
  /// - Parameters:
  ///   - configuration: the server's configuration.
  ///   - body: the program.
  /// - Throws: the program's error, and ``JobError`` `invalidField` if the trace file can't be opened.
  package static func run(
    _ configuration: JobServerConfiguration, _ body: () async throws -> Void
  ) async throws {
    let maker = handlerMaker(configuration)
    try await ProgramLogger.$handlerMaker.withValue(maker) {
      guard let path = configuration.traceFile else { return try await body() }
      let logger = ProgramLogger.choose(Logger(label: "cloud-jobs"), maker)
      guard InstrumentationSystem.tracer is NoOpTracer else {
        logger.warning("The program has a tracer of its own. The trace file is not written: remove server.traceFile.")
        return try await body()
      }
      let file = try TraceFile(path: path, service: serviceName, logger: logger)
      try await file.flushing(by: .system) { try await withTracer(file) { () async throws in try await body() } }
    }
  }

  /// Returns the maker of log handlers for the runtime's default logger; nil for that of the logging system.
  static func handlerMaker(_ configuration: JobServerConfiguration) -> ProgramLogger.HandlerMaker? {
    guard configuration.logFormat.isJSON(in: ProcessVariables.all) else { return nil }
    return ProgramLogger.HandlerMaker { CloudLogHandler(label: $0) }
  }

  private static var serviceName: String {
    let variables = ProcessVariables.all
    return [variables["OTEL_SERVICE_NAME"], variables["K_SERVICE"]].compactMap { $0 }.first { !$0.isEmpty }
      ?? "cloud-jobs"
  }
}

extension JobServerConfiguration {
  /// The configuration with a form of the log and a trace file from the variables of their settings.
  ///
  /// - Throws: ``JobError`` `invalidField` if a variable has no such value.
  var observed: JobServerConfiguration {
    get throws(JobError) {
      var settings = JobSettings(server: self)
      let variables = ProcessVariables.all
      for setting in JobSetting.all where ["server.logFormat", "server.traceFile"].contains(setting.key) {
        guard let text = variables[setting.variable], !text.isEmpty else { continue }
        do {
          try setting.set(&settings, text)
        } catch {
          throw JobError(.invalidField, (error as? JobError)?.message ?? "\(error)", field: setting.variable)
        }
      }
      return settings.server
    }
  }
}

extension JobSettings {
  /// The settings with the runtime's logger in the form that they choose.
  package var observed: JobSettings {
    var settings = self
    settings.runtime.logger = ProgramLogger.choose(runtime.logger, ProgramObservation.handlerMaker(server))
    return settings
  }
}
#endif
