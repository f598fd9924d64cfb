#if HTTP
import CloudJobsHTTP
import Foundation
import HTTPTypes
import TestSupport
import Testing

extension LiveSuite {
  @Suite("HTTP client: cancellation and shutdown")
  struct CancellationTests {
    let server: LocalServer

    init() throws { server = try LocalServer() }

    @Test(
      "cancelling the task returns within 100 ms and aborts the transfer", arguments: ["/hang", "/drip", "/endless"])
    func promptness(path: String) async throws {
      var options = CurlHTTPClient.Options()
      options.maxResponseBytes = .max
      let client = CurlHTTPClient(options)
      var fastest = Duration.seconds(60)
      // A loaded machine may delay one attempt; a client that waited for the peer or for its poll would delay all.
      for attempt in 1...10 where fastest >= .milliseconds(100) {
        fastest = min(fastest, try await timeOfCancellation(client, url: server.bad + path, attempt: attempt))
      }
      #expect(fastest < .milliseconds(100))
      // The client is kept alive during the wait, because its release would close the connection too.
      try await server.wait("the transfer is aborted") { $0.rawOpen == 0 }
      await client.shutDown()
    }

    @Test("A scoped client works in its scope and is always shut down")
    func scope() async throws {
      struct Fault: Error {}
      let url = server.good + "/echo"
      let client = try await withCurlHTTPClient { client in
        let response = try await client.send(HTTPExchangeRequest(url: url))
        #expect(response.status == 200)
        return client
      }
      #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .shutDown)
      var kept: CurlHTTPClient?
      await #expect(throws: Fault.self) {
        try await withCurlHTTPClient { client in
          kept = client
          throw Fault()
        }
      }
      #expect(await kept?.failure(of: HTTPExchangeRequest(url: url)) == .shutDown)
    }

    private func timeOfCancellation(_ client: CurlHTTPClient, url: String, attempt: Int) async throws -> Duration {
      try await withThrowingTaskGroup(of: HTTPExchangeError.Code?.self) { group in
        group.addTask { await client.failure(of: HTTPExchangeRequest(url: url, timeout: .seconds(60))) }
        try await server.wait("the request arrives") { $0.rawRequests == attempt }
        let start = ContinuousClock.now
        group.cancelAll()
        #expect(try await group.next() == .cancelled)
        return ContinuousClock.now - start
      }
    }

    @Test("an already cancelled task sends nothing")
    func cancelledBefore() async throws {
      let client = CurlHTTPClient()
      let url = server.bad + "/hang"
      await withTaskGroup(of: HTTPExchangeError.Code?.self) { group in
        group.cancelAll()
        group.addTask { await client.failure(of: HTTPExchangeRequest(url: url)) }
        for await ending in group { #expect(ending == .cancelled) }
      }
      #expect(try await server.counts().rawRequests == 0)
    }

    @Test(
      "1,000 requests cancelled at random points: every call returns once, and the client stays usable",
      arguments: [4, 64])
    func storm(connections: Int) async throws {
      var options = CurlHTTPClient.Options()
      options.maxConnectionsPerHost = connections
      let client = CurlHTTPClient(options)
      let url = server.good + "/sleep/2"
      var endings: [HTTPExchangeError.Code?: Int] = [:]
      var generator = SeededGenerator(seed: UInt64(connections))
      await withTaskGroup(of: HTTPExchangeError.Code?.self) { group in
        for index in 0..<1000 {
          let delay = Duration.microseconds(Int.random(in: 0..<60_000, using: &generator))
          let request = HTTPExchangeRequest(method: .post, url: url, body: Array("\(index)".utf8))
          group.addTask {
            await withTaskGroup(of: HTTPExchangeError.Code?.self) { pair in
              pair.addTask { await client.failure(of: request) }
              try? await Task.sleep(for: delay)
              pair.cancelAll()
              return await pair.next() ?? nil
            }
          }
        }
        for await ending in group { endings[ending, default: 0] += 1 }
      }
      #expect(endings.values.reduce(0, +) == 1000)
      #expect(Set(endings.keys).isSubset(of: [nil, .cancelled]))
      #expect(endings[.cancelled, default: 0] > 0)
      for _ in 0..<10 { #expect(try await client.send(HTTPExchangeRequest(url: url)).status == 200) }
      await client.shutDown()
    }

    @Test("a shutdown fails active and waiting requests, and all later ones")
    func shutDown() async throws {
      var options = CurlHTTPClient.Options()
      options.maxConnectionsPerHost = 2
      let client = CurlHTTPClient(options)
      let url = server.bad + "/hang"
      try await withThrowingTaskGroup(of: HTTPExchangeError.Code?.self) { group in
        for _ in 0..<5 { group.addTask { await client.failure(of: HTTPExchangeRequest(url: url)) } }
        try await server.wait("two requests are under way") { $0.rawRequests == 2 }
        await client.shutDown()
        for try await ending in group { #expect(ending == .shutDown) }
      }
      #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .shutDown)
      await client.shutDown()
      try await server.wait("the connections are closed") { $0.rawOpen == 0 }
    }

    @Test("several callers may shut down concurrently, even a new client")
    func shutDownTwice() async {
      for _ in 0..<50 {
        let client = CurlHTTPClient()
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<4 { group.addTask { await client.shutDown() } }
        }
        #expect(await client.failure(of: HTTPExchangeRequest(url: "http://127.0.0.1:1")) == .shutDown)
      }
    }

    #if os(Linux)
    @Test("released and shut down clients leave no file descriptor behind")
    func noLeak() async throws {
      // Other suites run concurrently with their own clients, so only a large surplus is significant.
      let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
      for index in 0..<300 {
        let client = CurlHTTPClient()
        #expect(try await client.send(HTTPExchangeRequest(url: server.good + "/status/200")).status == 200)
        if index % 2 == 0 { await client.shutDown() }
      }
      var after = Int.max
      for _ in 0..<200 where after > before + 150 {
        after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(after <= before + 150)
    }
    #endif
  }
}
#endif
