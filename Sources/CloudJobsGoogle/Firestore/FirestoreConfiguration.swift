#if HTTP
/// Which Cloud Firestore database holds a store's documents, and how it is called.
public struct FirestoreConfiguration: Sendable {
  /// The Google Cloud project's id.
  public var project: String
  /// The database's id.
  public var database: String
  /// The collection of job documents, at the database's root.
  public var jobs = "jobs"
  /// The collection of runs, at the database's root.
  public var runs = "runs"
  /// The collection of the passes' journal, at the database's root.
  public var journal = "journal"
  /// The longest that one call to the service may take.
  public var callTimeout = Duration.seconds(5)
  /// How often a commit is tried in all where others change the same documents at the same time.
  public var contentionTries = 10
  /// The delay before the second such try; it doubles from then on up to half a second, less up to half by chance.
  public var contentionDelay = Duration.milliseconds(10)

  /// A configuration.
  ///
  /// - Parameters:
  ///   - project: the Google Cloud project's id.
  ///   - database: the database's id.
  public init(project: String, database: String = "(default)") {
    self.project = project
    self.database = database
  }

  /// The resource name below which all documents lie.
  var root: String { "projects/\(project)/databases/\(database)/documents" }

  /// A document's resource name.
  func name(_ collection: String, _ id: String) -> String { "\(root)/\(collection)/\(id)" }

  /// The path of a method on the database's documents.
  func path(_ method: String) -> String { "/v1/\(root):\(method)" }
}
#endif
