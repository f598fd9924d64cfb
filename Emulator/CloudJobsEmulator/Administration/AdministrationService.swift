package import CloudJobsCore

/// Administrative state shared by all services: access policies, encryption keys and long-running operations.
///
/// The emulated services store it for clients and do not act on it.
package struct AdministrationService: Sendable {
  /// Time for which a repeated batch request ID returns the operation of the first request.
  package static let operationLifetime: Duration = .hours(1)
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

  /// Creates a service without policies, keys or operations.
  package init() {}

  /// Returns the access policy of a resource, or a policy without bindings if none was set.
  package func policy(of resource: String) -> JSONValue {
    policies[resource] ?? ["etag": .string(Base64.encode([0, 0, 0, 0, 0, 0, 0, 0]))]
  }

  /// Sets the access policy of a resource.
  ///
  /// - Parameters:
  ///   - policy: the policy, validated by the router.
  ///   - resource: the resource's name.
  /// - Returns: the policy with its new etag.
  /// - Throws: ``ServiceFault`` `aborted` if the policy's etag differs from that of the current policy.
  package mutating func setPolicy(_ policy: JSONValue, of resource: String) throws(ServiceFault) -> JSONValue {
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

  /// Returns the encryption key of a service in a location, or an empty string if none was set.
  package func key(of service: String, in location: LocationName) -> String {
    keys["\(service) \(location)"] ?? ""
  }

  /// Sets the encryption key of a service in a location; an empty key removes it.
  package mutating func setKey(_ key: String, of service: String, in location: LocationName) {
    keys["\(service) \(location)"] = key.isEmpty ? nil : key
    lastNumber += 1
  }

  /// Returns a number that no other operation has.
  package mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  /// Returns a stored operation, or nil if it is unknown or has expired.
  package func operation(_ name: String, at now: Timestamp) -> JSONValue? {
    guard let kept = operations[name], kept.expiry > now else { return Optional.none }
    return kept.value
  }

  /// Returns the operations of a location, sorted by name.
  package func operations(in location: LocationName, at now: Timestamp) -> [JSONValue] {
    operations.filter { $0.key.hasPrefix("\(location)/operations/") && $0.value.expiry > now }
      .sorted { $0.key < $1.key }.map(\.value.value)
  }

  /// Stores an operation for ``operationLifetime``.
  package mutating func keep(_ operation: JSONValue, named name: String, at now: Timestamp) {
    while let oldest = order.first, oldest.expiry <= now || operations.count >= Self.maximumOperations {
      if operations[oldest.item]?.expiry == oldest.expiry { operations[oldest.item] = nil }
      order.removeFirst()
    }
    keep(operation, named: name, expiry: now + Self.operationLifetime)
  }

  /// Stores an operation until `expiry`, which must not precede the expiry of earlier calls.
  mutating func keep(_ operation: JSONValue, named name: String, expiry: Timestamp) {
    operations[name] = Kept(value: operation, expiry: expiry)
    order.append(name, expiry: expiry)
  }

  /// Deletes an operation.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func deleteOperation(_ name: String, at now: Timestamp) throws(ServiceFault) {
    guard operation(name, at: now) != nil else {
      throw ServiceFault(.notFound, "Requested entity was not found.")
    }
    operations[name] = nil
  }

  /// One entity of the service in a snapshot; JSON values are stored as text.
  enum Entity: Codable, Sendable {
    case counters(lastNumber: UInt64)
    case policy(resource: String, json: String)
    case key(place: String, name: String)
    case operation(name: String, json: String, expiry: Timestamp)
  }

  /// All entities, in the order that ``restore(_:)`` expects.
  var entities: [Entity] {
    func text(_ json: JSONValue) -> String { String(decoding: json.encoded, as: UTF8.self) }
    let kept = operations.sorted { ($0.value.expiry, $0.key) < ($1.value.expiry, $1.key) }
    return [.counters(lastNumber: lastNumber)] + policies.map { .policy(resource: $0.key, json: text($0.value)) }
      + keys.map { .key(place: $0.key, name: $0.value) }
      + kept.map { .operation(name: $0.key, json: text($0.value.value), expiry: $0.value.expiry) }
  }

  /// Restores one entity of a snapshot.
  ///
  /// - Throws: ``JobError`` if a text is not valid JSON.
  mutating func restore(_ entity: Entity) throws(JobError) {
    func json(_ text: String) throws(JobError) -> JSONValue {
      try JSONValue(parsing: Array(text.utf8), limits: .service)
    }
    switch entity {
    case .counters(let lastNumber): self.lastNumber = lastNumber
    case .policy(let resource, let text): policies[resource] = try json(text)
    case .key(let place, let name): keys[place] = name
    case .operation(let name, let text, let expiry): keep(try json(text), named: name, expiry: expiry)
    }
  }
}
