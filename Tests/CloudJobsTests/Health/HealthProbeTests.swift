import CloudJobsCore
import CloudJobsEmulator
import HTTPTypes
import Testing

@testable import CloudJobs

@Suite("Probes of an orchestrator")
struct HealthProbeTests {
  @Test(
    "The answer to a probe",
    arguments: [
      // probe, prepared, draining, readable, exhausted, refusal
      (HealthProbe.live, false, true, false, true, nil),
      (.started, false, false, true, false, .starting), (.started, true, true, false, true, nil),
      (.ready, true, false, true, false, nil), (.ready, false, false, true, false, .starting),
      (.ready, true, true, true, false, .shuttingDown), (.ready, true, false, false, false, .storeUnavailable),
      (.ready, false, false, false, false, .storeUnavailable), (.ready, true, false, true, true, .memoryExhausted),
    ] as [(HealthProbe, Bool, Bool, Bool, Bool, HealthAnswer.Refusal?)])
  func table(
    _ probe: HealthProbe, isPrepared: Bool, isDraining: Bool, isStoreReadable: Bool, isMemoryExhausted: Bool,
    refusal: HealthAnswer.Refusal?
  ) {
    let answer = HealthAnswer(
      to: probe, isPrepared: isPrepared, isDraining: isDraining, isStoreReadable: isStoreReadable,
      isMemoryExhausted: isMemoryExhausted)
    #expect(answer.refusal == refusal)
  }

  @Test("The routes need no credentials, and follow the instance from its start to its end")
  func routes() async throws {
    let fixture = RuntimeFixture(retryOwner: .pass)
    let runtime = JobRuntime(
      try JobRegistry { EndpointJob("job") { _ in .done } }, store: fixture.store, queue: .store,
      authentication: .sharedSecret("a secret of enough length for this"), options: fixture.options())
    func answer(_ probe: String) async throws -> String {
      let request = HTTPRequest(method: .get, scheme: nil, authority: "10.0.0.7", path: "/jobs/health/\(probe)")
      let response = await runtime.handle(request, peer: .address("10.0.0.1"))
      let body = try JSONValue(parsing: response.body)
      return "\(response.head.status.code) \(body["reason"]?.string ?? body["status"]?.string ?? "")"
    }
    #expect(try await answer("live") == "200 ok")
    #expect(try await answer("started") == "503 starting")
    #expect(try await answer("ready") == "503 starting")
    try await runtime.prepare()
    #expect(try await answer("started") == "200 ok")
    #expect(try await answer("ready") == "200 ok")
    fixture.store.isDown = true
    fixture.clock.advance(by: .seconds(6))
    #expect(try await answer("ready") == "503 storeUnavailable")
    #expect(try await answer("live") == "200 ok")
    fixture.store.isDown = false
    fixture.clock.advance(by: .seconds(6))
    #expect(try await answer("ready") == "200 ok", "the store is asked without any other request")
    await runtime.drain(within: .zero)
    #expect(try await answer("ready") == "503 shuttingDown")
    #expect(try await answer("live") == "200 ok")
    #expect(try await answer("else").hasPrefix("404"))
  }

  @Test("A probe from the node's address is answered, where all other routes are for local callers only")
  func remoteProbe() async throws {
    let fixture = RuntimeFixture(retryOwner: .pass)
    let runtime = try await fixture.runtime(queue: .store) { EndpointJob("job") { _ in .done } }
    for (path, status) in [("health/ready", 200), ("health/live", 200), ("health", 403), ("workers", 403)] {
      let request = HTTPRequest(method: .get, scheme: nil, authority: "10.0.0.7", path: "/jobs/\(path)")
      let response = await runtime.handle(request, peer: .address("10.0.0.1"))
      #expect(response.head.status.code == status, "\(path)")
    }
  }
}
