import CloudJobsCore

extension DocumentDatabase {
  /// The ids of the collections directly below a path, in order, also where only documents further below exist.
  func collectionIDs(
    below parent: Firestore.Path, after id: String?, limit: Int, at time: Timestamp
  ) -> [String] {
    children(of: parent, after: id, limit: limit, at: time).map(\.id)
  }

  /// The documents of a collection by name with those that are missing but have documents below them.
  func membersAndMissing(
    of collection: Firestore.Path, after id: String?, limit: Int, at time: Timestamp
  ) -> [Firestore.Path] {
    children(of: collection, after: id, limit: limit, at: time)
  }

  /// What lay directly below a path at a time.
  private func children(
    of parent: Firestore.Path, after id: String?, limit: Int, at time: Timestamp
  ) -> [Firestore.Path] {
    guard time < lastCommit else { return children(of: parent, after: id, limit: limit) }
    let last = id.map { parent.child($0) }
    let found = documents(in: .everything(under: parent, isDeep: true), at: time).map { document in
      parent.child(document.name.path.segments[parent.segments.count])
    }
    return Array(Set(found).filter { child in last.map { $0 < child } ?? true }.sorted().prefix(limit))
  }

  /// What lies directly below a path now, found by leaping from one to the next.
  private func children(of parent: Firestore.Path, after id: String?, limit: Int) -> [Firestore.Path] {
    var result: [Firestore.Path] = []
    var last = id.map { parent.child($0) }
    while result.count < limit {
      let next = paths.first { path in
        guard let last else { return path.order(within: parent) != .before && path != parent }
        return path.order(within: last) == .after
      }
      guard let next, next.isBelow(parent) else { break }
      let child = parent.child(next.segments[parent.segments.count])
      result.append(child)
      last = child
    }
    return result
  }
}
