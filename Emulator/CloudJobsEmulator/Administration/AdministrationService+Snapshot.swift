import CloudJobsCore

extension AdministrationService {
  /// A part of the service that a snapshot keeps; JSON is kept as its text.
  enum Entity: Codable, Sendable {
    case counters(lastNumber: UInt64)
    case policy(resource: String, json: String)
    case key(place: String, name: String)
    case operation(name: String, json: String, expiry: Timestamp)
  }

  /// All parts, in an order in which ``restore(_:)`` takes them.
  var entities: [Entity] {
    func text(_ json: JSONValue) -> String { String(decoding: json.encoded, as: UTF8.self) }
    let kept = operations.sorted { ($0.value.expiry, $0.key) < ($1.value.expiry, $1.key) }
    return [.counters(lastNumber: lastNumber)] + policies.map { .policy(resource: $0.key, json: text($0.value)) }
      + keys.map { .key(place: $0.key, name: $0.value) }
      + kept.map { .operation(name: $0.key, json: text($0.value.value), expiry: $0.value.expiry) }
  }

  /// Puts a part back.
  ///
  /// - Throws: ``JobError`` where a text is no JSON.
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
