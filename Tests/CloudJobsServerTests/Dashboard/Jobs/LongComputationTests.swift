#if Server
import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsServer

@Suite("Long computations of pages", .serialized)
struct LongComputationTests {
  private final class Gate: Sendable {
    let isOpen = Atomic(false)
  }

  @Test("Few run at once, further ones are refused, and the place of one that ends is free again")
  func limit() async throws {
    let gate = Gate()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<LongComputation.limit {
        group.addTask {
          try await LongComputation.run {
            while !gate.isOpen.load(ordering: .acquiring) {}
            return number
          }
        }
      }
      // The others take their places in their own time.
      var refusal: JobError?
      while refusal == nil {
        do throws(JobError) {
          _ = try await LongComputation.run { 0 }
          await Task.yield()
        } catch {
          refusal = error
        }
      }
      #expect(refusal?.code == .overloaded)
      gate.isOpen.store(true, ordering: .releasing)
      var numbers: Set<Int> = []
      for try await number in group { numbers.insert(number) }
      #expect(numbers == Set(0..<LongComputation.limit))
    }
    #expect(try await LongComputation.run { 7 } == 7)
  }
}
#endif
