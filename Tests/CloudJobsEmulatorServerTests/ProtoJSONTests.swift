import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@testable import CloudJobsEmulatorServer

@Suite("Proto3 JSON")
struct ProtoJSONTests {
  private static let queue = "projects/p/locations/l/queues/q"

  @Test(
    "durations round-trip",
    arguments: [
      ("0s", .zero), ("3.500s", .milliseconds(3_500)), ("0.000001s", .microseconds(1)),
      ("-1.250s", .milliseconds(-1_250)),
      ("3600s", .seconds(3_600)), ("0.000000001s", .nanoseconds(1)),
    ] as [(String, Duration)])
  func durations(text: String, duration: Duration) {
    #expect(WireDuration.text(duration) == text)
    #expect(WireDuration.parse(text) == duration)
  }

  @Test(
    "alternative spellings of durations are accepted", arguments: [("3.5s", 3_500), ("1.0s", 1_000), ("01s", 1_000)])
  func moreDurations(text: String, milliseconds: Int) {
    #expect(WireDuration.parse(text) == .milliseconds(milliseconds))
  }

  @Test(
    "invalid durations are rejected",
    arguments: ["", "s", "1", "1h", ".5s", "1.s", "1.0000000001s", "--1s", "1 s", "999999999999s"])
  func badDurations(text: String) {
    #expect(WireDuration.parse(text) == nil)
  }

  @Test("enums are written as names, or as numbers on request")
  func enums() {
    var caller = Caller.withQueue()
    #expect(caller.call("GET", "/v2/\(Self.queue)").body["state"]?.string == "RUNNING")
    let asNumbers = caller.call("GET", "/v2/\(Self.queue)?%24alt=json%3Benum-encoding%3Dint")
    #expect(asNumbers.body["state"]?.integer == 1)
    for method in ["5", "\"DELETE\""] {
      let body = #"{"task":{"httpRequest":{"url":"http://h","httpMethod":\#(method)}}}"#
      let answer = caller.call("POST", "/v2/\(Self.queue)/tasks", body).body
      #expect(answer["httpRequest"]?["httpMethod"]?.string == "DELETE")
    }
  }

