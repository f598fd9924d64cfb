package import CloudJobsCore

extension Firestore {
  /// What a listener wants to know of: documents by name, or the results of a query.
  package struct ListenTarget: Sendable {
    /// What it is.
    package enum Kind: Sendable {
      /// These documents.
      case documents([Name])
      /// The results of a query under a parent.
      case query(Query, parent: Name)
    }

    /// The number that the client has given it.
    package var id: Int32
    /// What it is.
    package var kind: Kind
    /// The time up to which the client knows all changes; nil if it knows none.
    package var resumeTime: Timestamp?
    /// Whether it is removed once it is current.
    package var isOnce: Bool

    /// Creates a target.
    package init(id: Int32, kind: Kind, resumeTime: Timestamp? = nil, isOnce: Bool = false) {
      self.id = id
      self.kind = kind
      self.resumeTime = resumeTime
      self.isOnce = isOnce
    }
  }

  /// What a listener is told.
  package enum ListenEvent: Equatable, Sendable {
    /// A change of targets; of none in particular, all changes up to the time have been told.
    case target(TargetChange, ids: [Int32], time: Timestamp? = nil, cause: ServiceFault? = nil)
    /// A document is new or changed in some targets, and no longer in others.
    case changed(Document, ids: [Int32], removed: [Int32])
    /// A document was deleted, and is no longer in the targets.
    case deleted(Name, removed: [Int32], time: Timestamp)
    /// A document is no longer in the targets.
    case removed(Name, removed: [Int32], time: Timestamp)
    /// The number of documents in a target that was resumed.
    case filter(id: Int32, count: Int)
  }

  /// The kind of a change of targets, numbered as on the wire.
  package enum TargetChange: Int, Hashable, Sendable {
    /// Nothing but the time.
    case none = 0
    /// The targets are listened to.
    case add = 1
    /// The targets are no longer listened to.
    case remove = 2
    /// The client knows all that there is of the targets.
    case current = 3
    /// The client must forget what it knows of the targets.
    case reset = 4
  }
}
