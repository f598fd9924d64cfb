#if HTTP
import Logging
import Synchronization

/// A recorder of log messages and metadata, as text.
final class LogRecorder: Sendable {
  private let entries = Mutex<[String]>([])

  /// All recorded lines.
  var lines: [String] { entries.withLock { $0 } }

  /// A logger that writes to the recorder, at every level.
  var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(recorder: self) }
    logger.logLevel = .trace
    return logger
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var metadataProvider: Logger.MetadataProvider?
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let line = "\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])"
      recorder.entries.withLock { $0.append(line) }
    }
  }
}
#endif
