import CloudJobsCore
import Testing

@testable import CloudJobsCommands

@Suite("The questions of init")
struct InitQuestionsTests {
  /// Completes answers from a list of lines, and returns the questions that were asked.
  private func complete(
    _ given: InitAnswers, lines: [String], clone: String? = nil
  ) throws(JobError) -> (answers: InitAnswers, asked: [String]) {
    var (rest, asked) = (lines[...], [String]())
    let questions = InitQuestions(
      ask: { question in
        asked.append(question)
        return rest.popFirst()
      }, firstFile: { $0 == "full" ? "a.txt" : nil }, isPackage: { $0 == "clone" })
    let answers = try questions.complete(given) { _ in clone }
    return (answers, asked)
  }

  @Test("An empty answer takes what stands in brackets; what can't be used is asked for again, with the reason")
  func answers() throws {
    let (answers, asked) = try complete(
      InitAnswers(), lines: ["full", "new/my jobs", "a/b", "", "nowhere", "", "clone"])
    #expect(answers == InitAnswers(folder: "new/my jobs", name: "my_jobs", path: "clone"))
    #expect(asked[0] == "Folder [.]: " && asked[1].hasPrefix("It has files already, such as a.txt."))
    #expect(asked[2] == "Name of the package [my_jobs]: " && asked[3].contains("letters, digits"))
    #expect(asked[4].hasPrefix("Folder of a clone of swift-cloud-jobs") && asked[5].hasPrefix("There is no package"))
    #expect(asked.count == 7)
  }

  @Test(
    "Nothing is asked that the command line says, or that a clone beside the folder answers",
    arguments: [
      (InitAnswers(folder: "new", path: "clone"), nil, 0), (InitAnswers(folder: "new", url: "https://x"), nil, 0),
      (InitAnswers(folder: "new"), "../swift-cloud-jobs", 0), (InitAnswers(folder: "new"), nil, 1),
      (InitAnswers(name: "jobs", path: "clone"), nil, 1),
    ] as [(InitAnswers, String?, Int)])
  func given(_ given: InitAnswers, clone: String?, count: Int) throws {
    let lines = given.folder == nil ? ["new"] : ["https://git.example/x.git"]
    let (answers, asked) = try complete(given, lines: lines, clone: clone)
    #expect(asked.count == count)
    #expect(answers.folder == "new" && answers.name == given.name)
    if given.path == nil, given.url == nil, clone == nil { #expect(answers.url == "https://git.example/x.git") }
  }

  @Test("The end of the input makes nothing")
  func end() {
    let error = #expect(throws: JobError.self) { try complete(InitAnswers(), lines: ["new"]) }
    #expect(error?.message.contains("nothing was made") == true)
  }
}
