/// The two forms of a field's name in Google's APIs: camel case in JSON and snake case in the schema.
///
/// Source: <https://protobuf.dev/programming-guides/json/>.
package enum FieldName {
  /// Returns a name or a dotted path in camel case; what is in it already stays.
  package static func camelCase(_ name: String) -> String {
    var text = ""
    var raises = false
    for character in name {
      if character == "_" {
        raises = true
      } else {
        text += raises ? character.uppercased() : String(character)
        raises = false
      }
    }
    return text
  }

  /// Returns a name or a dotted path in snake case; what is in it already stays.
  package static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { text, character in
      if character.isUppercase { text += "_\(character.lowercased())" } else { text.append(character) }
    }
  }
}
