import CloudJobsCore

/// Why a program ends with exit code 1, in the one line that it leaves on the standard error.
package struct ProgramFailure: Error, CustomStringConvertible {
  /// What failed, and the remedy.
  package var description: String

  /// A failure.
  package init(_ description: String) {
    self.description = description
  }

  /// An error that ends a program: the message, and the option or variable that it is about.
  ///
  /// - Parameter error: the error.
  package init(_ error: any Error) {
    switch error {
    case let error as ProgramFailure: self = error
    case let error as JobError:
      self.init(error.message + (error.field.map { " (\($0))" } ?? ""))
    default: self.init(String(describing: error))
    }
    // A path or a library's text may span lines.
    description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
