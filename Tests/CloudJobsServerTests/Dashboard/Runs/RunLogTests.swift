#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import CloudJobsHTTP
import CloudJobsPages
import HTTPTypes
import ServiceLifecycle
import Testing

@testable import CloudJobsServer

@Suite("Logs of runs")
struct RunLogTests {
  private func entry(_ run: Run, attempt: Int, _ number: Int, _ texts: [String]) -> Write {
    .putLog(
      RunLogEntry(
        run: run.id, sequence: RunLogEntry.sequence(attempt: attempt, number: number),
        lines: texts.map { RunLogLine(time: run.createdAt, level: "info", message: $0) },
        expireAt: run.createdAt + .hours(1_000)))
  }

  @Test("A place in a log is read from its text", arguments: [("5.0", true), ("-1.0", true), ("1048577.199", true)])
  func place(text: String, isValid: Bool) throws {
    #expect(LogPosition(text)?.text == text)
  }

  @Test(
    "Another text is no place in a log",
    arguments: ["", "1", "1.", ".1", "1.-1", "-2.0", "a.b", "1.2.3", "1.99999999999999999999"])
  func noPlace(text: String) { #expect(LogPosition(text) == nil) }

  @Test("The page of a run has the latest lines, and links lead to all earlier ones")
  func window() async throws {
    let fixture = try await RunPagesFixture()
    var run = fixture.run("a", .failed)
    run.attempt = 3
    try await fixture.put([run])
    var (texts, writes) = ([String](), [Write]())
    for attempt in 1...3 {
      for number in 1...4 {
        let lines = (0..<100).map { "line \(attempt)/\(number)/\($0)." }
        texts += lines
        writes.append(entry(run, attempt: attempt, number, lines))
      }
    }
    _ = try await fixture.memory.commit(writes)
    var (target, shown) = ("/runs/\(run.id)", [String]())
    while true {
      let page = try await fixture.get(target).text
      let lines = page.split(separator: "<span class=\"text\">").dropFirst().map { String($0.prefix { $0 != "<" }) }
      #expect(lines.count <= 500)
      shown = lines + shown
      guard let link = page.split(separator: "href=\"/dashboard").first(where: { $0.contains("lines?before=") }) else {
        break
      }
      target = String(link.prefix { $0 != "\"" })
    }
    #expect(shown == texts)
    #expect(try await fixture.get("/runs/\(run.id)/lines?before=x").status == 400)
    // A place behind the end shows the end.
    let end = try await fixture.get("/runs/\(run.id)/lines?before=9223372036854775807.9")
    #expect(end.status == 200 && end.text.contains("line 3/4/99."))
  }

  /// Returns the events of a stream up to its end, or to a number of them.
  private func events(
    _ fixture: RunPagesFixture, _ target: String, lastEventID: String? = nil, limit: Int = .max
  ) async throws -> [String] {
    let reply = await fixture.reply(to: .get, target, lastEventID: lastEventID)
    guard case .events(let stream) = reply else { throw JobError(.internalError, "There is no stream.") }
    var text = ""
    for await bytes in stream {
      text += String(decoding: bytes, as: UTF8.self)
      if text.split(separator: "\n\n").count >= limit { break }
    }
    return text.split(separator: "\n\n").map(String.init)
  }

  @Test("A stream has the lines after a place, each with its own, and ends with the run")
  func stream() async throws {
    let fixture = try await RunPagesFixture()
    let run = fixture.run("a", .succeeded)
    try await fixture.put([run])
    _ = try await fixture.memory.commit([
      entry(run, attempt: 1, 1, ["one", "two\nid: 9.9\n\nevent: end"]), entry(run, attempt: 1, 2, ["three"]),
    ])
    let sequence = RunLogEntry.sequence(attempt: 1, number: 1)
    let all = try await events(fixture, "/runs/\(run.id)/log")
    #expect(all.count == 5)
    #expect(all[0] == "retry: 3000" && all[4] == "event: end\ndata: {}")
    #expect(all[1].hasPrefix("id: \(sequence).0\nevent: line\ndata: {\"level\":\"info\",\"text\":\"one\""))
    #expect(all[2].hasPrefix("id: \(sequence).1\n") && all[2].split(separator: "\n").count == 3)
    #expect(all[3].hasPrefix("id: \(sequence + 1).0\n"))
    // Neither a gap nor a duplicate, wherever the connection was lost.
    for (number, event) in all[1...3].enumerated() {
      let place = String(event.dropFirst(4).prefix { $0 != "\n" })
      let rest = try await events(fixture, "/runs/\(run.id)/log?after=-1.0", lastEventID: place)
      #expect(Array(rest.dropFirst()) == Array(all.dropFirst(number + 2)))
      #expect(try await events(fixture, "/runs/\(run.id)/log?after=\(place)") == rest)
    }
    guard case .page(let page) = await fixture.reply(to: .get, "/runs/\(run.id)/log?after=1") else {
      Issue.record("An invalid place got a stream.")
      return
    }
    #expect(page.status == .badRequest)
  }

  @Test("A stream of a run under way follows its log, tells that it lives, and ends after its last line")
  func follow() async throws {
    let fixture = try await RunPagesFixture()
    var run = fixture.run("a", .pending)
    try await fixture.put([run])
    guard case .events(let stream) = await fixture.reply(to: .get, "/runs/\(run.id)/log") else {
      Issue.record("There is no stream.")
      return
    }
    var iterator = stream.makeAsyncIterator()
    #expect(Self.text(await iterator.next()) == "retry: 3000\n\n")
    let start = fixture.clock.now()
    #expect(Self.text(await iterator.next()) == ": still there\n\n")
    #expect(fixture.clock.now() - start == .seconds(15))
    _ = try await fixture.memory.commit([entry(run, attempt: 1, 1, ["first"])])
    #expect(Self.text(await iterator.next())?.contains("\"first\"") == true)
    (run.status, run.finishedAt) = (.succeeded, fixture.clock.now())
    _ = try await fixture.memory.commit([.putRun(run, .none), entry(run, attempt: 1, 2, ["last"])])
    #expect(Self.text(await iterator.next())?.contains("\"last\"") == true)
    #expect(Self.text(await iterator.next()) == "event: end\ndata: {}\n\n")
    #expect(await iterator.next() == nil)
  }

  private static func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  @Test("Only so many logs are followed at once, and one that ends makes room")
  func budget() {
    let budget = LogStreamBudget(limit: 2)
    var first = budget.take()
    let second = budget.take()
    #expect(first != nil && second != nil && budget.take() == nil)
    first = nil
    #expect(budget.used == 1)
    withExtendedLifetime((budget.take(), second)) { #expect(budget.used == 2) }
  }

  @Test("A busy process answers a further stream with 429")
  func busy() async throws {
    let fixture = try await RunPagesFixture()
    let run = fixture.run("a")
    try await fixture.put([run])
    var streams: [AsyncStream<[UInt8]>] = []
    for _ in 0..<100 {
      guard case .events(let stream) = await fixture.reply(to: .get, "/runs/\(run.id)/log") else { break }
      streams.append(stream)
    }
    #expect(streams.count == 100)
    guard case .page(let page) = await fixture.reply(to: .get, "/runs/\(run.id)/log") else {
      Issue.record("There are 101 streams.")
      return
    }
    #expect(page.status == .tooManyRequests)
    streams.removeAll()
    guard case .events = await fixture.reply(to: .get, "/runs/\(run.id)/log") else {
      Issue.record("A place was not given back.")
      return
    }
  }
}

@Suite("Logs of runs over HTTP", .serialized)
struct RunLogServerTests {
  /// Runs a server over a store with a run whose log has two lines, and calls a body with its port and its trigger of
  /// a graceful shutdown.
  private func withServer(
    _ status: RunStatus, _ body: (_ port: Int, _ run: Run, _ store: MemoryStore) async throws -> Void
  ) async throws {
    let store = MemoryStore(clock: .system)
    let now = SystemClock().now()
    var run = Run(
      id: RunID(job: "mail", occurrence: .key("a")), job: "mail", trigger: .task, status: status, maxAttempts: 1,
      notBefore: now + .hours(1), createdAt: now)
    if status.isTerminal { (run.startedAt, run.finishedAt, run.attempt) = (now, now, 1) }
    let entry = RunLogEntry(
      run: run.id, sequence: RunLogEntry.sequence(attempt: 1, number: 1),
      lines: ["one", "two"].map { RunLogLine(time: now, level: "info", message: $0) }, expireAt: now + .hours(1))
    _ = try await store.commit([.putRun(run, .none), .putLog(entry)])
    let runtime = JobRuntime(
      try JobRegistry { EndpointJob("mail") { _ in .done } }, store: store, authentication: .trustLoopback)
    var configuration = JobServerConfiguration(port: 0)
    configuration.dashboard = DashboardOptions()
    configuration.worker = nil
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let server = JobServer(runtime, configuration: configuration) { ready.yield($0) }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(services: [.init(service: server)], logger: runtime.options.logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      try await body(port, run, store)
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  private func request(_ run: Run, _ port: Int, header: String = "") -> String {
    "GET /dashboard/runs/\(run.id)/log HTTP/1.1\r\nHost: localhost:\(port)\r\n\(header)Connection: close\r\n\r\n"
  }

  @Test("A stream of an ended run has its log and ends", .timeLimit(.minutes(1)))
  func ended() async throws {
    try await withServer(.succeeded) { port, run, _ in
      let client = CurlHTTPClient()
      let sequence = RunLogEntry.sequence(attempt: 1, number: 1)
      for (header, lines) in [([:], 2), ([HTTPField.Name("Last-Event-ID")!: "\(sequence).0"], 1)] as [(HTTPFields, Int)]
      {
        let response = try await client.send(
          HTTPExchangeRequest(
            method: .get, url: "http://127.0.0.1:\(port)/dashboard/runs/\(run.id)/log", headers: header, body: [],
            timeout: .seconds(20)))
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(response.status == 200 && response.headers[.contentType] == "text/event-stream")
        #expect(text.split(separator: "event: line").count - 1 == lines)
        #expect(text.hasSuffix("event: end\ndata: {}\n\n"))
      }
      await client.shutDown()
    }
  }

  @Test("A stream is open until a graceful shutdown, which ends it", .timeLimit(.minutes(1)))
  func shutdown() async throws {
    var connection: RawConnection?
    try await withServer(.scheduled) { port, run, _ in
      let opened = await RawConnection(port: port)
      await opened.send(request(run, port))
      var text = ""
      while !text.contains("\"two\"") {
        let more = await opened.next()
        if more.isEmpty { break }
        text += more
      }
      #expect(text.contains("200 OK") && text.contains("\"two\"") && !text.contains("event: end"))
      connection = opened
    }
    // The server has returned, so that nothing more can come.
    let rest = await connection?.untilClosed()
    #expect(rest?.isClosed == true && rest?.text.contains("event: end") == false)
  }

  @Test("A browser that leaves gives its place back", .timeLimit(.minutes(1)))
  func leaving() async throws {
    try await withServer(.scheduled) { port, run, store in
      for _ in 0..<120 {
        let connection = await RawConnection(port: port)
        await connection.send(request(run, port))
        // Beyond the limit it is refused until the places of those that left are free.
        let answer = await connection.next()
        if answer.contains("429") { break }
        #expect(answer.contains("200 OK"))
      }
      // A line makes the server find that they have left.
      var number = 2
      while true {
        let now = SystemClock().now()
        let entry = RunLogEntry(
          run: run.id, sequence: RunLogEntry.sequence(attempt: 1, number: number),
          lines: [RunLogLine(time: now, level: "info", message: "more")], expireAt: now + .hours(1))
        _ = try await store.commit([.putLog(entry)])
        number += 1
        let connection = await RawConnection(port: port)
        await connection.send(request(run, port))
        if await connection.next().contains("200 OK") { break }
      }
    }
  }
}
#endif
