/// Finds the functions and initialisers of a file.
enum Functions {
  /// One of them, with its body.
  struct Function {
    let name: String
    let line: Int
    let lineCount: Int
    let body: Substring
    let hasTestAttribute: Bool
  }

  /// All of them, nested ones too; requirements without a body are left out.
  static func all(in file: SourceFile) -> [Function] {
    let code = file.code.joined(separator: "\n")
    var line = 1
    var place = code.startIndex
    var previous = code.startIndex
    var found: [Function] = []
    while let range = next(in: code, from: place) {
      line += code[place..<range.lowerBound].count { $0 == "\n" }
      let name = code[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "`" }
      if let body = body(in: code, from: range.upperBound) {
        let length = code[range.lowerBound..<body.endIndex].count { $0 == "\n" } + 1
        found.append(
          Function(
            name: name.isEmpty ? String(code[range]) : String(name), line: line, lineCount: length, body: body,
            hasTestAttribute: code[previous..<range.lowerBound].contains("@Test")))
      }
      previous = range.upperBound
      place = range.lowerBound
      line += code[place..<range.upperBound].count { $0 == "\n" }
      place = range.upperBound
    }
    return found
  }

  private static func next(in code: String, from start: String.Index) -> Range<String.Index>? {
    var from = start
    while from < code.endIndex {
      let candidates = ["func ", "init("].compactMap { code[from...].firstRange(of: $0) }
      guard let range = candidates.min(by: { $0.lowerBound < $1.lowerBound }) else { return nil }
      let before = code[..<range.lowerBound].last
      let isCall = before == "." || before.map { $0.isLetter || $0.isNumber || $0 == "_" } == true
      if !isCall {
        return code[range].hasPrefix("init") ? range.lowerBound..<code.index(before: range.upperBound) : range
      }
      from = range.upperBound
    }
    return nil
  }

  /// From the brace that opens the body to the one that closes it; nil where the declaration ends without one.
  private static func body(in code: String, from start: String.Index) -> Substring? {
    var nesting = 0
    var open: String.Index?
    var depth = 0
    var index = start
    while index < code.endIndex {
      let character = code[index]
      if open == nil {
        switch character {
        case "(", "[": nesting += 1
        case ")", "]": nesting -= 1
        case "}" where nesting == 0: return nil
        case "{" where nesting == 0:
          open = index
          depth = 1
        case "\n" where nesting == 0 && startsDeclaration(code[code.index(after: index)...]): return nil
        default: break
        }
      } else if character == "{" {
        depth += 1
      } else if character == "}" {
        depth -= 1
        if depth == 0, let open { return code[open...index] }
      }
      index = code.index(after: index)
    }
    return nil
  }

  private static func startsDeclaration(_ rest: Substring) -> Bool {
    let line = rest.drop(while: \.isWhitespace)
    return ["func ", "var ", "let ", "init(", "static ", "mutating ", "associatedtype ", "@", "subscript", "#"].contains
    {
      line.hasPrefix($0)
    }
  }
}
