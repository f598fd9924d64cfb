#if HTTP
import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension CredentialEnvironment {
  /// The variables and files of this process, the variables as they are now.
  public static var process: CredentialEnvironment {
    CredentialEnvironment(variables: ProcessInfo.processInfo.environment, readFile: Self.read)
  }

  @Sendable private static func read(_ path: String) throws(JobError) -> [UInt8]? {
    let files = FileManager.default
    guard files.fileExists(atPath: path) else { return nil }
    let size = ((try? files.attributesOfItem(atPath: path))?[.size] as? any BinaryInteger).map { Int(clamping: $0) }
    if let size, size > maximumFileBytes {
      throw JobError(.invalidCredentials, "\(path) is too long for a credential file: name the right file.")
    }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw JobError(.invalidCredentials, "\(path) can't be read: let this process read it, or name another file.")
    }
    return Array(data)
  }
}
#endif
