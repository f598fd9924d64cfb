import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Details of faults over REST")
struct FaultDetailTests {
  private static let queue = "\(Caller.location)/queues/q"

  @Test(
    "an invalid name says where its rule is explained",
    arguments: [
      ("GET", "/v2/\(queue)/tasks/a%20b", "", "task ID", "queues.tasks#Task.FIELDS.name"),
      (
        "POST", "/v2/\(queue)/tasks", #"{"task":{"name":"\#(queue)/tasks/a b","httpRequest":{"url":"http://h"}}}"#,
        "task ID", "queues.tasks#Task.FIELDS.name"
      ),
      ("GET", "/v2/\(Caller.location)/queues/a_b", "", "queue ID", "queues#Queue.FIELDS.name"),
      ("POST", "/v2/\(Caller.location)/queues", #"{"name":"x"}"#, "queue name", "queues#Queue.FIELDS.name"),
    ])
  func help(method: String, target: String, body: String, subject: String, place: String) {
    var caller = Caller.withQueue()
    let answer = caller.call(method, target, body)
    let url = "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.\(place)"
    #expect(answer.error?.status == "INVALID_ARGUMENT")
    #expect(
      answer.body["error"]?["details"] == [
        [
          "@type": "type.googleapis.com/google.rpc.Help",
          "links": [["description": .string("Definition of \(subject)"), "url": .string(url)]],
        ]
      ])
  }

  @Test("six aggregations are refused with the reason, in a list")
  func aggregations() throws {
    var caller = Caller()
    func run(_ count: Int) -> RESTResponse {
      let aggregations = Array(repeating: #"{"count":{}}"#, count: count).joined(separator: ",")
      return caller.call(
        "POST", "/v1/projects/p/databases/d/documents:runAggregationQuery",
        #"{"structuredAggregationQuery":{"structuredQuery":{"from":[{"collectionId":"c"}]},"#
          + #""aggregations":[\#(aggregations)]}}"#)
    }
    #expect(run(5).status == 200)
    let answer = run(6)
    #expect(answer.status == 400)
    let error = try #require(answer.body.array?.first?["error"])
    #expect(
      error["message"] == "The maximum number of aggregations allowed in an aggregation query is 5. Received: 6")
    #expect(
      error["details"] == [
        [
          "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TOO_MANY_AGGREGATIONS",
          "domain": "firestore.googleapis.com", "metadata": ["actual_aggregations": "6", "max_aggregations": "5"],
        ]
      ])
  }
}
