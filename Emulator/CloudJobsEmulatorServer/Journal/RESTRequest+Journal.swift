import CloudJobsCore

extension RESTRequest {
  /// Whether serving the request may change a service's state: all but plain reads do.
  ///
  /// A read within a transaction counts, as the transaction remembers it.
  var mayChangeState: Bool {
    method != "GET" || query.contains { $0.name.lowercased().contains("transaction") }
  }

  /// The request as a journal keeps it; the body as text where it is text.
  var json: JSONValue {
    var object: [String: JSONValue] = [
      "method": .string(method), "path": .array(path.map { .string($0) }),
    ]
    if !query.isEmpty { object["query"] = .array(query.map { [.string($0.name), .string($0.value)] }) }
    if let text = String(validating: body, as: UTF8.self) {
      if !text.isEmpty { object["body"] = .string(text) }
    } else {
      object["bytes"] = .array(body.map { .integer(Int64($0)) })
    }
    return .object(object)
  }

  /// The request of a journal's value, or nil where it is none.
  init?(json: JSONValue) {
    guard let method = json["method"]?.string, let path = json["path"]?.array else { return nil }
    let body =
      json["body"]?.string.map { Array($0.utf8) }
      ?? json["bytes"]?.array?.compactMap { value in
        value.integer.flatMap { UInt8(exactly: $0) }
      }
    self.init(method: method, target: "", body: body ?? [])
    self.path = path.compactMap(\.string)
    query = (json["query"]?.array ?? []).compactMap { pair in
      guard let parts = pair.array, parts.count == 2, let name = parts[0].string, let value = parts[1].string else {
        return nil
      }
      return Parameter(name: name, value: value)
    }
  }
}
