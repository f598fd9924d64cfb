package import Logging

/// The form of logs that a program's entry point has chosen.
package enum ProgramLogger {
  /// What makes log handlers.
  package struct HandlerMaker: Sendable {
    /// Makes the handler of a logger by its label.
    package let make: @Sendable (_ label: String) -> any LogHandler

    /// Creates the maker of a function's handlers.
    package init(_ make: @escaping @Sendable (_ label: String) -> any LogHandler) { self.make = make }
  }

  /// The maker of log handlers for the default logger of ``RuntimeOptions``; nil for that of the logging system.
  @TaskLocal package static var handlerMaker: HandlerMaker?

  /// Returns a logger: the program's own if it has set up the logging system.
  static func logger(_ label: String) -> Logger {
    choose(Logger(label: label), handlerMaker)
  }

  /// Returns a logger in another form, unless it has a form of the program's own.
  ///
  /// - Parameters:
  ///   - logger: the logger.
  ///   - maker: makes the handler of the other form; nil leaves the logger as it is.
  /// - Returns: the logger, of the same level.
  package static func choose(_ logger: Logger, _ maker: HandlerMaker?) -> Logger {
    guard let maker, logger.handler is StreamLogHandler else { return logger }
    var (logger, level) = (logger, logger.logLevel)
    logger.handler = maker.make(logger.label)
    logger.logLevel = level
    return logger
  }
}
