import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Reports of faults")
struct FaultReportTests {
  @Test("at most 100 faults of a body are told", arguments: [99, 100, 101, 150])
  func limit(count: Int) {
    let names = (0..<count).map { "x\(100 + $0)" }
    let told = names.prefix(100)
    let lines = told.map { "Invalid JSON payload received. Unknown name \"\($0)\": Cannot find field." }
    let body = "{" + names.map { #""\#($0)":1"# }.joined(separator: ",") + "}"
    let fault = #expect(throws: ServiceFault.self) { try Example.tree(body) }
    #expect(fault?.message == lines.joined(separator: "\n"))
    #expect(fault?.details == [.badRequest(lines.map { FieldViolation(field: "", description: $0) })])
  }

  @Test("at most 100 faults are told of the elements of a list")
  func listLimit() {
    let body = #"{"numbers":["# + Array(repeating: #""x""#, count: 150).joined(separator: ",") + "]}"
    let fault = #expect(throws: ServiceFault.self) { try Example.tree(body) }
    let lines = fault?.message.split(separator: "\n") ?? []
    #expect(lines.count == 100)
    #expect(lines.last == #"Invalid value at 'numbers[99]' (TYPE_INT32), "x""#)
  }

  /// Returns the details of a fault, as they are in the trailers of a gRPC call.
  private static func details(_ fault: ServiceFault) throws -> JSONValue? {
    let field = GRPCStatus.trailers(fault).first { $0.name == "grpc-status-details-bin" }
    let bytes = try #require(field.flatMap { Base64.decode($0.value) })
    let index = try #require(Schema.google.index(ofMessage: "google.rpc.Status"))
    return JSONMessageWriter().json(try ProtobufReader.read(bytes, of: index, in: .google))["details"]
  }

  @Test("the trailers of a call with an invalid task ID say where the rule is explained")
  func help() throws {
    let fault = try #require(throws: ServiceFault.self) {
      try CloudTasks.TaskName("projects/p/locations/l/queues/q/tasks/a b")
    }
    let url = "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name"
    #expect(
      try Self.details(fault) == [
        [
          "@type": "type.googleapis.com/google.rpc.Help",
          "links": [["description": "Definition of task ID", "url": .string(url)]],
        ]
      ])
  }

  @Test("the trailers of a call with six aggregations name the reason")
  func reason() throws {
    var service = FirestoreService()
    let root = try Firestore.Name(parent: "projects/p/databases/d/documents")
    let fault = try #require(throws: ServiceFault.self) {
      try service.runAggregation(
        Array(repeating: .init(.count(upTo: nil)), count: 6), over: .init(from: .init("c")), under: root,
        at: Timestamp(seconds: 1_795_000_000))
    }
    #expect(
      try Self.details(fault) == [
        [
          "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TOO_MANY_AGGREGATIONS",
          "domain": "firestore.googleapis.com", "metadata": ["actual_aggregations": "6", "max_aggregations": "5"],
        ]
      ])
  }
}
