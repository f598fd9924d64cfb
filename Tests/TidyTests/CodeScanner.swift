/// Tells code from comments and string literals.
enum CodeScanner {
  private enum Mode {
    case code(parentheses: Int)
    case lineComment
    case blockComment(depth: Int)
    case string(hashes: Int, isMultiline: Bool)
  }

  /// The text with comments and the contents of string literals replaced by spaces; interpolations stay code.
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
      // A literal of one line that does not end: the compiler refuses it, and the rest of the file is code.
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
