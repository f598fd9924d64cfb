/// The fields that an update names, as lower-camel-case dotted paths (`retryConfig.maxAttempts`).
public struct FieldMask: Hashable, Sendable {
  /// The paths.
  public let paths: [String]

  /// A mask from paths in camel case or snake case.
  ///
  /// Both are in use on the wire: <https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask>.
  public init(_ paths: [String]) {
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

  /// A mask from its form in a query: paths separated by commas.
  public init(commaSeparated text: String) {
    self.init(text.split(separator: ",").map { $0.filter { $0 != " " } })
  }
}
