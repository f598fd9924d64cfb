/// An HTTP request that asks for an execution, without the server that took it.
public struct EnvelopeRequest: Sendable {
  /// The route.
  public var path: EnvelopePath
  /// The header fields.
  public var headers: EnvelopeHeaders
  /// The whole body.
  public var body: [UInt8]

  /// A request; without headers and with an empty body unless they are given.
  public init(path: EnvelopePath = .trigger, headers: EnvelopeHeaders = [:], body: [UInt8] = []) {
    self.path = path
    self.headers = headers
    self.body = body
  }
}
