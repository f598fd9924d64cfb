import CloudJobsCore
import CloudJobsEmulator

/// The name of the configuration of a location's encryption key.
enum EncryptionKey {
  /// Returns the name.
  static func name(in location: LocationName) -> String { "\(location)/cmekConfig" }

  /// Returns the location of a name.
  static func location(of name: String) throws(ServiceFault) -> LocationName {
    guard name.hasSuffix("/cmekConfig") else {
      throw .invalidArgument(
        "The name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/cmekConfig\".")
    }
    return try LocationName(String(name.dropLast("/cmekConfig".count)))
  }
}

/// The methods for access policies of queues, as those of `google.iam.v1.IAMPolicy`; the emulator does not act on them.
enum AccessPolicyMethods {
  /// `GetIamPolicy`.
  @Sendable
  static func get(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let name = try resource(call, state)
    return [try policy(state.administration.policy(of: name), call)]
  }

  /// `SetIamPolicy`.
  @Sendable
  static func set(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let name = try resource(call, state)
    let policy = call.request.message("policy").map { JSONMessageWriter().json($0) } ?? .object([:])
    return [try self.policy(try state.administration.setPolicy(policy, of: name), call)]
  }

  /// `TestIamPermissions`.
  @Sendable
  static func test(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let name = try CloudTasks.QueueName(call.request.string("resource"))
    // Nobody may do anything with a queue that isn't there. The emulator knows no callers, who all may everything else.
    guard (try? state.tasks.getQueue(name)) != nil else { return call.answer() }
    return call.answer { $0.set("permissions", call.request.texts("permissions")) }
  }

  private static func resource(_ call: ServiceCall, _ state: EmulatorState) throws(ServiceFault) -> String {
    let name = try CloudTasks.QueueName(call.request.string("resource"))
    _ = try state.tasks.getQueue(name)
    return name.text
  }

  private static func policy(_ json: JSONValue, _ call: ServiceCall) throws(ServiceFault) -> Message {
    try JSONMessageReader.read(json, into: call.answer()[0])
  }
}

/// The methods of `google.cloud.location.Locations`.
enum LocationMethods {
  /// What serves each method.
  static let handlers: [String: ServiceHandler] = ["ListLocations": list, "GetLocation": get]

  @Sendable
  private static func list(_ call: ServiceCall, _ state: inout EmulatorState) -> [Message] {
    let project = call.request.string("name") + "/"
    let locations = Set(state.tasks.locations + state.scheduler.locations).filter { $0.text.hasPrefix(project) }
    return call.answer { $0.set("locations", forEach: locations.sorted()) { fill(&$0, $1) } }
  }

  @Sendable
  private static func get(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let location = try LocationName(call.request.string("name"))
    return call.answer { fill(&$0, location) }
  }

  private static func fill(_ message: inout Message, _ location: LocationName) {
    message.set("name", location.text)
    message.set("location_id", location.text.split(separator: "/").last.map(String.init))
  }
}

/// The methods of `google.longrunning.Operations`.
///
/// All operations are done by the time they are answered; those of Firestore's administration are not emulated.
enum OperationMethods {
  /// What serves each method.
  static let handlers: [String: ServiceHandler] = [
    "GetOperation": get, "WaitOperation": get, "ListOperations": list, "DeleteOperation": delete,
    "CancelOperation": cancel,
  ]

  @Sendable
  private static func get(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    [try operation(call, state)]
  }

  @Sendable
  private static func list(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    var operations: [FieldValue] = []
    let location = try LocationName(try name(call))
    for json in state.administration.operations(in: location, at: call.now) {
      operations.append(.message(try JSONMessageReader.read(json, into: call.answer()[0].empty("operations"))))
    }
    return call.answer { $0["operations"] = .list(operations) }
  }

  @Sendable
  private static func delete(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    try state.administration.deleteOperation(try name(call), at: call.now)
    return call.answer()
  }

  /// Cancelling an operation that is done has no effect.
  @Sendable
  private static func cancel(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    _ = try operation(call, state)
    return call.answer()
  }

  private static func name(_ call: ServiceCall) throws(ServiceFault) -> String {
    let name = call.request.string("name")
    guard !name.contains("/databases/") else {
      throw ServiceFault(.unimplemented, "The emulator does not support the administration of Firestore's databases.")
    }
    return name
  }

  private static func operation(_ call: ServiceCall, _ state: EmulatorState) throws(ServiceFault) -> Message {
    guard let operation = try state.administration.operation(try name(call), call) else {
      throw ServiceFault(.notFound, "Requested entity was not found.")
    }
    return operation
  }
}

extension AdministrationService {
  /// Returns a stored operation, or nil if it is unknown or has expired.
  func operation(_ name: String, _ call: ServiceCall) throws(ServiceFault) -> Message? {
    guard let json = operation(name, at: call.now) else { return nil }
    return try JSONMessageReader.read(json, into: call.schema.message("google.longrunning.Operation"))
  }

  /// Stores an operation under its name.
  mutating func keep(_ operation: Message, at now: Timestamp) {
    keep(JSONMessageWriter().json(operation), named: operation.string("name"), at: now)
  }
}
