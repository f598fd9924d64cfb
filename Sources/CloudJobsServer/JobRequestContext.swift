#if Server
public import Hummingbird
public import NIOCore

/// A request context that tells where a request came from.
public struct JobRequestContext: RequestContext, RemoteAddressRequestContext {
  /// What Hummingbird keeps for each request.
  public var coreContext: CoreRequestContextStorage
  /// The other end of the connection.
  public let remoteAddress: SocketAddress?

  /// The context of a request that came over a channel.
  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress
  }
}
#endif
