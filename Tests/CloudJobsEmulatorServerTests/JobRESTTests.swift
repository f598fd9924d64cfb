import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Scheduler jobs over REST")
struct JobRESTTests {
  private static let job = "\(Caller.location)/jobs/j"

  @Test("a job for Pub/Sub shows no deadline, which has no effect, and no retry settings that were not sent")
  func pubsub() {
    var caller = Caller()
    let target = #""schedule":"0 0 1 1 *","pubsubTarget":{"topicName":"projects/p/topics/t","data":"aGk="}"#
    let made = caller.call(
      "POST", "/v1/\(Caller.location)/jobs", #"{"name":"\#(Self.job)","attemptDeadline":"1s",\#(target)}"#)
    #expect(made.status == 200 && made.body["pubsubTarget"]?["data"] == "aGk=", "\(made.body.text)")
    #expect(made.body["attemptDeadline"] == nil && made.body["retryConfig"] == nil)
    #expect(caller.call("GET", "/v1/\(Self.job)").body == made.body)
    let body = #"{"retryConfig":{"retryCount":2},"attemptDeadline":"60s"}"#
    let changed = caller.call("PATCH", "/v1/\(Self.job)?updateMask=retryConfig,attemptDeadline", body).body
    #expect(changed["retryConfig"]?["retryCount"] == 2)
    #expect(changed["attemptDeadline"] == nil)
  }

  @Test("the time of a client's change has whole seconds")
  func userUpdateTime() {
    var caller = Caller()
    caller.now = caller.now + .milliseconds(250)
    let body = #"{"name":"\#(Self.job)","schedule":"0 0 1 1 *","httpTarget":{"uri":"http://h/"}}"#
    let made = caller.call("POST", "/v1/\(Caller.location)/jobs", body).body
    #expect(made["userUpdateTime"]?.string == "\(Timestamp(seconds: 1_795_000_000))")
    caller.now = caller.now + .milliseconds(60_500)
    let changed = caller.call("PATCH", "/v1/\(Self.job)?updateMask=description", #"{"description":"d"}"#).body
    #expect(changed["userUpdateTime"]?.string == "\(Timestamp(seconds: 1_795_000_060))")
    #expect(caller.call("POST", "/v1/\(Self.job):pause").body["userUpdateTime"] == changed["userUpdateTime"])
  }
}
