#if Server
import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsServer

@Suite("Long computations of pages")
struct LongComputationTests {
  private final class Gate: Sendable {
    let isOpen = Atomic(false)
  }

  @Test("Few run at once, some wait for them, further ones are refused, and a place that is free again is taken")
  func limits() async throws {
    let gate = Gate()
    let computations = LongComputation(limit: 1, waitingLimit: 2)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<3 {
        group.addTask {
          try await computations.run {
            while !gate.isOpen.load(ordering: .acquiring) {}
            return number
          }
        }
      }
      while computations.waiting < 2 { await Task.yield() }
      let refusal = await #expect(throws: JobError.self) { try await computations.run { 3 } }
      #expect(refusal?.code == .overloaded)
      gate.isOpen.store(true, ordering: .releasing)
      var numbers: Set<Int> = []
      for try await number in group { numbers.insert(number) }
      #expect(numbers == [0, 1, 2])
    }
    #expect(try await computations.run { 7 } == 7)
  }
}
#endif
