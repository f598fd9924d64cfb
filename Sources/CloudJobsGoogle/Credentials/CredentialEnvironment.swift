#if HTTP
public import CloudJobsCore

/// What credentials are looked for in: environment variables and files, as values.
public struct CredentialEnvironment: Sendable {
  /// The longest credential file that is read, in bytes.
  public static let maximumFileBytes = 65_536

  /// The environment's variables.
  public var variables: [String: String]
  /// Reads a file; nil where there is none at the path.
  ///
  /// It throws ``JobError`` `invalidCredentials` for a file that can't be read or is longer than
  /// ``maximumFileBytes``.
  public var readFile: @Sendable (_ path: String) throws(JobError) -> [UInt8]?

  /// An environment; by default without any file.
  public init(
    variables: [String: String],
    readFile: @escaping @Sendable (_ path: String) throws(JobError) -> [UInt8]? = Self.withoutFiles
  ) {
    self.variables = variables
    self.readFile = readFile
  }

  /// Finds no file.
  @Sendable public static func withoutFiles(_ path: String) throws(JobError) -> [UInt8]? { nil }

  /// A variable's value; nil where it is not set or empty, as shells make no difference.
  func value(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The project that the variables name; nil where they name none.
  var projectID: String? { value("GOOGLE_CLOUD_PROJECT") ?? value("GCLOUD_PROJECT") }

  /// Where gcloud keeps the credentials of `gcloud auth application-default login`; nil without a home folder.
  ///
  /// Source: <https://cloud.google.com/docs/authentication/application-default-credentials#personal>.
  var wellKnownFile: String? {
    let folder = value("CLOUDSDK_CONFIG") ?? value("HOME").map { "\($0)/.config/gcloud" }
    return folder.map { "\($0)/application_default_credentials.json" }
  }
}
#endif
