package import CloudJobsEmulator

/// Splits the body of a gRPC call into messages: each has a byte that tells whether it is compressed, and its length.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
package struct GRPCFrameReader: Sendable {
  /// A message in the body of a call.
  package struct Frame: Hashable, Sendable {
    /// Whether the bytes are compressed, in the encoding that the call's header names.
    package var isCompressed: Bool
    /// The bytes.
    package var bytes: [UInt8]

    /// Creates a message.
    package init(isCompressed: Bool = false, bytes: [UInt8]) {
      self.isCompressed = isCompressed
      self.bytes = bytes
    }
  }

  private static let headerSize = 5

  private let limit: Int
  private var buffer: [UInt8] = []
  private var start = 0

  /// Creates the reader of a body.
  ///
  /// - Parameter limit: the maximum size of a message, in bytes.
  package init(limit: Int) {
    self.limit = limit
  }

  /// Adds a part of the body.
  package mutating func append(_ bytes: some Sequence<UInt8>) {
    if start == buffer.count {
      buffer.removeAll(keepingCapacity: true)
      start = 0
    } else if start > 65_536, start * 2 > buffer.count {
      buffer.removeSubrange(..<start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Takes the next message.
  ///
  /// - Returns: the message; nil if it is not complete yet.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a message that is too large, `internal` for an invalid header.
  package mutating func next() throws(ServiceFault) -> Frame? {
    guard buffer.count - start >= Self.headerSize else { return nil }
    let flag = buffer[start]
    guard flag < 2 else { throw ServiceFault(.internal, "The first byte of a message is \(flag), not 0 or 1.") }
    let size = buffer[(start + 1)..<(start + Self.headerSize)].reduce(0) { $0 << 8 | Int($1) }
    guard size <= limit else { throw .tooLarge(limit: limit) }
    let end = start + Self.headerSize + size
    guard buffer.count >= end else { return nil }
    defer { start = end }
    return Frame(isCompressed: flag == 1, bytes: Array(buffer[(start + Self.headerSize)..<end]))
  }

  /// Whether the body may end here.
  package var isAtEnd: Bool { start == buffer.count }

  /// Returns a message as it stands in a body.
  package static func body(_ frame: Frame) -> [UInt8] {
    let size = UInt32(frame.bytes.count)
    var body: [UInt8] = [frame.isCompressed ? 1 : 0]
    body.reserveCapacity(headerSize + frame.bytes.count)
    for shift in [24, 16, 8, 0] as [UInt32] { body.append(UInt8(truncatingIfNeeded: size >> shift)) }
    return body + frame.bytes
  }
}

extension ServiceFault {
  /// The refusal of a request that is too large.
  package static func tooLarge(limit: Int) -> ServiceFault {
    .invalidArgument("Request payload size exceeds the limit: \(limit) bytes.")
  }
}
