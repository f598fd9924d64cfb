import CloudJobsCore
import CloudJobsEmulator

/// The parameter `fields`: which parts of an answer to return, such as `queues(name,rateLimits/maxBurstSize)`.
///
/// Source: <https://cloud.google.com/apis/docs/system-parameters>.
struct FieldSelection: Sendable {
  private struct Node: Sendable {
    /// The parts of a message by name; empty for all of it.
    var parts: [String: Node] = [:]
  }

  /// The deepest nesting.
  private static let depthLimit = 32

  private let text: String
  private var root = Node()
  /// The path that is not understood; nil if all are.
  private var fault: String?

  /// Reads a selection.
  init(_ text: String) {
    self.text = text
    var rest = Substring(text)
    root = list(&rest, depth: 0)
    if !rest.isEmpty, fault == nil { fault = String(rest) }
  }

  private mutating func list(_ rest: inout Substring, depth: Int) -> Node {
    var node = Node()
    repeat {
      let path = rest.prefix { !"(),".contains($0) }
      rest = rest.dropFirst(path.count)
      var inner = Node()
      let names = path.split { $0 == "." || $0 == "/" }.map(String.init)
      guard depth + names.count <= Self.depthLimit else {
        fault = String(path.prefix(100))
        return node
      }
      if rest.first == "(" {
        rest = rest.dropFirst()
        inner = list(&rest, depth: depth + names.count)
        if rest.first != ")" { fault = String(path) }
        rest = rest.dropFirst()
      }
      if names.isEmpty { fault = String(path) }
      Self.add(names[...], inner, to: &node)
      guard rest.first == "," else { break }
      rest = rest.dropFirst()
    } while true
    return node
  }

  private static func add(_ names: ArraySlice<String>, _ inner: Node, to node: inout Node) {
    guard let name = names.first else { return }
    if names.count > 1 {
      if node.parts[name]?.parts.isEmpty == true { return }
      add(names.dropFirst(), inner, to: &node.parts[name, default: Node()])
    } else if let earlier = node.parts[name] {
      // All of it, if one of the two has no parts.
      let isAll = earlier.parts.isEmpty || inner.parts.isEmpty
      node.parts[name] = isAll ? Node() : Node(parts: earlier.parts.merging(inner.parts) { first, _ in first })
    } else {
      node.parts[name] = inner
    }
  }

  /// Checks the selection against the type of the answer.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a path that the type has not.
  func check(_ type: MessageType, in schema: Schema) throws(ServiceFault) {
    guard let path = fault ?? Self.unknown(root, type, schema) else { return }
    throw ServiceFault(
      .invalidArgument, "Request contains an invalid argument.",
      details: [
        .badRequest([
          FieldViolation(
            field: text,
            description: "Error expanding 'fields' parameter. Cannot find matching fields for path '\(path)'.")
        ])
      ])
  }

  private static func unknown(_ node: Node, _ type: MessageType, _ schema: Schema) -> String? {
    for (name, inner) in node.parts.sorted(by: { $0.key < $1.key }) where name != "*" {
      guard let index = type.index(ofField: name) else { return name }
      // What is in a map or in a type with a form of its own has any names.
      guard case .message(let message) = type.fields[index].kind, type.fields[index].cardinality.keyKind == nil else {
        continue
      }
      if let path = unknown(inner, schema.messages[message], schema) { return "\(name).\(path)" }
    }
    return nil
  }

  /// Returns what is selected of an answer.
  func applied(to json: JSONValue) -> JSONValue { Self.apply(root, to: json) }

  private static func apply(_ node: Node, to json: JSONValue) -> JSONValue {
    if node.parts.isEmpty { return json }
    switch json {
    case .array(let elements): return .array(elements.map { apply(node, to: $0) })
    case .object(let members):
      var selected: [String: JSONValue] = [:]
      for (name, value) in members {
        // The names of a map's entries stay as they are.
        let inner = node.parts[name] ?? node.parts[FieldName.snakeCase(name)] ?? node.parts["*"]
        guard let inner else { continue }
        selected[name] = apply(inner, to: value)
      }
      return .object(selected)
    default: return json
    }
  }
}

extension Cardinality {
  /// The type of the keys of a map; nil for other fields.
  var keyKind: ScalarKind? {
    if case .map(let key) = self { key } else { nil }
  }
}
