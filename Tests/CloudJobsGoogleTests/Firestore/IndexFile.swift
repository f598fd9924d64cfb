#if HTTP && Server
import CloudJobsEmulator
import Foundation

/// The index file that the guides deploy.
enum IndexFile {
  /// Its indexes.
  static func shipped() throws -> Firestore.IndexConfiguration {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
    let file = root.appending(path: "infra/firestore.indexes.json").standardized
    return try Firestore.IndexConfiguration(parsing: try String(contentsOf: file, encoding: .utf8))
  }
}
#endif
