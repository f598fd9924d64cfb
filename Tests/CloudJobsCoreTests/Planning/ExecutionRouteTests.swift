import CloudJobsCore
import Testing

@Suite("Descriptors and routes")
struct ExecutionRouteTests {
  @Test(
    "The descriptor and the placement of heavy work decide the route",
    arguments: [
      (.light, .here, .sharedPool), (.light, .subprocess, .sharedPool), (.light, .otherService, .sharedPool),
      (.medium, .here, .compute), (.medium, .subprocess, .compute), (.medium, .otherService, .compute),
      (.heavy, .here, .compute), (.heavy, .subprocess, .subprocess), (.heavy, .otherService, .otherService),
    ] as [(JobDescriptor.Weight, HeavyPlacement, ExecutionRoute)])
  func routes(weight: JobDescriptor.Weight, heavy: HeavyPlacement, route: ExecutionRoute) {
    for latency in JobDescriptor.Latency.allCases {
      for isRetryable in [false, true] {
        let descriptor = JobDescriptor(weight: weight, latency: latency, isRetryable: isRetryable)
        #expect(ExecutionRoute(descriptor, heavy: heavy) == route)
      }
    }
  }

  @Test("An empty descriptor means light, fast and not retryable, and metadata says the same")
  func empty() throws {
    let fields: JSONValue = ["weight": "light", "latency": "fast", "retryable": false]
    #expect(JobDescriptor().fields == fields)
    #expect(try JobDescriptor(fields: .object([:])) == JobDescriptor())
    let heavy = JobDescriptor(weight: .heavy, latency: .slow, isRetryable: true)
    #expect(try JobDescriptor(fields: heavy.fields) == heavy)
    #expect(throws: JobError.self) { try JobDescriptor(fields: ["weight": "huge"]) }
  }

  private func policy(
    _ descriptor: JobDescriptor?, _ change: (inout JobConfiguration) -> Void = { _ in }
  ) -> JobPolicy {
    var policy = JobPolicy()
    policy.descriptor = descriptor
    var configuration = JobConfiguration()
    change(&configuration)
    return policy.overridden(by: configuration)
  }

  @Test("A job without a descriptor is light and fast, and keeps its retries")
  func none() {
    #expect(policy(nil).descriptor == nil)
    #expect(policy(nil).retry == .standard)
    #expect(policy(nil).effectiveDescriptor == JobDescriptor(isRetryable: true))
  }

  @Test("A job that is not retryable is not retried, whatever its document says")
  func notRetryable() {
    #expect(policy(JobDescriptor()).retry.maxAttempts == 1)
    #expect(policy(JobDescriptor()) { $0.maxRetries = 9 }.retry.maxAttempts == 1)
    #expect(policy(JobDescriptor(isRetryable: true)) { $0.maxRetries = 9 }.retry.maxAttempts == 10)
  }

  @Test("A document may change the weight alone")
  func weight() throws {
    let medium = JobDescriptor(weight: .medium, isRetryable: true)
    #expect(policy(nil) { $0.weight = .medium }.effectiveDescriptor == medium)
    #expect(policy(nil) { $0.weight = .medium }.retry == .standard)
    let slow = JobDescriptor(latency: .slow)
    #expect(policy(slow) { $0.weight = .heavy }.descriptor == JobDescriptor(weight: .heavy, latency: .slow))
    #expect(try JobConfiguration(fields: ["weight": "heavy"]).fields == ["weight": "heavy"])
    #expect(throws: JobError.self) { try JobConfiguration(fields: ["weight": "huge"]) }
  }
}
