extension Firestore {
  /// The name of a database: `projects/P/databases/D`; the database that each project has first is `(default)`.
  public struct DatabaseName: Hashable, Sendable, Codable {
    /// The project's id.
    public let project: String
    /// The database's id.
    public let database: String

    /// A database of a project.
    public init(project: String, database: String = "(default)") {
      self.project = project
      self.database = database
    }

    /// How this name stands to another.
    func order(to other: DatabaseName) -> Ordering {
      let order = Ordering.ofTexts(project, other.project)
      return order == .same ? Ordering.ofTexts(database, other.database) : order
    }
  }
}

extension Firestore.DatabaseName: CustomStringConvertible {
  /// The full name.
  public var description: String { "projects/\(project)/databases/\(database)" }
}
