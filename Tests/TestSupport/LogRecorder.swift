package import Logging
import Synchronization

/// A recorder of log lines as `level: message key=value …`, with the keys in order.
package final class LogRecorder: Sendable {
  private let entries = Mutex<[String]>([])

  /// Creates an empty recorder.
  package init() {}

  /// All recorded lines.
  package var lines: [String] { entries.withLock { $0 } }

  /// A logger that writes to the recorder, at every level.
  package var logger: Logger {
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
      let fields = metadata.merging(event.metadata ?? [:]) { $1 }.map { "\($0.key)=\($0.value)" }.sorted()
      recorder.entries.withLock { $0.append("\(event.level): \(event.message) " + fields.joined(separator: " ")) }
    }
  }
}
