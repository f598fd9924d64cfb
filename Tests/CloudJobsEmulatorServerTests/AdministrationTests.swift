import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import Testing

@Suite("Policies, keys, operations and zeros over REST")
struct AdministrationTests {
  private static let queue = "\(Caller.location)/queues/q"

  @Test("a policy is kept, and one read before a change is refused")
  func policies() throws {
    var caller = Caller.withQueue()
    let first = caller.call("POST", "/v2/\(Self.queue):getIamPolicy").body
    let old = try #require(first["etag"]?.string)
    let body = #"{"policy":{"etag":"\#(old)","bindings":[{"role":"roles/viewer","members":["user:a@b.example"]}]}}"#
    let set = caller.call("POST", "/v2/\(Self.queue):setIamPolicy", body)
    #expect(set.status == 200 && set.body["etag"]?.string != old)
    #expect(caller.call("POST", "/v2/\(Self.queue):getIamPolicy").body == set.body)
    #expect(caller.call("POST", "/v2/\(Self.queue):setIamPolicy", body).error?.status == "ABORTED")
    #expect(caller.call("POST", "/v2/\(Caller.location)/queues/none:getIamPolicy").status == 404)
  }

  @Test("a batch of a known request id is answered again, not made again, until its operation has gone")
  func batches() {
    var caller = Caller.withQueue()
    _ = caller.call("POST", "/v2/\(Self.queue):pause")
    let body = #"{"requestId":"r1","requests":[{"task":{"httpRequest":{"url":"http://h/"}}}]}"#
    let first = caller.call("POST", "/v2/\(Self.queue)/tasks:batchCreate", body)
    #expect(first.status == 200 && first.body["done"] == true)
    #expect(caller.call("POST", "/v2/\(Self.queue)/tasks:batchCreate", body) == first)
    #expect(caller.call("GET", "/v2/\(Caller.location)/operations/r1") == first)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks").body["tasks"]?.array?.count == 1)
    caller.now = caller.now + .hours(1)
    #expect(caller.call("GET", "/v2/\(Caller.location)/operations/r1").status == 404)
    _ = caller.call("POST", "/v2/\(Self.queue)/tasks:batchCreate", body)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks").body["tasks"]?.array?.count == 2)
  }

  @Test("a zero counts where an update mask names it, and means the default elsewhere")
  func zeros() {
    var caller = Caller.withQueue()
    let body = #"{"retryConfig":{"maxDoublings":0,"minBackoff":"0s"}}"#
    let all = caller.call("PATCH", "/v2/\(Self.queue)", body).body["retryConfig"]
    #expect(all?["maxDoublings"] == 16 && all?["minBackoff"] == "0.100s")
    let mask = "retry_config.max_doublings,retryConfig.minBackoff"
    let named = caller.call("PATCH", "/v2/\(Self.queue)?updateMask=\(mask)", body).body["retryConfig"]
    #expect(named?["maxDoublings"] == nil && named?["minBackoff"] == "0s")
    #expect(named?["maxAttempts"] == 100)
  }

  @Test("keys are kept by service, and only locations in use are listed")
  func keysAndLocations() {
    var caller = Caller.withQueue()
    _ = caller.call("PATCH", "/v2/\(Caller.location)/cmekConfig", #"{"kmsKey":"k"}"#)
    #expect(caller.call("GET", "/v2/\(Caller.location)/cmekConfig").body["kmsKey"] == "k")
    #expect(caller.call("GET", "/v1/\(Caller.location)/cmekConfig").body["kmsKeyName"] == nil)
    let listed = caller.call("GET", "/v2/projects/p/locations").body["locations"]?.array
    #expect(listed?.compactMap { $0["name"]?.string } == [Caller.location])
    #expect(caller.call("GET", "/v2/projects/other/locations").body == .object([:]))
    #expect(caller.call("GET", "/v2/a/b/c").status == 404)
  }
}
