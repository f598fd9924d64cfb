/// Values of the program that its handlers use, by type: clients, pools, settings.
///
/// ```swift
/// var options = RuntimeOptions()
/// options.dependencies.set(SMTPMailer(), as: (any Mailer).self)
/// // in a handler, and with another mailer in a test:
/// let mailer = try context.dependency((any Mailer).self)
/// ```
public struct JobDependencies: Sendable {
  private var values: [ObjectIdentifier: any Sendable] = [:]

  /// Creates an empty set.
  public init() {}

  /// Sets the value of a type.
  ///
  /// - Parameters:
  ///   - value: the value.
  ///   - type: the type under which handlers ask for it.
  public mutating func set<Value: Sendable>(_ value: Value, as type: Value.Type = Value.self) {
    values[ObjectIdentifier(type)] = value
  }

  /// Returns the value of a type, or nil if there is none.
  public subscript<Value: Sendable>(type: Value.Type) -> Value? {
    values[ObjectIdentifier(type)] as? Value
  }
}
