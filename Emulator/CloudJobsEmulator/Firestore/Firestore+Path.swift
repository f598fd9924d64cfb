extension Firestore {
  /// Where a collection or a document lies below a database: ids from the root, collections and documents in turn.
  ///
  /// Paths are ordered as Firestore orders references: id by id, numeric ids (`__id7__`) first and by their number,
  /// others by their UTF-8 bytes, and what lies below after what lies above.
  public struct Path: Sendable, Codable {
    /// The ids, collections at even places and documents at odd ones.
    public let segments: [String]

    /// The root, below which the first collections lie.
    public static let root = Path([])

    /// A path of ids that are known to be right.
    public init(_ segments: [String]) {
      self.segments = segments
    }

    /// Whether a document lies there.
    public var isDocument: Bool { !segments.isEmpty && segments.count.isMultiple(of: 2) }

    /// The collection's or the document's own id; empty for the root.
    public var id: String { segments.last ?? "" }

    /// What lies directly above.
    public var parent: Path { Path(Array(segments.dropLast())) }

    /// What lies directly below, under an id.
    public func child(_ id: String) -> Path { Path(segments + [id]) }

    /// The id of the collection that a document belongs to.
    var collectionID: String { segments.count < 2 ? "" : segments[segments.count - 2] }

    /// Whether this lies below another path, at whatever depth.
    func isBelow(_ ancestor: Path) -> Bool {
      segments.count > ancestor.segments.count && order(within: ancestor) == .same
    }

    /// How this path's beginning, as long as a prefix, stands to the prefix.
    func order(within prefix: Path) -> Ordering {
      for (left, right) in zip(segments, prefix.segments) {
        let order = Self.order(left, right)
        if order != .same { return order }
      }
      return segments.count < prefix.segments.count ? .before : .same
    }

    /// How this path stands to another.
    func order(to other: Path) -> Ordering {
      let order = order(within: other)
      return order == .same ? Ordering(segments.count, other.segments.count) : order
    }

    private static func order(_ left: String, _ right: String) -> Ordering {
      switch (number(left), number(right)) {
      case (nil, nil): return Ordering.ofTexts(left, right)
      case (nil, _): return .after
      case (_, nil): return .before
      case (let left?, let right?): return Ordering(left, right)
      }
    }

    /// The number of an id that stands for one, as imports from Datastore have them.
    static func number(_ id: String) -> Int64? {
      guard id.utf8.first == UInt8(ascii: "_"), id.hasPrefix("__id"), id.hasSuffix("__"), id.utf8.count > 6 else {
        return nil
      }
      return Int64(id.dropFirst(4).dropLast(2))
    }
  }
}

extension Firestore.Path: Comparable {
  /// Whether both have the same ids, byte by byte.
  public static func == (left: Self, right: Self) -> Bool {
    left.segments.count == right.segments.count
      && zip(left.segments, right.segments).allSatisfy { $0 == $1 && Ordering.ofTexts($0, $1) == .same }
  }

  /// The order of references.
  public static func < (left: Self, right: Self) -> Bool {
    left.order(to: right) == .before
  }
}

extension Firestore.Path: Hashable {
  /// Feeds the ids' bytes to a hasher.
  public func hash(into hasher: inout Hasher) {
    for segment in segments {
      var text = segment
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      hasher.combine(UInt8.max)
    }
  }
}

extension Firestore.Path: CustomStringConvertible {
  /// The ids with slashes between them.
  public var description: String { segments.joined(separator: "/") }
}
