/// The position of a request in a distributed trace, from the `traceparent` header.
///
/// Source: W3C Trace Context, section 3.2 (<https://www.w3.org/TR/trace-context/#traceparent-header>).
public struct TraceContext: Hashable, Sendable {
  /// The trace's identifier: 32 lower-case hexadecimal digits, not all zero.
  public let traceID: String
  /// The identifier of the caller's span: 16 lower-case hexadecimal digits, not all zero.
  public let parentID: String
  /// The flags; bit 0 means that the caller may have recorded the trace.
  public let flags: UInt8

  /// Whether the caller may have recorded the trace.
  public var isSampled: Bool { flags & 1 == 1 }

  /// Creates a context from a header's value; nil if it is invalid.
  ///
  /// Versions after 00 are read by the fields that they share with version 00, as section 3.2.4 of the source requires.
  public init?(traceparent text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 55, bytes[2] == UInt8(ascii: "-"), bytes[35] == UInt8(ascii: "-"),
      bytes[52] == UInt8(ascii: "-"), let version = Self.byte(bytes[0..<2]), version != 0xFF,
      Self.isIdentifier(bytes[3..<35]), Self.isIdentifier(bytes[36..<52]), let flags = Self.byte(bytes[53..<55])
    else { return nil }
    guard bytes.count == 55 || (version > 0 && bytes[55] == UInt8(ascii: "-")) else { return nil }
    traceID = String(decoding: bytes[3..<35], as: UTF8.self)
    parentID = String(decoding: bytes[36..<52], as: UTF8.self)
    self.flags = flags
  }

  /// Creates a context from its parts, which must be valid.
  package init(traceID: String, parentID: String, flags: UInt8) {
    (self.traceID, self.parentID, self.flags) = (traceID, parentID, flags)
  }

  /// Creates a context from the value of the header `X-Cloud-Trace-Context`, `TRACE_ID/SPAN_ID;o=OPTIONS`, in which the
  /// span is a decimal number; nil if it is invalid or names no span.
  ///
  /// Source: <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>.
  package init?(cloudTraceContext text: some StringProtocol) {
    let parts = text.split(separator: ";", maxSplits: 1)
    let ids = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
    guard ids.count == 2, ids[1].utf8.allSatisfy({ $0 != UInt8(ascii: "+") }), let span = UInt64(ids[1]) else {
      return nil
    }
    let digits = String(span, radix: 16)
    let isSampled = parts.count == 2 && parts[1] == "o=1"
    let padding = String(repeating: "0", count: 16 - digits.count)
    self.init(traceparent: "00-\(ids[0].lowercased())-\(padding)\(digits)-\(isSampled ? "01" : "00")")
  }

  private static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.allSatisfy { digit($0) != nil } && bytes.contains { $0 != UInt8(ascii: "0") }
  }

  private static func byte(_ bytes: ArraySlice<UInt8>) -> UInt8? {
    guard let first = bytes.first, let last = bytes.last, let high = digit(first), let low = digit(last) else {
      return nil
    }
    return high << 4 | low
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

extension TraceContext: CustomStringConvertible {
  /// The header's value in version 00.
  public var description: String {
    "00-\(traceID)-\(parentID)-\(SHA256.hex([flags]))"
  }
}
