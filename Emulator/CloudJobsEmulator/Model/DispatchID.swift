/// The identity of one delivery attempt, unique in an ``EmulatorState``.
public struct DispatchID: Hashable, Comparable, Sendable, Codable {
  /// The service that asked for the delivery.
  public enum Service: String, Hashable, Comparable, Sendable, Codable {
    /// Cloud Scheduler.
    case scheduler
    /// Cloud Tasks.
    case tasks

    /// The order of names.
    public static func < (left: Service, right: Service) -> Bool { left.rawValue < right.rawValue }
  }

  /// The service that asked for it, and that its outcome goes to.
  public let service: Service
  /// The number within the service, from 1.
  public let number: UInt64

  /// The identity of a service's attempt.
  public init(_ service: Service, _ number: UInt64) {
    self.service = service
    self.number = number
  }

  /// The order of number, then service.
  public static func < (left: DispatchID, right: DispatchID) -> Bool {
    (left.number, left.service) < (right.number, right.service)
  }
}

extension DispatchID: CustomStringConvertible {
  /// The service and the number, such as `tasks/17`.
  public var description: String { "\(service.rawValue)/\(number)" }
}
