extension Dictionary where Key == String, Value == Firestore.Value {
  /// The value at a path through nested maps, or nil where there is none.
  subscript(path: ArraySlice<String>) -> Firestore.Value? {
    guard let name = path.first, let value = self[name] else { return nil }
    if path.count == 1 { return value }
    guard case .map(let inner) = value else { return nil }
    return inner[path.dropFirst()]
  }

  /// Sets the value at a path; maps on the way are made where they are missing, and other values there give way.
  mutating func set(_ value: Firestore.Value, at path: ArraySlice<String>) {
    guard let name = path.first else { return }
    guard path.count > 1 else {
      self[name] = value
      return
    }
    var inner: [String: Firestore.Value] = [:]
    if case .map(let present)? = self[name] { inner = present }
    inner.set(value, at: path.dropFirst())
    self[name] = .map(inner)
  }

  /// Takes the value at a path out; maps on the way stay, also when they become empty.
  mutating func remove(at path: ArraySlice<String>) {
    guard let name = path.first else { return }
    guard path.count > 1 else {
      self[name] = nil
      return
    }
    guard case .map(var inner)? = self[name] else { return }
    inner.remove(at: path.dropFirst())
    self[name] = .map(inner)
  }
}
