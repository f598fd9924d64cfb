/// Separates code from comments and string literals.
enum CodeScanner {
  private enum Mode {
    case code(parentheses: Int)
    case lineComment
    case blockComment(depth: Int)
    case string(hashes: Int, isMultiline: Bool)
  }

  /// Returns the text with comments and the contents of string literals replaced by spaces; interpolations remain.
  static func blank(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result = bytes
    var modes: [Mode] = [.code(parentheses: 0)]
    var index = 0
    while index < bytes.count {
      let width: Int
      switch modes[modes.count - 1] {
      case .code: width = code(bytes, at: index, &modes, &result)
      case .lineComment, .blockComment: width = comment(bytes, at: index, &modes, &result)
      case .string(let hashes, let isMultiline):
        width = string(bytes, at: index, hashes: hashes, isMultiline: isMultiline, &modes, &result)
      }
      index += width
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func code(_ bytes: [UInt8], at index: Int, _ modes: inout [Mode], _ result: inout [UInt8]) -> Int {
    let byte = bytes[index]
    if has("//", bytes, index) {
      modes.append(.lineComment)
      return 0
    }
    if has("/*", bytes, index) {
      modes.append(.blockComment(depth: 0))
      return 0
    }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#") {
      var hashes = 0
      while index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "#") { hashes += 1 }
      if has("\"", bytes, index + hashes) {
        let isMultiline = has("\"\"\"", bytes, index + hashes)
        modes.append(.string(hashes: hashes, isMultiline: isMultiline))
        return hashes + (isMultiline ? 3 : 1)
      }
    }
    guard case .code(let parentheses) = modes[modes.count - 1], modes.count > 1 else { return 1 }
    if byte == UInt8(ascii: "(") { modes[modes.count - 1] = .code(parentheses: parentheses + 1) }
    if byte == UInt8(ascii: ")") {
      if parentheses == 1 { modes.removeLast() } else { modes[modes.count - 1] = .code(parentheses: parentheses - 1) }
    }
    return 1
  }

  private static func comment(_ bytes: [UInt8], at index: Int, _ modes: inout [Mode], _ result: inout [UInt8]) -> Int {
    if case .blockComment(let depth) = modes[modes.count - 1] {
      let opens = has("/*", bytes, index)
      if opens || has("*/", bytes, index) {
        result[index] = 0x20
        result[index + 1] = 0x20
        modes[modes.count - 1] = .blockComment(depth: depth + (opens ? 1 : -1))
        if !opens && depth == 1 { modes.removeLast() }
        return 2
      }
    } else if bytes[index] == 0x0A {
      modes.removeLast()
      return 0
    }
    if bytes[index] != 0x0A { result[index] = 0x20 }
    return 1
  }

  private static func string(
    _ bytes: [UInt8], at index: Int, hashes: Int, isMultiline: Bool, _ modes: inout [Mode], _ result: inout [UInt8]
  ) -> Int {
    let fence = String(repeating: "#", count: hashes)
    let end = (isMultiline ? "\"\"\"" : "\"") + fence
    if has(end, bytes, index) {
      modes.removeLast()
      return end.utf8.count
    }
    if has("\\" + fence, bytes, index) {
      let escaped = index + 1 + hashes
      if has("(", bytes, escaped) {
        for place in index..<escaped { result[place] = 0x20 }
        modes.append(.code(parentheses: 0))
        return 1 + hashes
      }
      for place in index...min(escaped, bytes.count - 1) where bytes[place] != 0x0A { result[place] = 0x20 }
      return 2 + hashes
    }
    if bytes[index] == 0x0A {
      // An unterminated literal: the compiler rejects it; the rest of the file counts as code.
      if !isMultiline { modes.removeLast() }
    } else {
      result[index] = 0x20
    }
    return 1
  }

  private static func has(_ text: String, _ bytes: [UInt8], _ index: Int) -> Bool {
    guard index + text.utf8.count <= bytes.count else { return false }
    return zip(text.utf8, bytes[index...]).allSatisfy { $0 == $1 }
  }
}

/// Finds the functions and initializers of a file.
enum Functions {
  /// A function or initializer with its body.
  struct Function {
    let name: String
    let line: Int
    let lineCount: Int
    let body: Substring
    let hasTestAttribute: Bool
  }

  /// Returns all functions, including nested ones, without protocol requirements.
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

  /// Returns the body with its braces, or nil if the declaration has none.
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
