import CloudJobsCore
import CloudJobsEmulator

/// The query of a request to Firestore, where a name can stand more than once.
struct FirestoreParameters {
  private var values: [String: [String]] = [:]

  init(_ query: [RESTRequest.Parameter]) {
    for parameter in query where !parameter.name.hasPrefix("$") && !QueryReader.systemNames.contains(parameter.name) {
      values[FieldMask([parameter.name]).paths[0], default: []].append(parameter.value)
    }
    values["requestOptions.requestTags"] = nil
  }

  mutating func string(_ name: String) -> String? { values.removeValue(forKey: name)?.last }

  /// Field paths, or nil where there are none.
  mutating func fieldPaths(_ name: String) throws(ServiceFault) -> [Firestore.FieldPath]? {
    guard let texts = values.removeValue(forKey: "\(name).fieldPaths") else { return nil }
    var paths: [Firestore.FieldPath] = []
    for text in texts { paths.append(try Firestore.FieldPath(parsing: text)) }
    return paths
  }

  mutating func bool(_ name: String) throws(ServiceFault) -> Bool? {
    guard let text = string(name) else { return nil }
    guard let truth = Bool(text.lowercased()) else { throw refusal(name, text, "a boolean") }
    return truth
  }

  mutating func timestamp(_ name: String) throws(ServiceFault) -> Timestamp? {
    guard let text = string(name) else { return nil }
    guard text.utf8.count > 10, let time = Timestamp(rfc3339: text) else {
      throw refusal(name, text, "an RFC 3339 timestamp")
    }
    return time
  }

  mutating func precondition() throws(ServiceFault) -> Firestore.Precondition? {
    let exists = try bool("currentDocument.exists")
    let time = try timestamp("currentDocument.updateTime")
    guard exists == nil || time == nil else {
      throw .invalidArgument("A precondition can have only one of exists and updateTime.")
    }
    return exists.map { .exists($0) } ?? time.map { .updateTime($0) }
  }

  mutating func consistency() throws(ServiceFault) -> Firestore.Consistency {
    let id = string("transaction")
    let time = try timestamp("readTime")
    guard id == nil || time == nil else {
      throw .invalidArgument("Only one of transaction and readTime may be set.")
    }
    if let time { return .readTime(time) }
    guard let id, !id.isEmpty else { return .latest }
    guard let bytes = Base64.decode(id) else { throw refusal("transaction", id, "Base64") }
    return .transaction(bytes)
  }

  mutating func page() throws(ServiceFault) -> PageRequest {
    let size = string("pageSize") ?? "0"
    guard let number = Int32(size) else { throw refusal("pageSize", size, "an integer") }
    return PageRequest(size: Int(number), token: string("pageToken") ?? "")
  }

  func finish() throws(ServiceFault) {
    if let name = values.keys.min() { throw QueryReader.unknown(name) }
  }

  private func refusal(_ name: String, _ text: String, _ expected: String) -> ServiceFault {
    ServiceFault(.invalidArgument, "Invalid value at '\(name)': \"\(text)\" is not \(expected).", field: name)
  }
}
