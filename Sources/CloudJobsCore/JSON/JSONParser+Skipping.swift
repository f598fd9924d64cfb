extension JSONParser {
  /// Checks one value as strictly as ``value(depth:)`` does, and builds nothing.
  mutating func skipValue(depth: Int) throws(JobError) {
    switch try nextByte() {
    case UInt8(ascii: "{"):
      let outer = names.count
      try object(depth: depth) { (parser, name) throws(JobError) in
        parser.names.append(name)
        try parser.skipValue(depth: depth + 1)
      }
      try checkNames(from: outer)
      names.removeLast(names.count - outer)
    case UInt8(ascii: "["):
      try array(depth: depth) { (parser) throws(JobError) in try parser.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try scanString()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: try skipNumber()
    }
  }

  /// Reads an object's names, and checks its values without building them.
  mutating func members(depth: Int) throws(JobError) -> [JSONMember] {
    guard try nextByte() == UInt8(ascii: "{") else { throw fault("an object should begin here") }
    var members = [JSONMember]()
    let outer = names.count
    try object(depth: depth) { (parser, name) throws(JobError) in
      parser.names.append(name)
      _ = try parser.nextByte()
      let start = parser.position
      try parser.skipValue(depth: depth + 1)
      members.append(JSONMember(key: parser.string(name), range: start..<parser.position))
    }
    try checkNames(from: outer)
    names.removeLast(names.count - outer)
    return members
  }

  /// Refuses a name that occurs twice among the names from an index on.
  private mutating func checkNames(from outer: Int) throws(JobError) {
    let count = names.count - outer
    guard count > 1 else { return }
    // Comparing each with each is fastest for the few names of an ordinary object, and needs no memory.
    if count <= 16, names[outer...].allSatisfy(\.isPlain) {
      for later in outer + 1..<names.count {
        for earlier in outer..<later where areEqual(names[earlier], names[later]) {
          throw repetition(of: names[later])
        }
      }
      return
    }
    var seen = Set<String>(minimumCapacity: count)
    for name in names[outer...] where !seen.insert(string(name)).inserted { throw repetition(of: name) }
  }
}
