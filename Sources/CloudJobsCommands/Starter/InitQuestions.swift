import CloudJobsCore
import ProgramConsole

/// What `init` is to make, and from where.
struct InitAnswers: Hashable, Sendable {
  /// The folder.
  var folder: String?
  /// The package's name.
  var name: String?
  /// The folder of a clone of this package.
  var path: String?
  /// The address of a repository of this package.
  var url: String?
}

/// The questions that `init` asks at a terminal: for what the command line leaves open, and nothing else.
struct InitQuestions {
  /// Asks a question; nil at the end of the input.
  let ask: (String) -> String?
  /// Returns a file of a folder, if it has any.
  let firstFile: (_ folder: String) -> String?
  /// Returns whether a folder holds a Swift package.
  let isPackage: (_ folder: String) -> Bool

  /// Completes answers; an answer that can't be used is asked for again.
  ///
  /// - Parameters:
  ///   - given: what the command line says.
  ///   - clone: returns the folder of a clone beside a folder, if there is one.
  /// - Returns: the answers, with a folder, a name, and one of path and address unless a clone is beside the folder.
  /// - Throws: ``JobError`` `notFound` at the end of the input.
  func complete(
    _ given: InitAnswers, cloneBeside clone: (_ folder: String) -> String?
  ) throws(JobError) -> InitAnswers {
    var answers = given
    if answers.folder == nil {
      answers.folder = try answer("Folder", standard: ".") { folder in
        firstFile(folder).map { "It has files already, such as \($0). Choose an empty or a new one." }
      }
    }
    let folder = answers.folder ?? "."
    if given.folder == nil, answers.name == nil {
      let name = StarterPackage.name(of: FolderWriter(folder).absolutePath)
      answers.name = try answer("Name of the package", standard: name) {
        StarterPackage.name(of: $0) == $0 ? nil : "It has letters, digits, _ and -, and begins with a letter."
      }
    }
    guard answers.path == nil, answers.url == nil, clone(folder) == nil else { return answers }
    let place = try answer("Folder of a clone of swift-cloud-jobs, or address of a repository", standard: nil) {
      place in
      Self.isAddress(place) || isPackage(place) ? nil : "There is no package in that folder."
    }
    if Self.isAddress(place) { answers.url = place } else { answers.path = place }
    return answers
  }

  /// Returns whether a text is the address of a repository, and not a folder.
  private static func isAddress(_ text: String) -> Bool { text.contains("://") || text.hasPrefix("git@") }

  private func answer(
    _ question: String, standard: String?, fault: (String) -> String?
  ) throws(JobError) -> String {
    let prompt = question + (standard.map { " [\($0)]" } ?? "") + ": "
    var complaint = ""
    while true {
      guard let text = ask(complaint + prompt) else {
        throw JobError(.notFound, "The answers ended, and nothing was made. Give the folder and the options instead.")
      }
      let value = text.isEmpty ? standard ?? "" : text
      guard let fault = fault(value) else { return value }
      complaint = "\(fault)\n"
    }
  }
}
