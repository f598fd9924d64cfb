import CloudJobsCore
package import CloudJobsEmulator

/// The end of a gRPC call: the fields of its trailers.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
package enum GRPCStatus {
  /// Returns the trailers of a call.
  ///
  /// - Parameter fault: why the call failed; nil if it succeeded.
  /// - Returns: the status, the message and its details.
  package static func trailers(_ fault: ServiceFault?) -> [(name: String, value: String)] {
    guard let fault else { return [("grpc-status", "0")] }
    var trailers = [("grpc-status", "\(fault.code.rawValue)"), ("grpc-message", encoded(fault.message))]
    if !fault.details.isEmpty {
      let status = ProtobufWriter.bytes(message(fault))
      trailers.append(("grpc-status-details-bin", String(Base64.encode(status).prefix { $0 != "=" })))
    }
    return trailers
  }

  /// The fault as a `google.rpc.Status`.
  private static func message(_ fault: ServiceFault) -> Message {
    var status = Schema.google.message("google.rpc.Status")
    status.fill(RPCStatus(code: fault.code, message: fault.message))
    status["details"] = .list(fault.details.map { .any(AnyMessage($0.message(in: .google))) })
    return status
  }

  /// Printable ASCII stays, all else and `%` are escaped.
  private static func encoded(_ text: String) -> String {
    PercentEncoding.encode(text) { !(0x20...0x7E).contains($0) || $0 == UInt8(ascii: "%") }
  }

  /// Returns the time limit of a call from its header `grpc-timeout`, such as `100m` for 100 ms; nil if it is invalid.
  package static func timeout(_ text: String) -> Duration? {
    guard let unit = text.last, (2...9).contains(text.utf8.count),
      text.dropLast().utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(text.dropLast())
    else { return nil }
    switch unit {
    case "H": return .hours(number)
    case "M": return .minutes(number)
    case "S": return .seconds(number)
    case "m": return .milliseconds(number)
    case "u": return .microseconds(number)
    case "n": return .nanoseconds(number)
    default: return nil
    }
  }
}
