package import CloudJobsEmulator

/// Calls over gRPC: their paths and messages, and the limits of these.
package struct GRPCRouter: Sendable {
  private let table: MethodTable

  /// Creates the router of all methods.
  package init(_ table: MethodTable = .google) {
    self.table = table
  }

  /// Returns the method of a path, such as `/google.cloud.tasks.v2.CloudTasks/CreateTask`.
  ///
  /// - Parameters:
  ///   - path: the path.
  ///   - host: the host that the client called, for the error.
  /// - Returns: the method.
  /// - Throws: ``ServiceFault`` `unimplemented` in the words of Google's servers.
  package func method(_ path: String, host: String) throws(ServiceFault) -> MethodTable.Entry {
    guard path.hasPrefix("/"), let entry = table.entries[String(path.dropFirst())] else {
      throw ServiceFault(
        .unimplemented, "The GRPC target is not implemented on the server, host: \(host), method: \(path).")
    }
    return entry
  }

  /// Reads a request.
  package func request(_ bytes: [UInt8], of entry: MethodTable.Entry) throws(ServiceFault) -> Message {
    try ProtobufReader.read(bytes, of: entry.method.request, in: table.schema)
  }
}
