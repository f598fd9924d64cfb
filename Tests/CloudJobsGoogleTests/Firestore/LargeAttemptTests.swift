#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import Logging
import Synchronization
import Testing

@testable import CloudJobsGoogle

/// A document of Firestore has 1 MiB at most.
///
/// Source: <https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields>.
@Suite("What an attempt leaves, on Firestore")
struct LargeAttemptTests {
  private static let large = String(repeating: "x", count: 700_000)

  private let store = EmulatedFirestore(clock: .system).store()

  private func runtime(@JobRegistryBuilder _ jobs: () -> [any JobHandler]) throws -> JobRuntime {
    JobRuntime(
      try JobRegistry(jobs), store: store, queue: NoQueue(), authentication: .trustLoopback, options: RuntimeOptions())
  }

  private func run(_ id: RunID?) async throws -> Run {
    let id = try #require(id)
    return try #require(try await store.read(jobs: [], runs: [id]).runs[id]).run.get()
  }

  @Test("A result that makes the run too large ends the run as a failure, and the handler is called once")
  func result() async throws {
    let calls = Mutex(0)
    let runtime = try runtime {
      EndpointJob("echo", input: String.self, output: String.self) { text, context in
        calls.withLock { $0 += 1 }
        context.logger.info("It was called.")
        return .done(text)
      }
    }
    let result = try await runtime.run("echo", Self.large)
    #expect(result.status == .deadLettered)
    let run = try await run(result.runID)
    #expect((run.status, run.failure?.kind, run.output) == (.failed, "storeRejected", nil))
    #expect(run.failure?.message.contains("1,048,576 bytes") == true, "\(run.failure?.message ?? "")")
    #expect(calls.withLock { $0 } == 1)
    let lines = try await store.log(of: run.id, after: nil, limit: 10).flatMap(\.lines)
    #expect(lines.map(\.level) == ["error"])
  }

  @Test("A checkpoint that makes the run too large is refused, and what follows is stored")
  func checkpoint() async throws {
    let codes = Mutex<[JobError.Code]>([])
    let runtime = try runtime {
      EndpointJob("import", input: String.self) { text, context in
        try await context.checkpoint("first")
        do throws(JobError) {
          try await context.checkpoint(text)
        } catch {
          codes.withLock { $0.append(error.code) }
        }
        let kept = try context.checkpoint(as: String.self)
        try await context.checkpoint("after \(kept ?? "none")")
        throw JobFailure.permanent("stop")
      }
    }
    let run = try await run(try await runtime.run("import", Self.large).runID)
    #expect(codes.withLock { $0 } == [.storeRejected])
    #expect(run.checkpoint?.description == "\"after first\"")
    #expect(run.failure?.message == "stop")
  }

  @Test("A log of any size is stored with the end of an attempt, in entries that a document can hold")
  func log() async throws {
    let line = String(repeating: "𝄞", count: 5_000)
    let runtime = try runtime {
      EndpointJob("chat") { context in
        for number in 0..<300 { context.logger.info("\(line)", metadata: ["text": "\(line)", "number": "\(number)"]) }
        return .done
      }
    }
    let result = try await runtime.run("chat")
    #expect(result.status == .succeeded)
    let run = try await run(result.runID)
    let entries = try await store.log(of: run.id, after: nil, limit: 500)
    let lines = entries.flatMap(\.lines)
    #expect(entries.count > 1)
    #expect(lines.first?.message.contains("came too fast") == true, "\(lines.first?.message ?? "")")
    #expect(lines.last?.metadata["number"] == "299")
  }

  @Test("More children than a commit can hold end the run as a failure, and none is recorded")
  func children() async throws {
    let part = String(repeating: "y", count: 100_000)
    let runtime = try runtime {
      EndpointJob("child", input: String.self) { _, _ in .done }
      EndpointJob("parent") { context in
        for _ in 0..<200 { try context.afterCommit(EnqueueRequest("child", part)) }
        return .done
      }
    }
    let run = try await run(try await runtime.run("parent").runID)
    #expect((run.status, run.failure?.kind) == (.failed, "storeRejected"))
    #expect(try await store.runs(matching: RunFilter(job: "child"), after: nil, limit: 10).records.isEmpty)
  }
}
#endif
