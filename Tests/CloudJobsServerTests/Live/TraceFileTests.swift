#if Server
import CloudJobs
import CloudJobsCore
import Foundation
import Testing
import Tracing

@testable import CloudJobsServer

@Suite("Trace file")
struct TraceFileTests {
  private struct Failure: Error {}

  private let path = FileManager.default.temporaryDirectory.appending(path: "traces-\(UUID()).jsonl").path()

  private func spans() throws -> [JSONValue] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    return try lines.flatMap { line -> [JSONValue] in
      let json = try JSONValue(parsing: Array(line.utf8), limits: JSONLimits(bytes: .max, depth: 64))
      let scopes = json["resourceSpans"]?.array?[0]["scopeSpans"]?.array
      return scopes?[0]["spans"]?.array ?? []
    }
  }

  @Test("Spans are appended as OTLP: kinds, parents, attributes, events, links and status")
  func spansOfAllParts() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try TraceFile(path: path)
    var context = ServiceContext.topLevel
    file.extract(
      ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"], into: &context, using: Headers())
    let parent = file.startAnySpan("parent", context: context, ofKind: .server)
    let child = file.startAnySpan("child", context: parent.context, ofKind: .producer)
    child.attributes = ["text": "a", "number": .int64(7), "flag": .bool(true), "list": .stringArray(["x"])]
    child.recordError(Failure())
    child.addLink(SpanLink(context: context, attributes: [:]))
    child.setStatus(SpanStatus(code: .error, message: "no"))
    var headers: [String: String] = [:]
    file.inject(child.context, into: &headers, using: Headers())
    child.end()
    child.attributes = ["late": "ignored"]
    child.end()
    parent.end()
    file.forceFlush()
    let spans = try spans()
    #expect(spans.map { $0["name"] } == ["child", "parent"])
    let (first, second) = (spans[0], spans[1])
    #expect(second["traceId"] == "0af7651916cd43dd8448eb211c80319c" && second["parentSpanId"] == "b7ad6b7169203331")
    #expect(first["parentSpanId"] == second["spanId"] && first["traceId"] == second["traceId"])
    #expect([first["kind"], second["kind"]] == [4, 2])
    #expect(
      first["attributes"] == [
        ["key": "flag", "value": ["boolValue": true]],
        ["key": "list", "value": ["arrayValue": ["values": [["stringValue": "x"]]]]],
        ["key": "number", "value": ["intValue": "7"]], ["key": "text", "value": ["stringValue": "a"]],
      ])
    #expect(first["status"] == ["code": 2, "message": "no"])
    #expect(first["events"]?.array?.first?["name"] == "exception")
    #expect(first["links"]?.array?.first?["spanId"] == "b7ad6b7169203331")
    let span = try #require(first["spanId"]?.string)
    #expect(headers["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-\(span)-01")
  }

  @Test("The spans of a batch are written without a flush, and a second tracer appends")
  func batches() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    for round in 1...2 {
      let file = try TraceFile(path: path)
      for _ in 0..<TraceFile.batch { file.startAnySpan("one", context: .topLevel, ofKind: .internal).end() }
      #expect(try spans().count == TraceFile.batch * round)
    }
    #expect(Set(try spans().map { $0["traceId"] }).count == TraceFile.batch * 2)
  }

  @Test("A file that can't be opened is reported with its setting")
  func badPath() throws {
    let error = #expect(throws: JobError.self) { try TraceFile(path: "/missing/folder/traces.jsonl") }
    #expect(error?.field == "server.traceFile" && error?.message.contains("/missing/folder") == true)
  }

  private struct Headers: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
  }
}
#endif
