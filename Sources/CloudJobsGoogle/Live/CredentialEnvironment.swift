#if HTTP
public import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The environment variables and files in which credentials are searched, as values.
public struct CredentialEnvironment: Sendable {
  /// The maximum size of a credential file in bytes.
  public static let maximumFileBytes = 65_536

  /// The environment's variables.
  public var variables: [String: String]
  /// Reads a file; returns nil if there is none at the path.
  ///
  /// Throws ``/CloudJobsCore/JobError`` `invalidCredentials` for a file that can't be read or is longer than
  /// ``maximumFileBytes``.
  public var readFile: @Sendable (_ path: String) throws(JobError) -> [UInt8]?

  /// Creates an environment, by default without any files.
  public init(
    variables: [String: String],
    readFile: @escaping @Sendable (_ path: String) throws(JobError) -> [UInt8]? = Self.withoutFiles
  ) {
    self.variables = variables
    self.readFile = readFile
  }

  /// A reader that finds no file.
  @Sendable public static func withoutFiles(_ path: String) throws(JobError) -> [UInt8]? { nil }

  /// Returns a variable's value; nil if it is unset or empty.
  func value(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The project that the variables name; nil for none.
  var projectID: String? { value("GOOGLE_CLOUD_PROJECT") ?? value("GCLOUD_PROJECT") }

  /// The path of the credentials that `gcloud auth application-default login` writes; nil without a home folder.
  ///
  /// Source: <https://cloud.google.com/docs/authentication/application-default-credentials#personal>.
  var wellKnownFile: String? {
    let folder = value("CLOUDSDK_CONFIG") ?? value("HOME").map { "\($0)/.config/gcloud" }
    return folder.map { "\($0)/application_default_credentials.json" }
  }
}

extension CredentialEnvironment {
  /// The variables and files of this process, with the variables' current values.
  public static var process: CredentialEnvironment {
    CredentialEnvironment(variables: ProcessInfo.processInfo.environment, readFile: Self.read)
  }

  @Sendable private static func read(_ path: String) throws(JobError) -> [UInt8]? {
    let files = FileManager.default
    guard files.fileExists(atPath: path) else { return nil }
    let size = ((try? files.attributesOfItem(atPath: path))?[.size] as? any BinaryInteger).map { Int(clamping: $0) }
    if let size, size > maximumFileBytes {
      throw JobError(.invalidCredentials, "\(path) is too large for a credential file: name the right file.")
    }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw JobError(
        .invalidCredentials, "\(path) can't be read: grant this process read access, or name another file.")
    }
    return Array(data)
  }
}
#endif
