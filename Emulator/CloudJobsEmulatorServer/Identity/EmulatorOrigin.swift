import Synchronization

/// Where the emulator is reached, which is known only once its port is bound.
final class EmulatorOrigin: Sendable {
  private let text: Mutex<String>

  /// An origin to go by until the port is bound.
  init(_ text: String) {
    self.text = Mutex(text)
  }

  /// Scheme, host and port.
  var value: String { text.withLock { $0 } }

  /// Takes the origin of the bound port.
  func set(_ text: String) {
    self.text.withLock { $0 = text }
  }
}
