#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import HTTPTypes
import Hummingbird
import NIOCore

/// Serves gRPC calls: requests of HTTP/2 whose content type is `application/grpc`.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
struct GRPCResponder: Sendable {
  private static let contentType = "application/grpc"

  let api: EmulatorAPI
  private let router = GRPCRouter()

  /// Creates a responder.
  init(_ api: EmulatorAPI) {
    self.api = api
  }

  /// Whether a request is a gRPC call.
  static func isCall(_ head: HTTPRequest) -> Bool {
    head.headerFields[.contentType]?.hasPrefix(contentType) == true
  }

  /// Returns the answer to a call.
  func response(to request: Request) -> Response {
    Self.response { writer in
      do {
        return try await respond(to: request, &writer)
      } catch let fault as ServiceFault {
        return fault
      }
    }
  }

  /// Returns the answer to a call that is refused before it is read.
  static func response(_ fault: ServiceFault) -> Response { response { _ in fault } }

  /// Returns an answer whose body a closure writes.
  ///
  /// - Parameter write: writes the messages, and returns why the call failed, or nil.
  private static func response(
    _ write: @escaping @concurrent @Sendable (inout any ResponseBodyWriter) async throws -> ServiceFault?
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: contentType, .grpcAcceptEncoding: "identity,gzip"],
      body: ResponseBody { writer in
        let fault = try await write(&writer)
        var trailers = HTTPFields()
        for trailer in GRPCStatus.trailers(fault) {
          if let name = HTTPField.Name(trailer.name) { trailers[name] = trailer.value }
        }
        try await writer.finish(trailers)
      })
  }

  @concurrent
  private func respond(to request: Request, _ writer: inout any ResponseBodyWriter) async throws -> ServiceFault? {
    let entry = try router.method(request.head.path ?? "", host: request.head.authority ?? "")
    let message = try await onlyRequest(request, entry)
    for response in try await api.perform(MethodCall(entry, message)).get() {
      let frame = GRPCFrameReader.Frame(bytes: ProtobufWriter.bytes(response))
      try await writer.write(ByteBuffer(bytes: GRPCFrameReader.body(frame)))
    }
    return nil
  }

  /// Reads the request of a call that has one.
  private func onlyRequest(_ request: Request, _ entry: MethodTable.Entry) async throws -> Message {
    var reader = GRPCFrameReader(limit: entry.requestLimit)
    var message: Message?
    for try await part in request.body {
      reader.append(part.readableBytesView)
      while let frame = try reader.next() {
        guard message == nil else {
          throw ServiceFault(.internal, "\(entry.method.name) has one request, not several.")
        }
        message = try router.request(try Self.bytes(frame, request, limit: entry.requestLimit), of: entry)
      }
    }
    guard let message, reader.isAtEnd else {
      throw ServiceFault(.internal, "The body of the call ends within a message.")
    }
    return message
  }

  private static func bytes(
    _ frame: GRPCFrameReader.Frame, _ request: Request, limit: Int
  ) throws(ServiceFault) -> [UInt8] {
    guard frame.isCompressed else { return frame.bytes }
    switch request.headers[.grpcEncoding] {
    case "gzip": return try Gzip.decompress(frame.bytes, limit: limit)
    case nil: throw ServiceFault(.internal, "A message is compressed, but the call has no grpc-encoding.")
    case let encoding?:
      throw ServiceFault(.unimplemented, "The encoding \(encoding) is not supported. Use identity or gzip.")
    }
  }
}

extension HTTPField.Name {
  /// How the messages of a gRPC call are compressed.
  static let grpcEncoding = HTTPField.Name("grpc-encoding") ?? .contentEncoding
  /// The encodings that the server reads.
  static let grpcAcceptEncoding = HTTPField.Name("grpc-accept-encoding") ?? .acceptEncoding
}
#endif
