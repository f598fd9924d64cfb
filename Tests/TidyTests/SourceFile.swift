/// A source file as the rules see it.
struct SourceFile: Sendable {
  /// The path from the repository's root.
  let path: String
  /// The lines as they stand.
  let lines: [String]
  /// The lines with the text of comments and string literals blanked: what is left is code, in the same columns.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    code = CodeScanner.blank(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The folder below `Sources`, `Emulator` or `Tests` that names the target.
  var target: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  /// Whether the file belongs to a test target.
  var isTest: Bool { path.hasPrefix("Tests/") }
  /// Whether the file stands in a folder for adapters to the live machine.
  var isLive: Bool { path.contains("/Live/") }
}
