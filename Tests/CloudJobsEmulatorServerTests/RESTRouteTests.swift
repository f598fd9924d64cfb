import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsEmulatorWire
import Testing

@Suite("REST routes")
struct RESTRouteTests {
  private static let queue = "projects/p/locations/l/queues/q"
  private static let job = "projects/p/locations/l/jobs/j"

  @Test(
    "each method of Cloud Tasks has its route, with and without the version",
    arguments: [
      ("GET", "projects/p/locations/l", ""), ("GET", "projects/p/locations/l/queues", ""),
      ("GET", queue, ""), ("PATCH", queue, "{}"), ("POST", "\(queue):pause", "{}"), ("POST", "\(queue):resume", "{}"),
      ("POST", "\(queue):purge", ""), ("GET", "\(queue)/tasks", ""),
      ("POST", "\(queue)/tasks", #"{"task":{"httpRequest":{"url":"http://h"}}}"#),
      ("DELETE", queue, ""), ("POST", "projects/p/locations/l/queues", #"{"name":"\#(queue)2"}"#),
    ])
  func tasks(method: String, path: String, body: String) {
    for prefix in ["/v2/", "/"] {
      var caller = Caller.withQueue()
      let answer = caller.call(method, prefix + path, body)
      #expect(answer.status == 200, "\(answer.body.text)")
    }
    var caller = Caller.withQueue()
    #expect(caller.call(method, "/v3/" + path, body).status == 404)
  }

  @Test(
    "each method of Cloud Scheduler has its route, with and without the version",
    arguments: [
      ("GET", "projects/p/locations/l/jobs", ""), ("GET", job, ""), ("POST", "\(job):pause", "{}"),
      ("POST", "\(job):run", "{}"), ("DELETE", job, ""),
      ("PATCH", "\(job)?updateMask=description", #"{"description":"d"}"#),
      (
        "POST", "projects/p/locations/l/jobs", #"{"schedule":"* * * * *","httpTarget":{"uri":"http://h"}}"#
      ),
    ])
  func jobs(method: String, path: String, body: String) {
    for prefix in ["/v1/", "/"] {
      var caller = Caller.withJob()
      let answer = caller.call(method, prefix + path, body)
      #expect(answer.status == 200, "\(answer.body.text)")
    }
    var caller = Caller.withJob()
    #expect(caller.call(method, "/v2/" + path, body).status == 404)
  }

  @Test("a task is created, returned, run and deleted by name; percent-encoding is decoded")
  func taskByName() {
    var caller = Caller.withQueue()
    let name = "\(Self.queue)/tasks/t-1_a"
    let body = #"{"task":{"name":"\#(name)","http_request":{"url":"http://h/"}},"response_view":2}"#
    #expect(caller.call("POST", "/v2/\(Self.queue)/tasks", body).body["name"]?.string == name)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks/t%2D1%5Fa").body["name"]?.string == name)
    #expect(caller.call("POST", "/v2/\(name):run", #"{"responseView":"FULL"}"#).body["view"]?.string == "FULL")
    #expect(caller.call("POST", "/v2/\(name)%3Arun", "{}").status == 200)
    #expect(caller.call("DELETE", "/v2/\(name)").body == .object([:]))
    #expect(caller.call("GET", "/v2/\(name)").status == 404)
  }

  @Test(
    "an error has Google's format and the right HTTP status",
    arguments: [
      ("GET", "/v2/projects/p/locations/l/queues/none", "", 404, "NOT_FOUND"),
      ("POST", "/v2/projects/p/locations/l/queues", #"{"name":"\#(queue)"}"#, 409, "ALREADY_EXISTS"),
      ("POST", "/v2/projects/p/locations/l/queues", #"{"name":"x"}"#, 400, "INVALID_ARGUMENT"),
      ("POST", "/v2/projects/p/locations/other/queues", #"{"name":"\#(queue)2"}"#, 400, "INVALID_ARGUMENT"),
      ("PATCH", "/v2/\(queue)?updateMask=bogus", "{}", 400, "INVALID_ARGUMENT"),
      ("POST", "/v2/\(queue)/tasks", #"{"task":{"appEngineHttpRequest":{}}}"#, 400, "FAILED_PRECONDITION"),
      ("POST", "/v2/\(queue)/tasks", "{}", 400, "INVALID_ARGUMENT"),
      ("POST", "/v2/\(queue)/tasks:batchCreate", "[]", 400, "INVALID_ARGUMENT"),
      ("PUT", "/v2/\(queue)", "{}", 404, "NOT_FOUND"), ("GET", "/v2/projects", "", 404, "NOT_FOUND"),
      ("GET", "/", "", 404, "NOT_FOUND"), ("GET", "/v2", "", 404, "NOT_FOUND"),
      ("POST", "/v2/::::", "", 404, "NOT_FOUND"),
      ("POST", "/v2/\(queue):explode", "{}", 404, "NOT_FOUND"),
      ("GET", "/v2/\(queue)/jobs/x", "", 404, "NOT_FOUND"),
    ] as [(String, String, String, Int, String)])
  func refusals(method: String, target: String, body: String, status: Int, name: String) {
    var caller = Caller.withQueue()
    let answer = caller.call(method, target, body)
    #expect(answer.status == status, "\(answer.body.text)")
    #expect(answer.error?.status == name)
  }

  @Test("lists are paged, and an invalid page is rejected")
  func pages() {
    var caller = Caller.withQueue()
    for id in ["c", "a", "b"] {
      _ = caller.call(
        "POST", "/v2/\(Self.queue)/tasks",
        #"{"task":{"name":"\#(Self.queue)/tasks/\#(id)","httpRequest":{"url":"http://h"}}}"#)
    }
    let first = caller.call("GET", "/v2/\(Self.queue)/tasks?pageSize=2").body
    #expect(first["tasks"]?.array?.compactMap { $0["name"]?.string?.last } == ["a", "b"])
    let token = first["nextPageToken"]?.string ?? ""
    let second = caller.call("GET", "/v2/\(Self.queue)/tasks?page_size=2&page_token=\(token)").body
    #expect(second["tasks"]?.array?.compactMap { $0["name"]?.string?.last } == ["c"])
    #expect(second["nextPageToken"] == nil)
    for query in ["pageSize=-1", "pageSize=x", "pageSize=99999999999", "responseView=9", "bogus=1"] {
      #expect(caller.call("GET", "/v2/\(Self.queue)/tasks?\(query)").status == 400, "\(query)")
    }
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks?alt=json&key=k&prettyPrint=false").status == 200)
  }

  @Test("a batch creates what it can and reports what failed")
  func batchCreate() {
    var caller = Caller.withQueue()
    let good = #"{"parent":"\#(Self.queue)","task":{"name":"\#(Self.queue)/tasks/a","httpRequest":{"url":"http://h"}}}"#
    let bad = #"{"task":{"httpRequest":{"url":"ftp://h"}}}"#
    let target = "/v2/\(Self.queue)/tasks:batchCreate"
    let first = caller.call("POST", target, #"{"requests":[\#(good),\#(bad)],"requestId":"r1"}"#).body
    #expect(first["name"]?.string == "projects/p/locations/l/operations/r1")
    #expect(first["done"]?.bool == true)
    #expect(first["response"]?["tasks"]?.array?.count == 1)
    #expect(first["metadata"]?["state"]?.string == "PARTIALLY_SUCCEEDED")
    #expect(first["metadata"]?["failedRequests"]?["1"]?["code"]?.integer == 3)
    let second = caller.call("POST", target, #"{"requests":[\#(good)]}"#).body
    #expect(second["error"]?["code"]?.integer == 10)
    #expect(caller.call("POST", target, "{}").status == 400)
    let many = Array(repeating: bad, count: 101).joined(separator: ",")
    #expect(caller.call("POST", target, #"{"requests":[\#(many)]}"#).status == 400)
    let foreign = #"{"requests":[{"parent":"\#(Self.queue)2","task":{}}]}"#
    #expect(caller.call("POST", target, foreign).status == 400)
  }

  @Test("a batch deletes what it can and reports what failed")
  func batchDelete() {
    var caller = Caller.withQueue()
    for id in ["a", "b"] {
      _ = caller.call(
        "POST", "/v2/\(Self.queue)/tasks",
        #"{"task":{"name":"\#(Self.queue)/tasks/\#(id)","httpRequest":{"url":"http://h"}}}"#)
    }
    let names = ["a", "missing", "b"].map { #""\#(Self.queue)/tasks/\#($0)""# }.joined(separator: ",")
    let target = "/v2/\(Self.queue)/tasks:batchDelete"
    let answer = caller.call("POST", target, #"{"names":[\#(names),"x"]}"#).body
    let failed = answer["metadata"]?["failedRequests"]
    #expect(failed?.object?.keys.sorted() == ["1", "3"])
    #expect(failed?["1"]?["code"]?.integer == 5)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks").body == .object([:]))
  }

  @Test("queues are filtered by state")
  func filter() {
    var caller = Caller.withQueue()
    _ = caller.call("POST", "/v2/projects/p/locations/l/queues", #"{"name":"\#(Self.queue)2"}"#)
    _ = caller.call("POST", "/v2/\(Self.queue):pause")
    let target = "/v2/projects/p/locations/l/queues?filter="
    #expect(caller.call("GET", target + "state:%20PAUSED").body["queues"]?.array?.count == 1)
    #expect(caller.call("GET", target + "state=RUNNING").body["queues"]?.array?.count == 1)
    #expect(caller.call("GET", target + "name:x").status == 400)
  }
}
