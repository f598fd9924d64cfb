import CloudJobsCore

/// A part of a line of YAML: the dash of a list's item, or a key with or without a value.
struct YAMLLine {
  /// The line's number, from 1.
  let number: Int
  /// At which column it begins, from 0.
  let indent: Int
  /// The key; nil for a dash.
  let key: String?
  /// The value without quotes; nil where none stands after the key.
  let value: String?

  /// The parts of a text, in order.
  ///
  /// - Throws: ``JobError`` `invalidField` with the line of what is outside the subset.
  static func parts(of text: String) throws(JobError) -> [YAMLLine] {
    var parts: [YAMLLine] = []
    for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let number = index + 1
      var rest = raw.drop { $0 == " " }
      while rest.last == " " || rest.last == "\t" { rest.removeLast() }
      var indent = raw.prefix { $0 == " " }.count
      if rest.isEmpty || rest.first == "#" || (rest == "---" && parts.isEmpty) { continue }
      guard rest.first != "\t" else { throw refusal(number, "A tab indents it. Indent with spaces.") }
      while rest == "-" || rest.hasPrefix("- ") {
        parts.append(YAMLLine(number: number, indent: indent, key: nil, value: nil))
        let inner = rest.dropFirst().drop { $0 == " " }
        indent += rest.count - inner.count
        rest = inner
      }
      if rest.isEmpty || rest.first == "#" { continue }
      let key = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      let after = rest.dropFirst(key.count)
      guard !key.isEmpty, after == ":" || after.hasPrefix(": ") else {
        throw refusal(number, "It is no entry. Write it as `key: value`, with a space after the colon.")
      }
      let value = try scalar(after.dropFirst().drop { $0 == " " || $0 == "\t" }, number)
      parts.append(YAMLLine(number: number, indent: indent, key: String(key), value: value))
    }
    return parts
  }

  static func refusal(_ line: Int, _ message: String) -> JobError { QueuesFile.refusal("Line \(line)", message) }

  private static func scalar(_ text: Substring, _ line: Int) throws(JobError) -> String? {
    guard let first = text.first, first != "#" else { return nil }
    if first == "\"" || first == "'" { return try quoted(text, by: first, line) }
    guard !"[]{}&*!|>%@`,?".contains(first) else {
      throw refusal(line, "A value that begins with \(first) is not read here. Write a plain or quoted value.")
    }
    var value = text
    var previous: Character = "x"
    for index in text.indices {
      if text[index] == "#", previous == " " || previous == "\t" {
        value = text[..<index]
        break
      }
      previous = text[index]
    }
    while value.last == " " || value.last == "\t" { value.removeLast() }
    guard !value.contains(": "), value.last != ":" else {
      throw refusal(line, "It has two colons. Put the value in quotes, or each entry on its own line.")
    }
    return String(value)
  }

  private static func quoted(_ text: Substring, by quote: Character, _ line: Int) throws(JobError) -> String {
    var value = ""
    var rest = text.dropFirst()
    while let next = rest.popFirst() {
      if next == "\\", quote == "\"" {
        throw refusal(line, "Escapes are not read here. Use single quotes, which take a backslash as it is.")
      }
      guard next == quote else {
        value.append(next)
        continue
      }
      if quote == "'", rest.first == "'" {
        value.append(rest.removeFirst())
        continue
      }
      let tail = rest.drop { $0 == " " || $0 == "\t" }
      guard tail.isEmpty || (tail.first == "#" && tail.count < rest.count) else {
        throw refusal(line, "Something stands after the closing quote. Remove it.")
      }
      return value
    }
    throw refusal(line, "The quote is not closed. Close it on the same line.")
  }
}
