import Synchronization

/// A flag that goes up once.
final class DoneFlag: Sendable {
  private let value = Atomic(false)

  /// Whether it is up.
  var isSet: Bool { value.load(ordering: .acquiring) }

  /// Puts it up.
  func set() { value.store(true, ordering: .releasing) }
}
