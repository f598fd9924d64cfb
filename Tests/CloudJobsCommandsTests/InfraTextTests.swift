import CloudJobsCore
import Foundation
import Testing

@testable import CloudJobsCommands

@Suite("The text of infrastructure")
struct InfraTextTests {
  private static let table = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Conformance/infrastructure/quoting.json")

  @Test("Text is quoted for bash, Terraform and YAML as in the table that the real parsers read back")
  func quoting() throws {
    let rows = try JSONValue(parsing: Array(try Data(contentsOf: Self.table))).array ?? []
    #expect(rows.count > 25)
    for row in rows {
      let text = try #require(row["text"]?.string)
      #expect(TextQuoting.shell(text) == row["shell"]?.string)
      #expect(TextQuoting.terraform(text) == row["terraform"]?.string)
      #expect(TextQuoting.yaml(text) == row["yaml"]?.string)
    }
  }

  private static let blocks: [(YAML, String)] = [
    (["a": 1, "b": true, "c": "no"], "a: 1\nb: true\nc: \"no\"\n"),
    (["a": [:], "b": []], "a: {}\nb: []\n"),
    (["a": ["b": ["c": "d"]]], "a:\n  b:\n    c: d\n"),
    (["a": ["x", "y z"]], "a:\n  - x\n  - \"y z\"\n"),
    (["a": [["b": 1, "c": 2], ["d": [3]]]], "a:\n  - b: 1\n    c: 2\n  - d:\n      - 3\n"),
    (["a": [["#": "Why.", "b": 1]]], "a:\n  # Why.\n  - b: 1\n"),
    (["#": "Two\nlines.", "a: b": 1], "# Two\n# lines.\n\"a: b\": 1\n"),
  ]

  @Test("YAML is written in blocks", arguments: blocks)
  func yaml(value: YAML, text: String) {
    #expect(YAML.stream([value]) == text)
  }

  @Test("Documents are separated")
  func documents() {
    #expect(YAML.stream([["a": 1], ["b": 2]]) == "a: 1\n---\nb: 2\n")
  }

  @Test("The number of workers belongs to the deployment or to an autoscaler, not to both")
  func scaling() {
    for scaling in KubernetesManifests.Scaling.allCases {
      let text = KubernetesManifests(service: "jobs", image: "i", scaling: scaling).text
      #expect(text.contains("\n  replicas: 2\n") == (scaling == .none))
      #expect(text.contains("kind: HorizontalPodAutoscaler") == (scaling == .hpa))
      #expect(text.contains("kind: ScaledObject") == (scaling == .keda))
    }
  }

  @Test("A pod is killed only after its process has ended by itself")
  func gracePeriod() {
    #expect(KubernetesManifests.drainLimit + 3 <= KubernetesManifests.exitLimit)
    #expect(KubernetesManifests.exitLimit < KubernetesManifests.gracePeriod)
  }

  #if Google
  @Test(
    "The name of a resource becomes a label of Terraform",
    arguments: [("default", "default"), ("a-b_1", "a-b_1"), ("1st", "_1st"), ("-x", "_-x"), ("ü\"}", "___")])
  func label(name: String, label: String) {
    #expect(TerraformFile.label(name) == label)
  }
  #endif
}
