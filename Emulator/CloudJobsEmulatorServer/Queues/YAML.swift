import CloudJobsCore

/// A value of the YAML subset used by `queue.yaml`: block mappings and lists, one-line scalars.
///
/// The errors are the reason for a hand-written reader. Yams 6.2.2 (libyaml) reports a missing space after a colon and
/// an unclosed quote at a later line, and a duplicate key at the start of its mapping with the whole text; it names
/// no remedy. It would also be a C dependency of every package that uses the `Server` trait.
indirect enum YAMLBlock {
  /// An entry of a mapping, or an item of a list with an empty key.
  struct Entry {
    let key: String
    let value: YAMLBlock
    let line: Int
  }

  /// No value after the key or dash.
  case empty
  /// Text without its quotes; its type is not inferred.
  case scalar(String)
  /// The items of a list.
  case list([Entry])
  /// The entries of a mapping, in order, with unique keys.
  case mapping([Entry])

  /// Maximum nesting depth of blocks.
  static let depthLimit = 8

  /// Parses text.
  ///
  /// - Throws: ``JobError`` `invalidField` with the line of an unsupported construct.
  init(parsing text: String) throws(JobError) {
    var parts = try YAMLLine.parts(of: text)[...]
    guard let first = parts.first else {
      self = .empty
      return
    }
    self = try Self.block(&parts, indent: first.indent, depth: 1)
    if let left = parts.first { throw Self.misplaced(left.number) }
  }

  private static func block(
    _ parts: inout ArraySlice<YAMLLine>, indent: Int, depth: Int
  ) throws(JobError) -> YAMLBlock {
    guard let first = parts.first else { return .empty }
    guard depth <= depthLimit else {
      throw YAMLLine.refusal(first.number, "The nesting is too deep. A queue.yaml has three levels.")
    }
    let isList = first.key == nil
    var entries: [Entry] = []
    while let part = parts.first, part.indent == indent, (part.key == nil) == isList {
      parts.removeFirst()
      let key = part.key ?? ""
      guard isList || !entries.contains(where: { $0.key == key }) else {
        throw YAMLLine.refusal(part.number, "`\(key)` occurs twice. Remove one.")
      }
      var value = part.value.map { YAMLBlock.scalar($0) } ?? .empty
      // A list may start at the column of its key.
      if part.value == nil, let next = parts.first,
        next.indent > indent || (!isList && next.key == nil && next.indent == indent)
      {
        value = try block(&parts, indent: next.indent, depth: depth + 1)
      }
      entries.append(Entry(key: key, value: value, line: part.number))
    }
    if let next = parts.first, next.indent > indent { throw misplaced(next.number) }
    return isList ? .list(entries) : .mapping(entries)
  }

  private static func misplaced(_ line: Int) -> JobError {
    YAMLLine.refusal(line, "The indentation matches no line above. Align it with the entries that it belongs to.")
  }
}

/// A part of a YAML line: the dash of a list item, or a key with an optional value.
struct YAMLLine {
  /// The line number, from 1.
  let number: Int
  /// The column, from 0.
  let indent: Int
  /// The key; nil for a dash.
  let key: String?
  /// The value without quotes; nil if there is none.
  let value: String?

  /// Splits text into parts, in order.
  ///
  /// - Throws: ``JobError`` `invalidField` with the line of an unsupported construct.
  static func parts(of text: String) throws(JobError) -> [YAMLLine] {
    var parts: [YAMLLine] = []
    for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let number = index + 1
      var rest = raw.drop { $0 == " " }
      while rest.last == " " || rest.last == "\t" { rest.removeLast() }
      var indent = raw.prefix { $0 == " " }.count
      if rest.isEmpty || rest.first == "#" || (rest == "---" && parts.isEmpty) { continue }
      guard rest.first != "\t" else { throw refusal(number, "The line is indented with a tab. Indent with spaces.") }
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
        throw refusal(number, "The line is not an entry. Write `key: value`, with a space after the colon.")
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
      throw refusal(line, "A value that begins with \(first) is not supported. Write a plain or quoted value.")
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
      throw refusal(line, "The line has two colons. Quote the value, or write each entry on its own line.")
    }
    return String(value)
  }

  private static func quoted(_ text: Substring, by quote: Character, _ line: Int) throws(JobError) -> String {
    var value = ""
    var rest = text.dropFirst()
    while let next = rest.popFirst() {
      if next == "\\", quote == "\"" {
        throw refusal(line, "Escapes are not supported. Use single quotes, in which a backslash is literal.")
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
        throw refusal(line, "There is text after the closing quote. Remove it.")
      }
      return value
    }
    throw refusal(line, "The closing quote is missing. Close the quote on the same line.")
  }
}
