import CloudJobsCore
import Foundation
import Testing

@testable import CloudJobsCommands

@Suite("The starter package")
struct StarterPackageTests {
  private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Examples/starter")

  @Test("The example that this package builds and tests is what init writes")
  func example() throws {
    let package = try StarterPackage(name: "starter", .path("../.."))
    for file in package.files {
      let text = try String(contentsOf: Self.example.appending(path: file.path), encoding: .utf8)
      #expect(text == file.text, "\(file.path)")
    }
  }

  @Test(
    "A package has the name of its folder, without what a name can't have",
    arguments: [("/a/my-jobs", "my-jobs"), ("/a/my jobs.2", "my_jobs_2"), ("/a/2nd", "jobs_2nd"), ("/", "jobs_")])
  func name(folder: String, name: String) throws {
    #expect(StarterPackage.name(of: folder) == name)
    #expect(try StarterPackage(name: name, .path("..")).name == name)
  }

  @Test("Another name is refused", arguments: ["", "a/b", "a b", "1a", "ü"])
  func invalid(name: String) {
    #expect(throws: JobError.self) { try StarterPackage(name: name, .path("..")) }
  }

  @Test("A dependency by its address has the name that the package manager gives it")
  func repository() throws {
    let package = try StarterPackage(
      name: "my-jobs", .repository(url: "https://git.example/x/swift-cloud-jobs.git", branch: "main"))
    let manifest = try #require(package.files.first?.text)
    #expect(manifest.contains("url: \"https://git.example/x/swift-cloud-jobs.git\", branch: \"main\""))
    #expect(manifest.contains("package: \"swift-cloud-jobs\""))
    #expect(package.files.contains { $0.text.contains("@testable import my_jobs") })
    #expect(package.files.allSatisfy { !$0.text.contains("--build-context") })
  }
}
