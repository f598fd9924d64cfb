/// Refuses claims of thread safety that the compiler does not check and nobody explains.
enum UncheckedClaims {
  /// `@unchecked Sendable` and `nonisolated(unsafe)` without a comment directly above.
  static func check(_ file: SourceFile) -> [Finding] {
    file.code.indices.compactMap { index in
      guard let claim = ["@unchecked Sendable", "nonisolated(unsafe)"].first(where: { file.code[index].contains($0) })
      else { return nil }
      var above = index - 1
      while above >= 0, file.lines[above].drop(while: \.isWhitespace).hasPrefix("@") { above -= 1 }
      let isExplained = above >= 0 && file.lines[above].drop(while: \.isWhitespace).hasPrefix("//")
      guard !isExplained else { return nil }
      return Finding(path: file.path, line: index + 1, message: "\(claim) needs a comment above that says what holds")
    }
  }
}
