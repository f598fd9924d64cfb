#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: HTTP/2")
  struct HTTP2Tests {
    let server = TLSServer.shared
    let client: HTTPClient

    init() {
      var options = HTTPClientOptions()
      options.certificateAuthorityFile = server.authorityFile
      client = HTTPClient(options)
    }

    private struct Answer {
      let connection: Int
      let request: Int
      let bodySize: Int

      init(_ response: HTTPClientResponse) throws {
        #expect(response.status == 200)
        let numbers = String(decoding: response.body, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        try #require(numbers.count == 3)
        (connection, request, bodySize) = (numbers[0], numbers[1], numbers[2])
      }
    }

    private func post(to port: Int, size: Int = 1, isIdempotent: Bool? = nil) -> HTTPClientRequest {
      HTTPClientRequest(
        method: .post, url: "https://127.0.0.1:\(port)/", body: [UInt8](repeating: 0x78, count: size),
        isIdempotent: isIdempotent)
    }

    @Test("requests that begin at once share one connection, and bodies of a mebibyte come whole")
    func shared() async throws {
      let (client, request) = (client, post(to: server.gatheringPort))
      let answers = try await withThrowingTaskGroup(of: HTTPClientResponse.self) { group in
        for _ in 0..<20 { group.addTask { try await client.send(request) } }
        return try await group.reduce(into: []) { $0.append($1) }.map(Answer.init)
      }
      #expect(Set(answers.map(\.connection)) == [1])
      #expect(answers.map(\.request).sorted() == Array(1...20))
      let large = try Answer(await client.send(post(to: server.gatheringPort, size: 1 << 20)))
      #expect(large.connection == 1 && large.bodySize == 1 << 20)
    }

    private func expectLoss(at port: Int) async {
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(post(to: port)) }
      #expect(error?.code == .connectionClosed && error?.requestWasNotSent == false)
    }

    @Test("a refused request comes again where that means the same, and nowhere else")
    func refused() async throws {
      let port = server.refusingPort
      #expect(try Answer(await client.send(post(to: port, isIdempotent: true))).request == 2)
      await expectLoss(at: port)
      #expect(try Answer(await client.send(post(to: port))).request == 4)
    }

    @Test("a server that goes away ends the request, and the next one takes a connection of its own")
    func goingAway() async throws {
      await expectLoss(at: server.leavingPort)
      let next = try Answer(await client.send(post(to: server.leavingPort)))
      #expect(next.connection == 2 && next.request == 2)
    }

    @Test("a stream that is reset fails alone", arguments: [nil, true])
    func reset(isIdempotent: Bool?) async throws {
      let request = post(to: server.resettingPort, isIdempotent: isIdempotent)
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
      #expect(error?.requestWasNotSent == false, "\(String(describing: error))")
      #expect(try Answer(await client.send(request)).bodySize == 1)
    }
  }
}
#endif
