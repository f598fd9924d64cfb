/// The text of a field mask in JSON: paths in camel case, with commas between them.
///
/// Source: <https://protobuf.dev/reference/protobuf/google.protobuf/#json-encoding-field-masks>.
enum FieldMaskText {
  /// Returns the text of paths in snake case.
  static func text(_ paths: [FieldValue]) -> String {
    paths.map { if case .string(let path) = $0 { camelCase(path) } else { "" } }.joined(separator: ",")
  }

  /// Returns the paths of a text, in snake case; those that are in it already stay.
  static func paths(_ text: String) -> [FieldValue] {
    text.split(separator: ",").map { .string(snakeCase($0.filter { $0 != " " })) }
  }

  private static func camelCase(_ path: String) -> String {
    var text = ""
    var isAfterBar = false
    for character in path {
      if character == "_" {
        isAfterBar = true
      } else {
        text += isAfterBar ? character.uppercased() : String(character)
        isAfterBar = false
      }
    }
    return text
  }

  private static func snakeCase(_ path: String) -> String {
    path.reduce(into: "") { text, character in
      if character.isUppercase { text += "_\(character.lowercased())" } else { text.append(character) }
    }
  }
}
