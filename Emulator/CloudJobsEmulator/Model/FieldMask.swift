/// The fields that an update changes, as dotted lower-camel-case paths (`retryConfig.maxAttempts`).
package struct FieldMask: Hashable, Sendable {
  /// The paths.
  package let paths: [String]

  /// Creates a mask from paths in camel case or snake case.
  ///
  /// Clients send both: <https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask>.
  package init(_ paths: [String]) {
    self.paths = paths.map { path in
      var text = ""
      var raises = false
      for character in path {
        if character == "_" {
          raises = true
        } else {
          text += raises ? character.uppercased() : String(character)
          raises = false
        }
      }
      return text
    }
  }

  /// Creates a mask from comma-separated paths, as in a query.
  package init(commaSeparated text: String) {
    self.init(text.split(separator: ",").map { $0.filter { $0 != " " } })
  }
}
