import CloudJobsEmulator

/// The text of a field mask in JSON: paths in camel case, with commas between them.
///
/// Source: <https://protobuf.dev/reference/protobuf/google.protobuf/#json-encoding-field-masks>.
enum FieldMaskText {
  /// Returns the text of paths in snake case.
  static func text(_ paths: [FieldValue]) -> String {
    paths.map { if case .string(let path) = $0 { FieldName.camelCase(path) } else { "" } }.joined(separator: ",")
  }

  /// Returns the paths of a text, in snake case; those that are in it already stay.
  static func paths(_ text: String) -> [FieldValue] {
    text.split(separator: ",").map { .string(FieldName.snakeCase($0.filter { $0 != " " })) }
  }
}
