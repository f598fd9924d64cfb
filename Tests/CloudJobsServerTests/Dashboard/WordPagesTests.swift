#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import Foundation
import Testing

@testable import CloudJobsServer

@Suite("Words of the dashboard")
struct WordPagesTests {
  private static let templates = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Sources/CloudJobsServer/Dashboard/Templates")

  /// Returns the attributes of a page's links to words.
  private static func links(_ page: String) -> [(href: String, title: String)] {
    page.split(separator: "<a class=\"word\"").dropFirst().map { part in
      let tag = part.prefix { $0 != ">" }
      func attribute(_ name: String) -> String {
        tag.firstRange(of: "\(name)=\"").map { String(tag[$0.upperBound...].prefix { $0 != "\"" }) } ?? ""
      }
      return (attribute("href"), attribute("title"))
    }
  }

  @Test("Each word has an id, a name and labels of its own, and an explanation in whole sentences")
  func table() {
    let words = DashboardWords.all
    #expect(Set(words.map(\.id)).count == words.count && Set(words.map(\.name)).count == words.count)
    let labels = words.flatMap(\.labels)
    #expect(Set(labels).count == labels.count)
    for word in words {
      #expect(word.text.hasSuffix(".") && (20...400).contains(word.text.count), "\(word.id)")
      #expect(word.id.allSatisfy { $0.isASCII && $0.isLetter }, "\(word.id)")
    }
  }

  @Test("The words that templates name are those of the table")
  func named() throws {
    var named: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(at: Self.templates, includingPropertiesForKeys: nil) {
      let text = try String(contentsOf: file, encoding: .utf8)
      for part in text.split(separator: "{{#shell.words.").dropFirst() {
        named.insert(String(part.prefix { $0 != "}" }))
      }
    }
    #expect(named.count > 10)
    #expect(named.subtracting(DashboardWords.all.map(\.id)).isEmpty)
  }

  @Test("The labels that words explain are those of facts and fields")
  func labels() throws {
    var labels = Set(JobField.all.map(\.label))
    for file in ["Jobs/JobPageView.swift", "Runs/RunPageView.swift"] {
      let text = try String(contentsOf: Self.templates.appending(path: "../\(file)"), encoding: .utf8)
      labels.formUnion(text.split(separator: "\"").map { String($0) })
    }
    #expect(Set(DashboardWords.all.flatMap(\.labels)).subtracting(labels).isEmpty)
  }

  @Test("Each page leads to the words, and each of its words to its own explanation")
  func pages() async throws {
    let jobs = try await JobPagesFixture()
    try await jobs.put(3, of: "mail", .failed)
    let run = try #require(try await jobs.runs(of: "mail").first).id
    let words = try await jobs.get("/words").text
    for word in DashboardWords.all { #expect(words.contains("<dt id=\"\(word.id)\">"), "\(word.id)") }
    var explained: Set<String> = []
    for target in [
      "", "/jobs", "/jobs/cleanup", "/jobs/cleanup/edit", "/jobs/mail/enqueue", "/jobs/cleanup/why", "/runs",
      "/runs/\(run)", "/dead-letters", "/workers", "/actions",
    ] {
      let page = try await jobs.get(target).text
      #expect(page.contains("<a href=\"/dashboard/words\">"), "\(target)")
      for link in Self.links(page) {
        let id = link.href.split(separator: "#").last ?? ""
        #expect(link.href == "/dashboard/words#\(id)" && words.contains("<dt id=\"\(id)\">"), "\(target): \(link)")
        let text = DashboardWords.all.first { $0.id == id }?.text
        #expect(link.title == text.map { PageText.escaped($0) }, "\(target)")
        explained.insert(String(id))
      }
    }
    let expected: Set = [
      "pass", "deadLetter", "redrive", "kind", "state", "document", "overlap", "missedTimes", "gate", "breaker",
      "retry",
      "passJournal", "retention",
    ]
    #expect(expected.subtracting(explained).isEmpty)
  }
}
#endif
