import CloudJobsCore
import Logging

/// A log handler that passes each line on to the runtime's logger, and keeps those of the run's log.
struct RunLogHandler: LogHandler {
  private var base: Logger
  private let record: AttemptRecord
  private let storedLevel: Logger.Level
  private let clock: any JobClock
  private let events: JobEvents
  /// The metadata that the handler's author added to the logger.
  private var own: Logger.Metadata = [:]

  init(
    over base: Logger, recordingIn record: AttemptRecord, from storedLevel: Logger.Level, clock: any JobClock,
    events: JobEvents
  ) {
    self.base = base
    self.record = record
    self.storedLevel = storedLevel
    self.clock = clock
    self.events = events
  }

  var logLevel: Logger.Level {
    get { min(base.logLevel, storedLevel) }
    set { base.logLevel = newValue }
  }

  var metadata: Logger.Metadata {
    get { own }
    set { own = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { own[key] }
    set { own[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = own.merging(event.metadata ?? [:]) { $1 }
    base.log(
      level: event.level, event.message, error: event.error, metadata: all.isEmpty ? nil : all, source: event.source,
      file: event.file, function: event.function, line: event.line)
    guard event.level >= storedLevel else { return }
    var metadata = all.mapValues { "\($0)" }
    metadata["error"] = event.error.map { "\($0)" }
    let line = RunLogLine(
      time: clock.now(), level: event.level.rawValue, message: "\(event.message)", metadata: metadata)
    record.add(line)
    events.emit(JobEvent(.log, of: record.run, at: line.time, line: line))
  }
}
