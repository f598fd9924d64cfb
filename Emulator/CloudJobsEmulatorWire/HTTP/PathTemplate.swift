/// The path of a method over HTTP, such as `/v2/{name=projects/*/locations/*/queues/*}:pause`.
///
/// Source: `google.api.HttpRule` (<https://github.com/googleapis/googleapis/blob/master/google/api/http.proto>).
package struct PathTemplate: Hashable, Sendable {
  /// A part of a path between two slashes.
  package enum Part: Hashable, Sendable {
    /// This text.
    case literal(String)
    /// Any one part.
    case any
    /// Any number of parts.
    case rest
  }

  /// A field of the request that the path has.
  package struct Variable: Hashable, Sendable {
    /// The names of the field, and before it of the messages that it is in.
    package var path: [String]
    /// The parts of its value.
    package var parts: Range<Int>
  }

  /// The parts.
  package private(set) var parts: [Part] = []
  /// The fields.
  package private(set) var variables: [Variable] = []
  /// The word after the colon; nil if there is none.
  package private(set) var verb: String?
  /// The text.
  package let text: String

  /// Reads a template; nil if the text is none.
  package init?(_ text: String) {
    self.text = text
    guard text.hasPrefix("/") else { return nil }
    var rest = text.dropFirst()
    if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("}") {
      verb = String(rest[rest.index(after: colon)...])
      rest = rest[..<colon]
    }
    while !rest.isEmpty {
      if rest.hasPrefix("{") {
        guard let end = rest.firstIndex(of: "}") else { return nil }
        let halves = rest[..<end].dropFirst().split(separator: "=", maxSplits: 1)
        guard let name = halves.first else { return nil }
        let start = parts.count
        append(halves.count > 1 ? halves[1] : "*")
        variables.append(
          Variable(path: name.split(separator: ".").map(String.init), parts: start..<parts.count))
        rest = rest[rest.index(after: end)...]
        guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
        rest = rest.dropFirst()
      } else {
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        append(rest[..<end])
        rest = rest[end...].dropFirst()
      }
    }
  }

  private mutating func append(_ text: Substring) {
    for part in text.split(separator: "/") {
      switch part {
      case "*": parts.append(.any)
      case "**": parts.append(.rest)
      default: parts.append(.literal(String(part)))
      }
    }
  }

  /// Returns the values of the fields if a path has this form.
  ///
  /// - Parameters:
  ///   - path: the path's parts, decoded, without a verb.
  ///   - verb: the verb; nil for none.
  /// - Returns: a value for each of ``variables``; nil if the path has another form.
  package func match(_ path: [String], verb: String?) -> [String]? {
    guard verb == self.verb else { return nil }
    let length = path.count - parts.count
    guard parts.contains(.rest) ? length >= -1 : length == 0 else { return nil }
    // The position of each part in the path: a rest takes all that the others leave.
    var starts: [Int] = []
    var position = 0
    for part in parts {
      starts.append(position)
      switch part {
      case .literal(let text):
        guard path[position] == text else { return nil }
        position += 1
      case .any:
        guard !path[position].isEmpty else { return nil }
        position += 1
      case .rest: position += length + 1
      }
    }
    starts.append(position)
    return variables.map { path[starts[$0.parts.lowerBound]..<starts[$0.parts.upperBound]].joined(separator: "/") }
  }
}
