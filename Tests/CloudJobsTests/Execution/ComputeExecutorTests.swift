import CloudJobsCore
import Dispatch
import Synchronization
import Testing

@testable import CloudJobs

@Suite("Compute executor")
struct ComputeExecutorTests {
  @Test("It has as many threads as it may, and the shared pool answers meanwhile")
  func threads() async {
    let executor = ComputeExecutor(threads: 2)
    let started = Atomic(0)
    let gate = DispatchSemaphore(value: 0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask(executorPreference: executor) {
          started.add(1, ordering: .relaxed)
          gate.wait()
        }
      }
      while started.load(ordering: .relaxed) < 2 { await Task.yield() }
      for _ in 0..<1_000 { await Task.yield() }
      #expect(started.load(ordering: .relaxed) == 2)
      for _ in 0..<4 { gate.signal() }
    }
    #expect(started.load(ordering: .relaxed) == 4)
  }

  @Test("Fast work goes before slow work that has waited longer")
  func priority() async {
    let executor = ComputeExecutor(threads: 1)
    let order = Mutex<[String]>([])
    let gate = DispatchSemaphore(value: 0)
    await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: executor) { gate.wait() }
      for name in ["slow 1", "slow 2", "fast 1", "fast 2"] {
        group.addTask(executorPreference: executor, priority: name.hasPrefix("slow") ? .utility : .medium) {
          order.withLock { $0.append(name) }
        }
      }
      gate.signal()
    }
    #expect(order.withLock { $0 }.filter { $0.hasPrefix("fast") } == ["fast 1", "fast 2"])
    #expect(order.withLock { $0 }.last == "slow 2")
  }
}
