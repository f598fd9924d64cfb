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
  /// - Parameters:
  ///   - path: where the file is.
  ///   - option: the option that names it.
  /// - Returns: the text.
  /// - Throws: ``JobError`` `invalidField` where there is no such file, or its text is not UTF-8.
  static func text(at path: String, of option: String) throws(JobError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw JobError(.invalidField, "\(path) can't be read as UTF-8 text. Check the path.", field: option)
    }
  }
}
