package import CloudJobsCore
import CloudJobsEmulator

/// The parameters of a query that all of Google's APIs take.
///
/// Source: <https://cloud.google.com/apis/docs/system-parameters>.
package struct SystemParameters: Sendable {
  private static let names: Set<String> = [
    "alt", "key", "fields", "prettyPrint", "quotaUser", "access_token", "oauth_token", "callback", "uploadType",
    "upload_protocol",
  ]

  /// Whether answers have enums as numbers.
  package private(set) var enumsAreNumbers = false
  /// What of the answer to return; nil for all.
  private var selection: FieldSelection?

  /// Takes the system parameters out of a query.
  ///
  /// - Parameter query: the query, of which the method's own parameters are left.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an unknown form of answers.
  init(_ query: inout [RESTRequest.Parameter]) throws(ServiceFault) {
    var rest: [RESTRequest.Parameter] = []
    for parameter in query {
      // Those with `$` are all of this kind, known or not.
      let isOwn = parameter.name.hasPrefix("$")
      let name = isOwn ? String(parameter.name.dropFirst()) : parameter.name
      guard isOwn || Self.names.contains(name) else {
        rest.append(parameter)
        continue
      }
      switch name {
      case "alt":
        let words = parameter.value.split(separator: ";")
        // `sse` and `media` are for other kinds of methods.
        guard words.first == nil || words.first == "json" else {
          throw .invalidArgument("Invalid value \"\(parameter.value)\" for query parameter 'alt'")
        }
        if words.contains("enum-encoding=int") { enumsAreNumbers = true }
      case "fields":
        if !parameter.value.isEmpty { selection = FieldSelection(parameter.value) }
      default: break
      }
    }
    query = rest
  }

  /// Checks the selection of fields against the type of the answer.
  func check(_ type: MessageType, in schema: Schema) throws(ServiceFault) {
    try selection?.check(type, in: schema)
  }

  /// Returns an answer as JSON, with the fields that the request selects.
  package func json(_ message: Message) -> JSONValue {
    let json = JSONMessageWriter(enumsAreNumbers: enumsAreNumbers).json(message)
    return selection?.applied(to: json) ?? json
  }
}
