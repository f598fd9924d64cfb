import CloudJobsCore

/// A value of the subset of YAML that a `queue.yaml` needs: mappings and lists in block style, one-line scalars.
indirect enum YAMLBlock {
  /// An entry of a mapping, or an item of a list, whose key is empty.
  struct Entry {
    let key: String
    let value: YAMLBlock
    let line: Int
  }

  /// Nothing stood after the key or the dash.
  case empty
  /// Text; its quotes are gone, no type is guessed.
  case scalar(String)
  /// The items of a list.
  case list([Entry])
  /// The entries of a mapping, in order, each key once.
  case mapping([Entry])

  /// How deep blocks may be within each other.
  static let depthLimit = 8

  /// Reads a text.
  ///
  /// - Throws: ``JobError`` `invalidField` with the line of what is outside the subset.
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
      throw YAMLLine.refusal(first.number, "It is nested too deep. A queue.yaml has three levels.")
    }
    let isList = first.key == nil
    var entries: [Entry] = []
    while let part = parts.first, part.indent == indent, (part.key == nil) == isList {
      parts.removeFirst()
      let key = part.key ?? ""
      guard isList || !entries.contains(where: { $0.key == key }) else {
        throw YAMLLine.refusal(part.number, "`\(key)` stands here twice. Remove one.")
      }
      var value = part.value.map { YAMLBlock.scalar($0) } ?? .empty
      // A list may begin at the column of the key that it belongs to.
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
    YAMLLine.refusal(line, "Its indentation fits no line above. Align it with the entries that it belongs to.")
  }
}
