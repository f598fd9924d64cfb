import Synchronization

/// A value that a test changes while handlers read it.
final class EffectSwitch: Sendable {
  private let value = Mutex(false)
  var isOn: Bool {
    get { value.withLock { $0 } }
    set { value.withLock { $0 = newValue } }
  }
}
