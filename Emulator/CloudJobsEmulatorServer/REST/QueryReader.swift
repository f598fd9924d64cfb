import CloudJobsEmulator

/// Reads the query of a request: names in camel or snake case, Google's system parameters, and no unknown names.
///
/// Source: <https://cloud.google.com/apis/docs/system-parameters>.
struct QueryReader {
  /// Parameters that all of Google's APIs take and that have no effect here.
  static let systemNames: Set<String> = [
    "alt", "key", "fields", "prettyPrint", "quotaUser", "access_token", "oauth_token", "callback", "uploadType",
    "upload_protocol",
  ]
  private var values: [String: String] = [:]
  /// Whether answers should have enums as numbers.
  private(set) var enumsAreNumbers = false

  init(_ query: [RESTRequest.Parameter]) {
    for parameter in query {
      if parameter.name == "$alt" {
        enumsAreNumbers = parameter.value.contains("enum-encoding=int")
      } else if !parameter.name.hasPrefix("$"), !Self.systemNames.contains(parameter.name) {
        let name = FieldMask([parameter.name]).paths[0]
        values[name] = values[name].map { "\($0),\(parameter.value)" } ?? parameter.value
      }
    }
  }

  mutating func take(_ name: String) -> String? {
    values.removeValue(forKey: name)
  }

  mutating func page() throws(ServiceFault) -> PageRequest {
    let size = take("pageSize") ?? "0"
    guard let number = Int32(size) else {
      throw ServiceFault(.invalidArgument, "Invalid value at 'page_size': \(size) is no integer.", field: "page_size")
    }
    return PageRequest(size: Int(number), token: take("pageToken") ?? "")
  }

  mutating func mask() -> FieldMask? {
    take("updateMask").map { FieldMask(commaSeparated: $0) }
  }

  mutating func view() throws(ServiceFault) -> CloudTasks.View {
    guard let text = take("responseView"), text != "0", text != "VIEW_UNSPECIFIED" else { return .basic }
    let view = CloudTasks.View.allCases.first { $0.name == text || "\($0.rawValue)" == text }
    guard let view else {
      throw ServiceFault(.invalidArgument, "Invalid value at 'response_view': \(text).", field: "response_view")
    }
    return view
  }

  func finish() throws(ServiceFault) {
    guard let name = values.keys.min() else { return }
    throw Self.unknown(name)
  }

  /// The refusal of a parameter that the method does not have.
  static func unknown(_ name: String) -> ServiceFault {
    ServiceFault(
      .invalidArgument,
      "Invalid JSON payload received. Unknown name \"\(name)\": Cannot bind query parameter. "
        + "Field '\(name)' could not be found in request message.", field: "")
  }
}
