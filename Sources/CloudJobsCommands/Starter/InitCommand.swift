import ArgumentParser
import CloudJobsCore
import ProgramConsole

/// `init`.
struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Makes a package with a job, its test and a command line, ready to run.",
    discussion:
      "There is no release yet: name a clone by --path, or a repository by --url. At a terminal it asks for what is "
      + "left out; elsewhere the folder is the working one.")

  @Argument(help: "The folder, which must be empty or new.", completion: .directory) var folder: String?
  @Option(help: "The package's name; that of the folder if it is left out.") var name: String?
  @Option(
    help: "The folder of a clone of swift-cloud-jobs; by default one beside the new folder, if it is there.",
    completion: .directory)
  var path: String?
  @Option(help: "The address of a repository of swift-cloud-jobs, in place of --path.") var url: String?
  @Option(help: "The branch of that repository.") var branch = "main"
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if path != nil, url != nil { throw ValidationError("Give --path or --url, not both.") }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      let answers = try answers()
      let folder = answers.folder ?? "."
      let writer = FolderWriter(folder)
      if let found = writer.names().first {
        throw JobError(
          .busy, "The folder \(folder) has files already, such as \(found). Choose an empty or a new one.")
      }
      let package = try StarterPackage(
        name: answers.name ?? StarterPackage.name(of: writer.absolutePath), try dependency(answers, writer))
      for file in package.files { try writer.write(file.text, to: file.path) }
      let answer: JSONValue = [
        "folder": .string(writer.absolutePath), "package": .string(package.name),
        "files": .array(package.files.map { .string($0.path) }),
      ]
      try output.show(answer) { _, _ in
        package.files.map { "  \($0.path)" } + ["", "Next:"]
          + package.firstSteps(in: folder == "." ? nil : folder).map { "  \($0)" }
      }
    }
  }

  /// Returns what the command line says, and what is answered at a terminal.
  private func answers() throws(JobError) -> InitAnswers {
    let given = InitAnswers(folder: folder, name: name, path: path, url: url)
    guard Terminal.current.isInteractive, !output.json else { return given }
    let questions = InitQuestions(
      ask: StandardStreams.ask, firstFile: { FolderWriter($0).names().first }, isPackage: Self.isPackage)
    return try questions.complete(given) { Self.clone(beside: FolderWriter($0)) }
  }

  private static func isPackage(_ folder: String) -> Bool {
    FileCheck.hasContent("\(FolderWriter.absolute(folder))/Package.swift")
  }

  /// Returns the folder of a clone beside a folder, relative to it; nil if there is none.
  private static func clone(beside writer: FolderWriter) -> String? {
    let parent = writer.absolutePath.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    return isPackage("\(parent)/swift-cloud-jobs") ? "../swift-cloud-jobs" : nil
  }

  /// Returns where the new package gets this one from.
  private func dependency(
    _ answers: InitAnswers, _ writer: FolderWriter
  ) throws(JobError) -> StarterPackage.Dependency {
    if let url = answers.url {
      for (option, text) in [("--url", url), ("--branch", branch)] {
        let isPlain = text.unicodeScalars.allSatisfy { (0x21...0x7E).contains($0.value) && $0 != "\"" && $0 != "\\" }
        guard isPlain, !text.isEmpty else {
          throw JobError(
            .invalidField, "\"\(text)\" has spaces, quotation marks or other characters that no name has here.",
            field: option)
        }
      }
      return .repository(url: url, branch: branch)
    }
    if let path = answers.path {
      let absolute = FolderWriter.absolute(path)
      guard Self.isPackage(path) else {
        throw JobError(.notFound, "There is no package at \(absolute). Name a clone's folder.", field: "--path")
      }
      return .path(absolute)
    }
    guard let clone = Self.clone(beside: writer) else {
      throw JobError(
        .invalidField,
        "There is no clone of swift-cloud-jobs beside \(writer.path). Name the folder of one, or a repository by "
          + "--url.",
        field: "--path")
    }
    return .path(clone)
  }
}
