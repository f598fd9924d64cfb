import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("A queue's HTTP target")
struct QueueTargetTests {
  typealias Override = CloudTasks.URIOverride

  @Test(
    "parts of a URL are overridden",
    arguments: [
      (Override(), "http://a:1/p?q=1#f", "http://a:1/p?q=1"),
      (Override(scheme: .https), "http://a/p", "https://a/p"),
      (Override(host: "b"), "http://a:1/p", "http://b:1/p"),
      (Override(host: "b"), "http://[::1]:8/p", "http://b:8/p"),
      (Override(port: 123), "https://a/example", "https://a:123/example"),
      (Override(port: 0), "https://a:9/example", "https://a/example"),
      (Override(port: 7), "http://[::1]/p", "http://[::1]:7/p"),
      (Override(path: "x/y"), "http://a/p?q=1", "http://a/x/y?q=1"),
      (Override(path: ""), "http://a/p?q=1", "http://a?q=1"),
      (Override(query: "b=2"), "http://a/p?q=1", "http://a/p?b=2"),
      (Override(query: ""), "http://a/p?q=1", "http://a/p"),
      (Override(host: "b", port: 5, path: "/x", query: "y", mode: .ifNotExists), "http://a", "http://a:5/x?y"),
      (Override(port: 5, path: "/x", query: "y", mode: .ifNotExists), "http://a:1/p?q", "http://a:1/p?q"),
      (Override(path: "/x", mode: .ifNotExists), "http://a/", "http://a/x"),
      (Override(scheme: .http, host: "b", port: 5, path: "/x"), "", "http://b:5/x"),
      (Override(host: "b"), "", "https://b"),
    ])
  func urls(override: Override, url: String, expected: String) {
    #expect(override.applied(to: url) == expected)
  }

  @Test("the queue's method, headers and token override the task's when it is attempted, not earlier")
  func attempt() async throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    try fixture.emulator.withState { state, now in
      var changed = try state.tasks.getQueue(queue)
      changed.target = CloudTasks.QueueTarget(
        uri: .init(host: "127.0.0.2"), method: .put, headers: [HeaderField("x-a", "queue")],
        authorization: .oidc(serviceAccountEmail: "e", audience: nil))
      _ = try state.tasks.updateQueue(changed, at: now)
    }
    let task = try fixture.makeTask(
      "t", headers: [HeaderField("X-A", "task"), HeaderField("X-B", "task")], body: [1])
    guard case .http(let stored) = task.target else { throw ServiceFault(.internal, "no HTTP target") }
    #expect(stored.url == "http://127.0.0.1/t")
    try await fixture.emulator.advance(by: .seconds(1))
    let delivery = try #require(fixture.received.first?.delivery)
    #expect(delivery.url == "http://127.0.0.2/t" && delivery.method == .put && delivery.body == [1])
    #expect(delivery.headers.filter { $0.name.lowercased().hasPrefix("x-a") }.map(\.value) == ["queue"])
    #expect(delivery.headers["X-B"] == "task")
    #expect(delivery.authorization == .oidc(serviceAccountEmail: "e", audience: "http://127.0.0.2/t"))
  }

  @Test("a buffered task requires a host and has the queue's URL and the given body")
  func buffer() async throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    let refusal = fault {
      try fixture.emulator.withState { state, now in
        _ = try state.tasks.bufferTask(body: [], contentType: nil, id: nil, in: queue, at: now)
      }
    }
    #expect(refusal?.code == .failedPrecondition)
    try fixture.emulator.withState { state, now in
      var changed = try state.tasks.getQueue(queue)
      changed.target = CloudTasks.QueueTarget(uri: .init(scheme: .http, host: "127.0.0.1", path: "/b"))
      _ = try state.tasks.updateQueue(changed, at: now)
      let task = try state.tasks.bufferTask(body: [7], contentType: "text/plain", id: "b", in: queue, at: now)
      #expect(task.name.id == "b")
    }
    try await fixture.emulator.advance(by: .seconds(1))
    let delivery = try #require(fixture.received.first?.delivery)
    #expect(delivery.url == "http://127.0.0.1/b" && delivery.body == [7] && delivery.method == .post)
    #expect(delivery.headers["Content-Type"] == "text/plain")
  }

  @Test("an App Engine task is delivered to the configured origin with App Engine's headers")
  func appEngine() async throws {
    let fixture = Fixture(options: .init(appEngineOrigin: "http://127.0.0.1:9"))
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    try fixture.emulator.withState { state, now in
      let target = AppEngineTarget(relativeURI: "/work?x=1", body: [1])
      let new = CloudTasks.NewTask(target: .appEngine(target), dispatchDeadline: .hours(24) + .seconds(15))
      _ = try state.tasks.createTask(new, in: queue, at: now)
    }
    try await fixture.emulator.advance(by: .seconds(1))
    let delivery = try #require(fixture.received.first?.delivery)
    #expect(delivery.url == "http://127.0.0.1:9/work?x=1")
    #expect(delivery.headers["X-AppEngine-QueueName"] == "q" && delivery.headers["X-CloudTasks-QueueName"] == nil)
    #expect(delivery.headers["Content-Type"] == "application/octet-stream")
    let bare = Fixture()
    try bare.makeQueue()
    let refusal = fault {
      try bare.emulator.withState { state, now in
        _ = try state.tasks.createTask(.init(target: .appEngine(.init())), in: queue, at: now)
      }
    }
    #expect(refusal?.code == .failedPrecondition)
  }
}
