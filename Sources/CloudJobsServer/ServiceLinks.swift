#if Server
/// The variables by which Kubernetes tells a container of the services in its namespace
/// (<https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables>).
///
/// A service called `cloud-jobs-server` sets `CLOUD_JOBS_SERVER_PORT` to `tcp://10.0.0.11:80`, and more names that look
/// like settings.
enum ServiceLinks {
  /// Tells whether a variable comes from Kubernetes.
  ///
  /// - Parameters:
  ///   - name: the variable's name.
  ///   - value: its value.
  /// - Returns: whether it tells of a service.
  static func contain(_ name: String, _ value: String) -> Bool {
    if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
      return true
    }
    let isAddress = protocols.contains { value.hasPrefix("\($0.lowercased())://") }
    if name.hasSuffix("_PORT") && isAddress { return true }
    // CLOUD_JOBS_SERVER_PORT_80_TCP, and the same with _PROTO, _PORT and _ADDR.
    var words = name.split(separator: "_")
    if let last = words.last, ["PROTO", "PORT", "ADDR"].contains(last) { words.removeLast() }
    guard let last = words.popLast(), protocols.contains(String(last)), let number = words.popLast() else {
      return false
    }
    return UInt16(number) != nil && words.last == "PORT"
  }

  private static let protocols = ["TCP", "UDP", "SCTP"]
}
#endif
