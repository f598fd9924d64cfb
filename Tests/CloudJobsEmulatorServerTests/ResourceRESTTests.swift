import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Locations, permissions and queues over REST")
struct ResourceRESTTests {
  private static let queue = "\(Caller.location)/queues/q"

  @Test("a location is answered though nothing is in it", arguments: ["/v2/", "/v1/"])
  func location(prefix: String) {
    var caller = Caller()
    let answer = caller.call("GET", prefix + "projects/p/locations/mars-north1")
    #expect(answer.status == 200)
    #expect(answer.body == ["name": "projects/p/locations/mars-north1", "locationId": "mars-north1"])
    #expect(caller.call("GET", "/v2/projects/p/locations").body == .object([:]))
    #expect(caller.call("GET", prefix + "projects/p/locations/a_b").error?.status == "INVALID_ARGUMENT")
  }

  @Test("all permissions are granted on a queue that is there, and none on another")
  func permissions() {
    var caller = Caller.withQueue()
    let body = #"{"permissions":["cloudtasks.queues.get","cloudtasks.tasks.create"]}"#
    let granted = caller.call("POST", "/v2/\(Self.queue):testIamPermissions", body)
    #expect(granted.status == 200)
    #expect(granted.body == ["permissions": ["cloudtasks.queues.get", "cloudtasks.tasks.create"]])
    let none = caller.call("POST", "/v2/\(Self.queue)2:testIamPermissions", body)
    #expect(none.status == 200 && none.body == .object([:]))
    _ = caller.call("DELETE", "/v2/\(Self.queue)")
    #expect(caller.call("POST", "/v2/\(Self.queue):testIamPermissions", body).body == .object([:]))
  }

  @Test("a queue's routing is returned as sent, with the host that stands for it")
  func routing() {
    var caller = Caller()
    let location = "projects/p/locations/us-central1"
    let sent = #"{"service":"s","version":"v","instance":"i","host":"mine"}"#
    let made = caller.call(
      "POST", "/v2/\(location)/queues", #"{"name":"\#(location)/queues/q","appEngineRoutingOverride":\#(sent)}"#
    ).body
    #expect(
      made["appEngineRoutingOverride"]
        == ["service": "s", "version": "v", "instance": "i", "host": "i.v.s.p.uc.r.appspot.com"])
    let target = "/v2/\(location)/queues/q"
    #expect(caller.call("GET", target).body == made)
    #expect(caller.call("PATCH", target, made.text).body == made)
    let changed = caller.call(
      "PATCH", "\(target)?updateMask=appEngineRoutingOverride.service",
      #"{"appEngineRoutingOverride":{"service":"t","version":"w"}}"#
    ).body
    #expect(
      changed["appEngineRoutingOverride"]
        == ["service": "t", "version": "v", "instance": "i", "host": "i.v.t.p.uc.r.appspot.com"])
    let removed = caller.call("PATCH", "\(target)?updateMask=appEngineRoutingOverride", "{}").body
    #expect(removed["appEngineRoutingOverride"] == nil && removed["name"] != nil)
  }

  @Test("a queue must be in the location of its parent")
  func otherLocation() {
    var caller = Caller()
    let answer = caller.call(
      "POST", "/v2/projects/p/locations/us-central1/queues", #"{"name":"projects/p/locations/us-east1/queues/X"}"#)
    #expect(answer.status == 400 && answer.error?.status == "INVALID_ARGUMENT")
    #expect(
      answer.error?.message
        == "projects/p/locations/us-east1/queues/X must begin with projects/p/locations/us-central1.")
    #expect(caller.call("GET", "/v2/projects/p/locations/us-east1/queues").body == .object([:]))
  }
}
