/// An emulated service's refusal, as its face reports it to the client.
public struct ServiceFault: Error, Hashable, Sendable {
  /// Which failure this is.
  public var code: StatusCode
  /// What the service says about it.
  public var message: String

  /// A refusal with a code and a message.
  public init(_ code: StatusCode, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A refusal of a request that no state would allow.
  public static func invalidArgument(_ message: String) -> ServiceFault {
    ServiceFault(.invalidArgument, message)
  }
}

extension ServiceFault: CustomStringConvertible {
  /// The code and the message.
  public var description: String { "\(code.name): \(message)" }
}
