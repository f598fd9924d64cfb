import CloudJobsCore
import CloudJobsEmulator

extension RESTCall {
  private static let missing = ServiceFault(.notFound, "Requested entity was not found.")

  /// Serves the methods of locations, operations and encryption keys, which both services have.
  mutating func serveLocations(_ state: inout EmulatorState) throws(ServiceFault) -> JSONValue {
    switch (method, resource.count, collection, verb) {
    case ("GET", 3, _, nil) where resource[0] == "projects" && resource[2] == "locations":
      return try listLocations(state)
    case ("GET", 4, _, nil): return try serveLocation()
    case ("GET", 5, "cmekConfig", nil):
      try finishEmpty()
      return key(state.administration.key(of: service, in: try location()))
    case ("PATCH", 5, "cmekConfig", nil): return try updateKey(&state.administration)
    case ("GET", 5, "operations", nil):
      _ = try query.page()
      _ = (query.take("filter"), query.take("returnPartialSuccess"))
      try finishEmpty()
      let operations = state.administration.operations(in: try location(), at: now)
      return operations.isEmpty ? .object([:]) : ["operations": .array(operations)]
    case ("GET", 6, "operations", nil):
      try finishEmpty()
      guard let operation = state.administration.operation(name(of: 6), at: now) else { throw Self.missing }
      return operation
    case ("DELETE", 6, "operations", nil):
      try finishEmpty()
      try state.administration.deleteOperation(name(of: 6), at: now)
      return .object([:])
    case ("POST", 6, "operations", "cancel"):
      try finishEmpty()
      // All operations are done by the time they are answered; cancelling such a one has no effect.
      guard state.administration.operation(name(of: 6), at: now) != nil else { throw Self.missing }
      return .object([:])
    default: throw unknownRoute
    }
  }

  /// Serves the methods of a queue's access policy.
  mutating func servePolicies(_ state: inout EmulatorState) throws(ServiceFault) -> JSONValue {
    try query.finish()
    _ = try state.tasks.getQueue(try queueName())
    var reader = try message()
    reader.ignore("resource")
    switch verb {
    case "getIamPolicy":
      reader.ignore("options")
      try reader.finish()
      return state.administration.policy(of: name(of: 6))
    case "setIamPolicy":
      reader.ignore("updateMask")
      let policy = try reader.message("policy")?.policy() ?? .object([:])
      try reader.finish()
      return try state.administration.setPolicy(policy, of: name(of: 6))
    default:
      // The emulator knows no callers; whoever reaches it may do everything.
      let permissions = try reader.texts("permissions")
      try reader.finish()
      return permissions.isEmpty ? .object([:]) : ["permissions": .array(permissions.map { .string($0) })]
    }
  }

  /// Whether the call is about a queue's access policy.
  var isPolicyCall: Bool {
    method == "POST" && resource.count == 6
      && ["getIamPolicy", "setIamPolicy", "testIamPermissions"].contains(verb ?? "")
  }

  private var service: String { version == "v2" ? "tasks" : "scheduler" }

  private mutating func listLocations(_ state: EmulatorState) throws(ServiceFault) -> JSONValue {
    _ = try query.page()
    _ = (query.take("filter"), query.take("extraLocationTypes"))
    try finishEmpty()
    let locations = Set(state.tasks.locations + state.scheduler.locations)
      .filter { $0.text.hasPrefix(name(of: 3) + "/") }.sorted()
    guard !locations.isEmpty else { return .object([:]) }
    return [
      "locations": .array(
        locations.map { location in
          answer {
            $0.set("name", location.text)
            $0.set("locationId", location.text.split(separator: "/").last.map(String.init))
          }
        })
    ]
  }

  private func key(_ key: String) -> JSONValue {
    answer {
      $0.set("name", "\(name(of: 4))/cmekConfig")
      $0.set(version == "v2" ? "kmsKey" : "kmsKeyName", key)
    }
  }

  private mutating func updateKey(_ administration: inout AdministrationService) throws(ServiceFault) -> JSONValue {
    _ = query.mask()
    try query.finish()
    var reader = try message()
    reader.ignore("name")
    let value = try reader.string(version == "v2" ? "kmsKey" : "kmsKeyName") ?? ""
    try reader.finish()
    administration.setKey(value, of: service, in: try location())
    guard version == "v1" else { return key(value) }
    let operationName = "\(name(of: 4))/operations/operation-\(administration.nextNumber())"
    let type = "type.googleapis.com/google.cloud.scheduler.v1."
    let metadata = answer {
      $0.set("@type", type + "OperationMetadata")
      $0.set("createTime", now)
      $0.set("endTime", now)
      $0.set("target", "\(name(of: 4))/cmekConfig")
      $0.set("verb", "update")
      $0.set("apiVersion", "v1")
    }
    var response = key(value).object ?? [:]
    response["@type"] = .string(type + "CmekConfig")
    let operation: JSONValue = [
      "name": .string(operationName), "done": true, "metadata": metadata, "response": .object(response),
    ]
    administration.keep(operation, named: operationName, at: now)
    return operation
  }
}

extension MessageReader {
  /// Reads an access policy to its end.
  fileprivate consuming func policy() throws(ServiceFault) -> JSONValue {
    var reader = self
    var members: [String: JSONValue] = [:]
    if let version = try reader.integer("version"), version != 0 { members["version"] = .integer(Int64(version)) }
    if let etag = try reader.string("etag"), !etag.isEmpty { members["etag"] = .string(etag) }
    var bindings: [JSONValue] = []
    for var binding in try reader.messages("bindings") {
      var values: [String: JSONValue] = ["role": .string(try binding.string("role") ?? "")]
      values["members"] = .array(try binding.texts("members").map { .string($0) })
      if let condition = try binding.strings("condition") {
        values["condition"] = .object(condition.mapValues { .string($0) })
      }
      try binding.finish()
      bindings.append(.object(values))
    }
    if !bindings.isEmpty { members["bindings"] = .array(bindings) }
    try reader.finish()
    return .object(members)
  }
}
