import CloudJobsCore
import CloudJobsEmulator

/// The methods of `grpc.health.v1.Health`, for probes: the emulator and its services serve from their start on.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>.
enum HealthMethods {
  /// What serves each method; `Watch` answers once here, and its stream stays open.
  static let handlers: [String: ServiceHandler] = ["Check": check, "List": list, "Watch": watch]

  private enum Status: Int {
    case serving = 1
    case unknown = 3
  }

  @Sendable
  private static func check(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    guard isKnown(call) else {
      throw ServiceFault(.notFound, "The emulator has no service \(call.request.string("service")).")
    }
    return call.answer { $0.set("status", Status.serving) }
  }

  @Sendable
  private static func watch(_ call: ServiceCall, _ state: inout EmulatorState) -> [Message] {
    call.answer { $0.set("status", isKnown(call) ? Status.serving : .unknown) }
  }

  @Sendable
  private static func list(_ call: ServiceCall, _ state: inout EmulatorState) -> [Message] {
    var status = call.schema.message("grpc.health.v1.HealthCheckResponse")
    status.set("status", Status.serving)
    let names = [""] + call.schema.services.map(\.name)
    return call.answer {
      $0["statuses"] = .map(
        Dictionary(uniqueKeysWithValues: names.map { (FieldValue.string($0), FieldValue.message(status)) }))
    }
  }

  private static func isKnown(_ call: ServiceCall) -> Bool {
    let service = call.request.string("service")
    return service.isEmpty || call.schema.services.contains { $0.name == service }
  }
}
