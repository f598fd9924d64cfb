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
  /// The service's address: Google's, or an emulator's such as `http://127.0.0.1:8085`.
  public var endpoint: String
  /// The longest that one call to the service may take.
  public var callTimeout = Duration.seconds(5)
  /// How often a commit is tried in all where others change the same documents at the same time.
  public var contentionTries = 10
  /// The delay before the second such try; it doubles from then on up to half a second, less up to half by chance.
  public var contentionDelay = Duration.milliseconds(10)

  /// Google's address.
  public static let googleEndpoint = "https://firestore.googleapis.com"

  /// A configuration.
  ///
  /// - Parameters:
  ///   - project: the Google Cloud project's id.
  ///   - database: the database's id.
  ///   - environment: where `FIRESTORE_EMULATOR_HOST`, a host and a port as the official clients know it, is looked for;
  ///     it takes the place of Google's address.
  public init(project: String, database: String = "(default)", environment: [String: String] = [:]) {
    self.project = project
    self.database = database
    let host = environment["FIRESTORE_EMULATOR_HOST"].flatMap { $0.isEmpty ? nil : $0 }
    endpoint = host.map { $0.contains("://") ? $0 : "http://\($0)" } ?? Self.googleEndpoint
  }

  /// The resource name below which all documents lie.
  var root: String { "projects/\(project)/databases/\(database)/documents" }

  /// A document's resource name.
  func name(_ collection: String, _ id: String) -> String { "\(root)/\(collection)/\(id)" }

  /// The URL of a method on the database's documents.
  func url(_ method: String) -> String { "\(endpoint)/v1/\(root):\(method)" }
}
#endif
