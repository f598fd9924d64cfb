import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Input files named by options.
enum InputFile {
  /// Reads and parses a file; errors name the file, the option and, if known, the line.
  ///
  /// - Parameters:
  ///   - path: the file's path.
  ///   - option: the option that names it.
  ///   - parse: parses the file's text.
  /// - Returns: the parsed value.
  /// - Throws: ``JobError`` `invalidField` if the file does not exist or is not UTF-8, and the errors of `parse`.
  static func read<Value>(
    _ path: String, of option: String, _ parse: (String) throws(JobError) -> Value
  ) throws(JobError) -> Value {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw JobError(.invalidField, "\(path) can't be read as UTF-8 text. Check the path.", field: option)
    }
    do throws(JobError) {
      return try parse(text)
    } catch {
      var error = error
      error.message = "\(path)\(line(of: error, in: text).map { ":\($0)" } ?? ""): \(error.message)"
      error.field = error.field.map { $0.hasPrefix("--") ? $0 : "\(option), \($0)" } ?? option
      throw error
    }
  }

  /// Returns the line of the byte that a syntax error names.
  private static func line(of error: JobError, in text: String) -> Int? {
    guard error.code == .malformedJSON, let start = error.message.firstRange(of: "at byte ")?.upperBound,
      let offset = Int(error.message[start...].prefix { $0.isNumber })
    else { return nil }
    return text.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
  }
}
