import CloudJobsCore

extension CloudTasks.Task {
  /// Maximum size of a stored task, in bytes, as recorded; the documentation says 100 KB.
  package static let maximumBytes = 1_048_569

  /// The size of the new task as a `google.cloud.tasks.v2.Task` in its binary form, in bytes.
  ///
  /// It counts the name, the times, the agent and what a map's entries cost, not the response view.
  var storedBytes: Int {
    var size = EncodedSize()
    size.add(text: name.description)
    size.add { target.addSize(to: &$0) }
    for time in [scheduleTime, createTime] {
      size.add {
        $0.add(number: time.seconds)
        $0.add(number: time.fraction * 1_000)
      }
    }
    if let dispatchDeadline { size.add(dispatchDeadline) }
    if let retryConfig {
      size.add {
        $0.add(number: retryConfig.maxAttempts)
        for span in [retryConfig.maxRetryDuration, retryConfig.backoff.minimum, retryConfig.backoff.maximum] {
          if span != .zero { $0.add(span) }
        }
        $0.add(number: retryConfig.backoff.doublings)
      }
    }
    return size.bytes
  }
}

extension CloudTasks.Target {
  fileprivate func addSize(to size: inout EncodedSize) {
    switch self {
    case .http(let target):
      size.add(text: target.url)
      size.add(number: target.method.rawValue)
      size.add(headers: target.headers)
      size.add(count: target.body.count)
      switch target.authorization?.resolved(for: target.url) {
      case .oidc(let email, let audience): size.add(texts: [email, audience ?? ""])
      case .oauth(let email, let scope): size.add(texts: [email, scope ?? ""])
      case nil: break
      }
    case .appEngine(let target):
      size.add(number: target.method.rawValue)
      // Recorded: the host stands for service, version and instance, which don't count beside it.
      size.add(texts: [target.routing.host])
      size.add(text: target.relativeURI)
      size.add(headers: target.headers)
      size.add(count: target.body.count)
    }
  }
}

/// The size of a message in protobuf's binary form, as far as a task needs it: all its tags take one byte.
///
/// Source: <https://protobuf.dev/programming-guides/encoding/>.
private struct EncodedSize {
  private(set) var bytes = 0

  /// Adds a number, which is left out if it is zero.
  mutating func add(number: some BinaryInteger) {
    if number != 0 { bytes += 1 + Self.varint(UInt64(truncatingIfNeeded: number)) }
  }

  /// Adds a text, which is left out if it is empty.
  mutating func add(text: String) { add(count: text.utf8.count) }

  /// Adds so many bytes, which are left out if there are none.
  mutating func add(count: Int) {
    if count > 0 { bytes += 1 + Self.varint(UInt64(count)) + count }
  }

  /// Adds a message, even if it is empty.
  mutating func add(_ body: (inout EncodedSize) -> Void) {
    var message = EncodedSize()
    body(&message)
    bytes += 1 + Self.varint(UInt64(message.bytes)) + message.bytes
  }

  /// Adds a span.
  mutating func add(_ span: Duration) {
    add {
      $0.add(number: span.components.seconds)
      $0.add(number: span.components.attoseconds / 1_000_000_000)
    }
  }

  /// Adds a message of texts.
  mutating func add(texts: [String]) {
    add { message in for text in texts { message.add(text: text) } }
  }

  /// Adds a map, each entry of which is a message that has both its texts.
  mutating func add(headers: [HeaderField]) {
    for field in headers {
      add { entry in
        for text in [field.name, field.value] {
          entry.bytes += 1 + Self.varint(UInt64(text.utf8.count)) + text.utf8.count
        }
      }
    }
  }

  private static func varint(_ number: UInt64) -> Int { max(1, (70 - number.leadingZeroBitCount) / 7) }
}
