/// Refuses tests that would be skipped in silence, because they lack `@Test`.
enum TestAttributes {
  /// The findings in the files of one test target.
  static func check(_ files: [SourceFile]) -> [Finding] {
    let functions = files.flatMap { file in Functions.all(in: file).map { (file, $0) } }
    let texts = files.map { $0.code.joined(separator: "\n") }
    return functions.compactMap { file, function in
      guard !function.hasTestAttribute else { return nil }
      if function.name.hasPrefix("test"), function.name.dropFirst(4).first?.isLowercase != true {
        return Finding(path: file.path, line: function.line, message: "\(function.name) has no @Test: it is skipped")
      }
      let expects = ["#expect", "#require", "Issue.record"].contains { function.body.contains($0) }
      let mentions = texts.reduce(0) { $0 + mentionCount(of: function.name, in: $1) }
      guard expects, mentions < 2 else { return nil }
      return Finding(
        path: file.path, line: function.line,
        message: "\(function.name) expects something, has no @Test and is never called")
    }
  }

  private static func mentionCount(of name: String, in text: String) -> Int {
    text.ranges(of: name).count { range in
      let before = text[..<range.lowerBound].last
      let after = text[range.upperBound...].first
      return !isWord(before) && !isWord(after)
    }
  }

  private static func isWord(_ character: Character?) -> Bool {
    character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
  }
}
