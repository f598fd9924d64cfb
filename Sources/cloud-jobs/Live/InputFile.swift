import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Files that options name.
enum InputFile {
  /// The text of a file.
  ///
  /// - Throws: ``JobError`` `invalidField` where there is no such file, or its text is not UTF-8.
  static func text(at path: String) throws(JobError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw JobError(.invalidField, "\(path) can't be read as UTF-8 text. Check the path.", field: "--queues")
    }
  }
}
