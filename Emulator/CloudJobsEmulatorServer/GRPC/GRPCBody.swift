#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Hummingbird
import NIOCore

/// The requests of a gRPC call.
struct GRPCBody: AsyncSequence, Sendable {
  typealias Element = Message

  private let request: Request
  private let entry: MethodTable.Entry
  private let router: GRPCRouter

  /// Creates the requests of a call.
  init(_ request: Request, _ entry: MethodTable.Entry, _ router: GRPCRouter) {
    self.request = request
    self.entry = entry
    self.router = router
  }

  func makeAsyncIterator() -> Iterator {
    Iterator(body: self, parts: request.body.makeAsyncIterator(), reader: GRPCFrameReader(limit: entry.requestLimit))
  }

  /// Reads the requests as they come.
  struct Iterator: AsyncIteratorProtocol {
    fileprivate let body: GRPCBody
    fileprivate var parts: RequestBody.AsyncIterator
    fileprivate var reader: GRPCFrameReader

    /// Returns the next request; nil at the end.
    ///
    /// - Throws: ``ServiceFault`` for an invalid one, or the error of the connection.
    @concurrent
    mutating func next() async throws -> Message? {
      while true {
        if let message = try take() { return message }
        guard let part = try await parts.next() else { break }
        reader.append(part.readableBytesView)
      }
      guard reader.isAtEnd else { throw ServiceFault(.internal, "The body of the call ends within a message.") }
      return nil
    }

    /// Returns the next request of the bytes so far; nil if they end within it.
    ///
    /// Swift 6.3's optimizer ends with a fault where this is part of the loop above.
    @inline(never)
    private mutating func take() throws(ServiceFault) -> Message? {
      guard let frame = try reader.next() else { return nil }
      return try body.router.request(try body.bytes(frame), of: body.entry)
    }
  }

  /// Returns the request of a call that has one.
  func only() async throws -> Message {
    var message: Message?
    for try await next in self {
      guard message == nil else {
        throw ServiceFault(.internal, "\(entry.method.name) has one request, not several.")
      }
      message = next
    }
    guard let message else { throw ServiceFault(.internal, "The call has no request.") }
    return message
  }

  private func bytes(_ frame: GRPCFrameReader.Frame) throws(ServiceFault) -> [UInt8] {
    guard frame.isCompressed else { return frame.bytes }
    switch request.headers[.grpcEncoding] {
    case "gzip": return try Gzip.decompress(frame.bytes, limit: entry.requestLimit)
    case nil, "identity": throw ServiceFault(.internal, "A message is compressed, but the call names no encoding.")
    case let encoding?:
      throw ServiceFault(.unimplemented, "The encoding \(encoding) is not supported. Use identity or gzip.")
    }
  }
}
#endif
