/// A value of YAML, with its members in the order of the text.
enum YAML: Sendable {
  case text(String)
  case number(Int)
  case flag(Bool)
  case list([YAML])
  /// A map; a member with the key `#` is a comment.
  case map([(key: String, value: YAML)])

  /// Returns documents as a stream.
  static func stream(_ documents: [YAML]) -> String {
    documents.map { $0.lines(0).joined(separator: "\n") + "\n" }.joined(separator: "---\n")
  }

  /// The value on the line of its key; nil for one that has lines of its own.
  private var scalar: String? {
    switch self {
    case .text(let text): TextQuoting.yaml(text)
    case .number(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .list(let items): items.isEmpty ? "[]" : nil
    case .map(let members): members.isEmpty ? "{}" : nil
    }
  }

  private func lines(_ depth: Int) -> [String] {
    let indent = String(repeating: " ", count: depth)
    switch self {
    case .list(let items) where !items.isEmpty:
      return items.flatMap { item in
        if let scalar = item.scalar { return ["\(indent)- \(scalar)"] }
        var lines = item.lines(depth + 2)
        // The first line that is no comment has the hyphen.
        let first = lines.firstIndex { !$0.drop { $0 == " " }.hasPrefix("#") } ?? 0
        lines[first] = "\(indent)- \(lines[first].dropFirst(depth + 2))"
        for index in 0..<first { lines[index].removeFirst(2) }
        return lines
      }
    case .map(let members) where !members.isEmpty:
      return members.flatMap { key, value in
        if key == "#", case .text(let text) = value {
          return text.split(separator: "\n").map { "\(indent)# \($0)" }
        }
        let name = "\(indent)\(TextQuoting.yaml(key)):"
        return value.scalar.map { ["\(name) \($0)"] } ?? [name] + value.lines(depth + 2)
      }
    default: return [indent + (scalar ?? "")]
    }
  }
}

extension YAML: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  init(stringLiteral value: String) { self = .text(value) }
  init(integerLiteral value: Int) { self = .number(value) }
  init(booleanLiteral value: Bool) { self = .flag(value) }
  init(arrayLiteral elements: YAML...) { self = .list(elements) }
  init(dictionaryLiteral elements: (String, YAML)...) { self = .map(elements.map { (key: $0, value: $1) }) }
}
