package import Logging

/// The form of logs that a program's entry point has chosen.
package enum ProgramLogger {
  /// The maker of log handlers for the default logger of ``RuntimeOptions``; nil for that of the logging system.
  @TaskLocal package static var makeHandler: (@Sendable (_ label: String) -> any LogHandler)?

  /// Returns a logger: the program's own if it has set up the logging system.
  static func logger(_ label: String) -> Logger {
    choose(Logger(label: label), makeHandler)
  }

  /// Returns a logger in another form, unless it has a form of the program's own.
  ///
  /// - Parameters:
  ///   - logger: the logger.
  ///   - makeHandler: makes the handler of the other form; nil leaves the logger as it is.
  /// - Returns: the logger, of the same level.
  package static func choose(_ logger: Logger, _ makeHandler: ((String) -> any LogHandler)?) -> Logger {
    guard let makeHandler, logger.handler is StreamLogHandler else { return logger }
    var (logger, level) = (logger, logger.logLevel)
    logger.handler = makeHandler(logger.label)
    logger.logLevel = level
    return logger
  }
}
