import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("URLs of targets")
struct TargetURLTests {
  @Test(
    "unsafe characters are encoded, and what is encoded stays",
    arguments: [
      ("http://h", "http://h"), ("HTTPS://H:1/a?b=c#d", "HTTPS://H:1/a?b=c#d"), ("http://h/a b", "http://h/a%20b"),
      ("http://h/ü", "http://h/%C3%BC"), ("http://h/a\tb\n", "http://h/a%09b%0A"), ("http://h/%zz", "http://h/%25zz"),
      ("http://h/%20%4", "http://h/%20%254"), ("http://h/%", "http://h/%25"),
      ("http://h?q=<\"{|}^`\\>", "http://h?q=%3C%22%7B%7C%7D%5E%60%5C%3E"),
      ("http://[::1]:8080/", "http://[::1]:8080/"),
      ("http://u:p@h.example/!$&'()*+,;=:@-._~", "http://u:p@h.example/!$&'()*+,;=:@-._~"),
      ("http://h:/", "http://h:/"),
    ])
  func encoded(text: String, expected: String) throws {
    #expect(try TargetURL.encoded(text, field: "HttpRequest.url") == expected)
    #expect(try TargetURL.encoded(expected, field: "HttpRequest.url") == expected)
  }

  @Test(
    "a URL that could never be delivered is refused",
    arguments: [
      "http://", "http:///path", "http://:80/", "http://h:65536/", "http://h:x/", "http://a b/", "http://ü/",
      "http://[::1/", "http://[]/", "http://h]/", "http://u@/", "http://h:+80/", "http://h:0/", "http://a%/",
      "http://[:]/", "http://[::1]x/", "http://h\\x/",
    ])
  func refused(text: String) {
    let refusal = fault { _ = try TargetURL.encoded(text, field: "HttpTarget.uri") }
    #expect(refusal?.code == .invalidArgument)
    #expect(refusal?.message.hasPrefix("HttpTarget.uri must have a valid host") == true)
  }

  @Test("the length counts after encoding")
  func length() throws {
    let room = 2_083 - "http://h/".count
    let plain = "http://h/" + String(repeating: "a", count: room)
    #expect(try TargetURL.encoded(plain, field: "f") == plain)
    for text in [plain + "a", "http://h/" + String(repeating: "ü", count: room / 6 + 1)] {
      #expect(fault { _ = try TargetURL.encoded(text, field: "f") }?.message == "f must be at most 2083 characters.")
    }
  }

  @Test(
    "Cloud Scheduler shows an empty path as a slash",
    arguments: [
      ("http://h", "http://h/"), ("http://h?q", "http://h/?q"), ("http://h/x", "http://h/x"),
    ])
  func emptyPath(text: String, expected: String) throws {
    let job = try Fixture().makeJob(target: .http(.init(url: text)))
    guard case .http(let target) = job.target else { throw ServiceFault(.internal, "no HTTP target") }
    #expect(target.url == expected)
  }

  @Test("a queue's path and query are encoded where they replace a task's")
  func overridden() throws {
    let override = CloudTasks.URIOverride(path: "/a b", query: "ü")
    #expect(override.applied(to: "http://h/x") == "http://h/a%20b?%C3%BC")
  }

  @Test(
    "a queue's override keeps the rules for hosts and lengths",
    arguments: [
      CloudTasks.URIOverride(host: "a\nb"), .init(host: "h:x"), .init(host: "["), .init(host: ""), .init(host: "a b"),
      .init(path: "/" + String(repeating: "a", count: 2_083)), .init(port: 65_536),
    ])
  func override(uri: CloudTasks.URIOverride) throws {
    let fixture = Fixture()
    var queue = try fixture.makeQueue()
    queue.target = .init(uri: uri)
    let changed = queue
    let refusal = fault {
      try fixture.emulator.withState { state, now in _ = try state.tasks.updateQueue(changed, at: now) }
    }
    #expect(refusal?.code == .invalidArgument)
  }

  @Test(
    "headers that HTTP can't carry are refused, in tasks, queues and jobs",
    arguments: [
      HeaderField("a b", "c"), HeaderField("", "c"), HeaderField("é", "c"), HeaderField("a", "b\nc"),
      HeaderField("a", "\0"), HeaderField("a:", "c"),
    ])
  func headers(field: HeaderField) throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    #expect(fault { try fixture.makeTask(headers: [field]) }?.message.hasPrefix("HttpRequest.headers has") == true)
    let target = HTTPTarget(url: "http://h", headers: [field])
    #expect(fault { try fixture.makeJob(target: .http(target)) }?.message.hasPrefix("HttpTarget.headers has") == true)
    var queue = CloudTasks.Queue(name: try Fixture.queue())
    queue.target = .init(headers: [field])
    let refusal = fault {
      try fixture.emulator.withState { state, now in _ = try state.tasks.updateQueue(queue, at: now) }
    }
    #expect(refusal?.message.hasPrefix("HttpTarget.headers has") == true)
  }
}
