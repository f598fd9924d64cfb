import CloudJobsCore
import Dispatch
import Synchronization
import Testing

@testable import CloudJobs

@Suite("Compute executor")
struct ComputeExecutorTests {
  private final class Count: Sendable {
    let value = Atomic(0)
  }

  @Test("It has as many threads as it may, and the shared pool answers meanwhile")
  func threads() async {
    let executor = ComputeExecutor(threads: 2)
    let started = Count()
    let gate = DispatchSemaphore(value: 0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask(executorPreference: executor) {
          started.value.add(1, ordering: .relaxed)
          gate.wait()
        }
      }
      while started.value.load(ordering: .relaxed) < 2 { await Task.yield() }
      for _ in 0..<1_000 { await Task.yield() }
      #expect(started.value.load(ordering: .relaxed) == 2)
      for _ in 0..<4 { gate.signal() }
    }
    #expect(started.value.load(ordering: .relaxed) == 4)
  }

  @Test("Medium work has threads of its own; what is fast goes before what is slow and has waited longer")
  func latency() async throws {
    let fixture = RuntimeFixture()
    let (effects, gate) = (fixture.effects, DispatchSemaphore(value: 0))
    var options = fixture.options()
    options.computeThreads = 1
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("block") { _ in gate.wait() }.descriptor(JobDescriptor(weight: .medium))
      EndpointJob("slow") { _ in effects.add("slow") }.descriptor(JobDescriptor(weight: .medium, latency: .slow))
      EndpointJob("fast") { _ in effects.add("fast") }.descriptor(JobDescriptor(weight: .medium))
    }
    let compute = runtime.services.lanes.compute
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, job) in ["block", "slow", "fast", "fast"].enumerated() {
        group.addTask(priority: .medium) { try await runtime.run(JobID(job), key: "\(number)") }
        while compute.waiting != number || compute.isIdle { await Task.yield() }
      }
      gate.signal()
      try await group.waitForAll()
    }
    #expect(effects.list == ["fast", "fast", "slow"])
  }
}
