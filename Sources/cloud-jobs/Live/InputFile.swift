import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Files that options name.
enum InputFile {
  /// Reads a file; errors name it, the line where the reader knows the place, and the option.
  ///
  /// - Parameters:
  ///   - path: where the file is.
  ///   - option: the option that names it.
  ///   - parse: makes a value of the file's text.
  /// - Returns: the value.
  /// - Throws: ``JobError`` `invalidField` where there is no such file or its text is not UTF-8, and what `parse`
  ///   throws.
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

  /// The line of the byte that a syntax error names.
  private static func line(of error: JobError, in text: String) -> Int? {
    guard error.code == .malformedJSON, let start = error.message.firstRange(of: "at byte ")?.upperBound,
      let offset = Int(error.message[start...].prefix { $0.isNumber })
    else { return nil }
    return text.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
  }
}
