import CloudJobsCore

/// An error that ends a program with exit code 1 and one line on standard error.
package struct ProgramFailure: Error, CustomStringConvertible {
  /// What failed, and the remedy.
  package var description: String

  /// Creates a failure.
  package init(_ description: String) {
    self.description = description
  }

  /// Creates a failure from an error: its message, and the option or variable concerned.
  ///
  /// - Parameter error: the error.
  package init(_ error: any Error) {
    switch error {
    case let error as ProgramFailure: self = error
    case let error as JobError:
      self.init(error.message + (error.field.map { " (\($0))" } ?? ""))
    default: self.init(String(describing: error))
    }
    // A path or a library's message may span lines.
    description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
