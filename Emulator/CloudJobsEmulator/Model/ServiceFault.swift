/// An emulated service's refusal, as its face reports it to the client.
public struct ServiceFault: Error, Hashable, Sendable {
  /// Which failure this is.
  public var code: StatusCode
  /// What the service says about it.
  public var message: String
  /// The request's field that is wrong, as a dotted path, where the face found out.
  public var field: String?

  /// A refusal with a code and a message.
  public init(_ code: StatusCode, _ message: String, field: String? = nil) {
    self.code = code
    self.message = message
    self.field = field
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