  @Test(
    "values of the wrong kind are rejected with their field's path",
    arguments: [
      (#"{"task":7}"#, "task"), (#"{"task":{"httpRequest":{"url":7}}}"#, "task.http_request.url"),
      (#"{"task":{"httpRequest":{"httpMethod":"FETCH"}}}"#, "task.http_request.http_method"),
      (#"{"task":{"httpRequest":{"httpMethod":99}}}"#, "http_method"),
      (#"{"task":{"httpRequest":{"body":"***"}}}"#, "task.http_request.body"),
      (#"{"task":{"httpRequest":{"headers":{"a":1}}}}"#, "task.http_request.headers[0].value"),
      (#"{"task":{"scheduleTime":"tomorrow"}}"#, "task.schedule_time"),
      (#"{"task":{"scheduleTime":"2026-11-21"}}"#, "task.schedule_time"),
      (#"{"task":{"dispatchDeadline":"10m"}}"#, "task.dispatch_deadline"),
      (#"{"responseView":"WHOLE"}"#, "response_view"),
      (#"{"task":{"retryConfig":{"maxAttempts":1.5}}}"#, "task.retry_config.max_attempts"),
      (#"{"task":{"retryConfig":{"maxAttempts":2147483648}}}"#, "task.retry_config.max_attempts"),
    ])
  func wrongKinds(body: String, path: String) {
    var caller = Caller.withQueue()
    let answer = caller.call("POST", "/v2/\(Self.queue)/tasks", body)
    #expect(answer.status == 400)
    #expect(answer.error?.message.contains("'\(path)'") == true, "\(answer.body.text)")
  }

  @Test(
    "unknown names and malformed JSON are rejected",
    arguments: [
      (#"{"tusk":{}}"#, "Unknown name \"tusk\": Cannot find field."),
      (#"{"task":{"httpRequest":{"uri":"x"}}}"#, "Unknown name \"uri\" at 'task.http_request': Cannot find field."),
      ("{", "Invalid JSON payload received."), (#"{"task":{},"task":{}}"#, "Invalid JSON payload received."),
      ("[]", "Unknown name \"\": Root element must be a message."), ("\u{feff}{}", "Invalid JSON payload received."),
    ])
  func unknownNames(body: String, message: String) {
    var caller = Caller.withQueue()
    let answer = caller.call("POST", "/v2/\(Self.queue)/tasks", body)
    #expect(answer.status == 400)
    #expect(answer.error?.message.contains(message) == true, "\(answer.body.text)")
  }

  @Test("a task's fields are returned as sent, with the service's agent")
  func roundTrip() {
    var caller = Caller.withQueue()
    let body = #"""
      {"task":{"name":"projects/p/locations/l/queues/q/tasks/t","scheduleTime":"2026-12-01T00:00:00.25+01:00",
      "dispatchDeadline":"15.5s","retryConfig":{"maxAttempts":"-1","minBackoff":"0.5s"},
      "httpRequest":{"url":"https://h/x?y=1","httpMethod":"PUT","headers":{"A":"1","B":"2"},"body":"AP8=",
      "oidcToken":{"serviceAccountEmail":"a@b"}}},"responseView":"FULL"}
      """#
    let task = caller.call("POST", "/v2/\(Self.queue)/tasks", body).body
    #expect(task["scheduleTime"]?.string == "2026-11-30T23:00:00.250Z")
    #expect(task["createTime"]?.string == "\(caller.now)")
    #expect(task["dispatchDeadline"]?.string == "15.500s")
    #expect(task["retryConfig"]?["maxAttempts"]?.integer == -1)
    #expect(task["retryConfig"]?["minBackoff"]?.string == "0.500s")
    #expect(task["httpRequest"]?["body"]?.string == "AP8=")
    #expect(task["httpRequest"]?["headers"] == ["A": "1", "B": "2", "User-Agent": "Google-Cloud-Tasks"])
    #expect(task["httpRequest"]?["oidcToken"] == ["serviceAccountEmail": "a@b", "audience": "https://h/x?y=1"])
    #expect(task["dispatchCount"] == nil && task["firstAttempt"] == nil)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks/t").body["httpRequest"]?["body"] == nil)
  }

  @Test(
    "masks are accepted in camel case and snake case",
    arguments: ["retryConfig.maxAttempts", "retry_config.max_attempts"])
  func masks(path: String) {
    var caller = Caller.withQueue()
    let body = #"{"retryConfig":{"maxAttempts":7,"maxDoublings":3},"rateLimits":{"maxDispatchesPerSecond":2.5}}"#
    let queue = caller.call("PATCH", "/v2/\(Self.queue)?updateMask=\(path)", body).body
    #expect(queue["retryConfig"]?["maxAttempts"]?.integer == 7)
    #expect(queue["retryConfig"]?["maxDoublings"]?.integer == 16)
    #expect(queue["rateLimits"]?["maxDispatchesPerSecond"]?.integer == 500)
    let whole = caller.call("PATCH", "/v2/\(Self.queue)", body).body
    #expect(whole["retryConfig"]?["maxDoublings"]?.integer == 3)
    #expect(whole["rateLimits"]?["maxDispatchesPerSecond"]?.double == 2.5)
  }

  @Test("each target of a scheduler job is returned as sent, with the service's headers, and two targets are rejected")
  func schedulerTargets() {
    let targets = [
      #""httpTarget":{"uri":"http://h/","httpMethod":"GET"}"#,
      #""pubsubTarget":{"topicName":"projects/p/topics/t","data":"aGk=","attributes":{"k":"v"}}"#,
      #""appEngineHttpTarget":{"relativeUri":"/x","httpMethod":"POST","appEngineRouting":{"service":"s"}}"#,
    ]
    let shown: [JSONValue] = [
      ["uri": "http://h/", "httpMethod": "GET", "headers": ["User-Agent": "Google-Cloud-Scheduler"]],
      ["topicName": "projects/p/topics/t", "data": "aGk=", "attributes": ["k": "v"]],
      [
        "relativeUri": "/x", "httpMethod": "POST",
        "headers": ["User-Agent": "AppEngine-Google; (+http://code.google.com/appengine)"],
        "appEngineRouting": ["service": "s", "host": "s.p.appspot.com"],
      ],
    ]
    for (target, shown) in zip(targets, shown) {
      var caller = Caller()
      let body = #"{"schedule":"0 0 1 1 *","timeZone":"utc",\#(target)}"#
      let job = caller.call("POST", "/v1/\(Caller.location)/jobs", body).body
      let name = target.split(separator: "\"")[0]
      #expect(job[String(name)] == shown, "\(job.text)")
      #expect(job["retryConfig"] == nil)
      #expect((job["attemptDeadline"] != nil) == (name == "httpTarget"))
    }
    var caller = Caller()
    let both = #"{"schedule":"0 0 1 1 *",\#(targets[0]),\#(targets[1])}"#
    #expect(caller.call("POST", "/v1/\(Caller.location)/jobs", both).status == 400)
  }
}
