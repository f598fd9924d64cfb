public import CloudJobsCore

/// What the services keep about themselves and nothing here depends on: access policies, encryption keys, operations.
public struct AdministrationService: Sendable {
  /// For how long a batch of the same request id is answered with the first one's operation.
  public static let operationLifetime: Duration = .hours(1)
  private static let maximumOperations = 10_000

  struct Kept: Sendable {
    var value: JSONValue
    var expiry: Timestamp
  }

  var policies: [String: JSONValue] = [:]
  var keys: [String: String] = [:]
  private(set) var operations: [String: Kept] = [:]
  private var order = ExpiryList<String>()
  var lastNumber: UInt64 = 0

  /// A service that keeps nothing yet.
  public init() {}

  /// A resource's policy; one without bindings where none was set.
  public func policy(of resource: String) -> JSONValue {
    policies[resource] ?? ["etag": .string(Base64.encode([0, 0, 0, 0, 0, 0, 0, 0]))]
  }

  /// Sets a resource's policy.
  ///
  /// - Parameters:
  ///   - policy: the policy, checked by the face.
  ///   - resource: the resource's name.
  /// - Returns: the policy with its new etag.
  /// - Throws: ``ServiceFault`` `aborted` where the policy's etag is not that of the present policy.
  public mutating func setPolicy(_ policy: JSONValue, of resource: String) throws(ServiceFault) -> JSONValue {
    let etag = policy["etag"]?.string ?? ""
    guard etag.isEmpty || etag == self.policy(of: resource)["etag"]?.string else {
      throw ServiceFault(
        .aborted,
        "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.")
    }
    lastNumber += 1
    let number = lastNumber
    var members = policy.object ?? [:]
    members["etag"] = .string(Base64.encode((0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - $0 * 8)) }))
    policies[resource] = .object(members)
    return .object(members)
  }

  /// The encryption key of a service in a location; empty where none was set.
  public func key(of service: String, in location: LocationName) -> String {
    keys["\(service) \(location)"] ?? ""
  }

  /// Sets the encryption key of a service in a location; an empty one takes it away.
  public mutating func setKey(_ key: String, of service: String, in location: LocationName) {
    keys["\(service) \(location)"] = key.isEmpty ? nil : key
    lastNumber += 1
  }

  /// A number that no other operation has.
  public mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  /// An operation that was kept.
  public func operation(_ name: String, at now: Timestamp) -> JSONValue? {
    guard let kept = operations[name], kept.expiry > now else { return Optional.none }
    return kept.value
  }

  /// The operations of a location by name.
  public func operations(in location: LocationName, at now: Timestamp) -> [JSONValue] {
    operations.filter { $0.key.hasPrefix("\(location)/operations/") && $0.value.expiry > now }
      .sorted { $0.key < $1.key }.map(\.value.value)
  }

  /// Keeps an operation under its name for a while.
  public mutating func keep(_ operation: JSONValue, named name: String, at now: Timestamp) {
    while let oldest = order.first, oldest.expiry <= now || operations.count >= Self.maximumOperations {
      if operations[oldest.item]?.expiry == oldest.expiry { operations[oldest.item] = nil }
      order.removeFirst()
    }
    keep(operation, named: name, expiry: now + Self.operationLifetime)
  }

  /// Keeps an operation until a time, which is not before those of earlier calls.
  mutating func keep(_ operation: JSONValue, named name: String, expiry: Timestamp) {
    operations[name] = Kept(value: operation, expiry: expiry)
    order.append(name, expiry: expiry)
  }

  /// Forgets an operation.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func deleteOperation(_ name: String, at now: Timestamp) throws(ServiceFault) {
    guard operation(name, at: now) != nil else {
      throw ServiceFault(.notFound, "Requested entity was not found.")
    }
    operations[name] = nil
  }
}
