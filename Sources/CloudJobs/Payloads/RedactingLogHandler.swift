import Logging

/// A log handler that replaces a payload's confidential values before another handler gets them.
struct RedactingLogHandler: LogHandler {
  private var base: any LogHandler
  private let redaction: AttemptRedaction

  init(_ base: any LogHandler, _ redaction: AttemptRedaction) {
    self.base = base
    self.redaction = redaction
  }

  var logLevel: Logger.Level {
    get { base.logLevel }
    set { base.logLevel = newValue }
  }

  var metadata: Logger.Metadata {
    get { base.metadata }
    set { base.metadata = newValue.mapValues { redacted($0) } }
  }

  var metadataProvider: Logger.MetadataProvider? {
    get { base.metadataProvider }
    set { base.metadataProvider = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { base[metadataKey: key] }
    set { base[metadataKey: key] = newValue.map { redacted($0) } }
  }

  func log(event: LogEvent) {
    var event = event
    event.message = Logger.Message(stringLiteral: redaction.redact(event.message.description))
    event.metadata = event.metadata?.mapValues { redacted($0) }
    event.error = event.error.map { RedactedError(description: redaction.redact(String(describing: $0))) }
    base.log(event: event)
  }

  private func redacted(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
    switch value {
    case .string(let text): .string(redaction.redact(text))
    case .stringConvertible(let value): .string(redaction.redact(value.description))
    case .dictionary(let members): .dictionary(members.mapValues { redacted($0) })
    case .array(let values): .array(values.map { redacted($0) })
    }
  }
}

/// A logged error without confidential values.
private struct RedactedError: Error, CustomStringConvertible {
  let description: String
}
