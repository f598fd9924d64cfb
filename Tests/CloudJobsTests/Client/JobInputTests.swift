import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Foundation
import Synchronization
import Testing

private struct WelcomeEmail: JobInput {
  static let jobID: JobID = "send_welcome_email"
  var userID: String
}

private struct SendInvoice: JobInput, Equatable {
  static let jobID: JobID = "send_invoice"
  struct Output: Codable, Sendable, Equatable {
    var number: Int
  }
  var id: Int
}

@Suite("Jobs by their input types")
struct JobInputTests {
  private let fixture = RuntimeFixture()

  private func runtime(_ body: @escaping @Sendable (SendInvoice, JobContext) async throws -> SendInvoice.Output)
    async throws -> JobRuntime
  {
    let effects = fixture.effects
    return try await fixture.runtime {
      EndpointJob(WelcomeEmail.self) { email, _ in effects.add(email.userID) }
      EndpointJob(SendInvoice.self, body)
    }
  }

  @Test("An input is enqueued for its job: at once, after a delay, at a time, at a date, and once per key")
  func enqueue() async throws {
    let runtime = try await runtime { input, _ in .init(number: input.id) }
    let start = RuntimeFixture.start
    let now = try await runtime.enqueue(WelcomeEmail(userID: "now"))
    let later = try await runtime.enqueue(WelcomeEmail(userID: "later"), after: .seconds(300), key: "welcome")
    let again = try await runtime.enqueue(WelcomeEmail(userID: "later"), after: .seconds(300), key: "welcome")
    let timed = try await runtime.enqueue(WelcomeEmail(userID: "timed"), at: start + .seconds(60))
    let dated = try await runtime.enqueue(WelcomeEmail(userID: "dated"), at: (start + .seconds(60)).date)
    #expect((later.isNew, again.isNew, later.id == again.id) == (true, false, true))
    #expect(try await fixture.run(now.id).status == .pending)
    #expect(try await fixture.run(later.id).notBefore == start + .seconds(300))
    for run in [timed, dated] { #expect(try await fixture.run(run.id).notBefore == start + .seconds(60)) }
    await fixture.deliverDue(to: runtime)
    #expect(fixture.effects.list == ["now"])
    fixture.clock.advance(by: .seconds(60))
    await fixture.deliverDue(to: runtime)
    #expect(Set(fixture.effects.list) == ["now", "timed", "dated"])
  }

  @Test("Running an input returns the handler's result, and the stored one for a key that has succeeded")
  func run() async throws {
    let count = Mutex(0)
    let runtime = try await runtime { input, _ in
      count.withLock { $0 += 1 }
      return .init(number: input.id * 10)
    }
    #expect(try await runtime.run(SendInvoice(id: 7)) == .init(number: 70))
    for _ in 0..<2 { #expect(try await runtime.run(SendInvoice(id: 8), key: "eight") == .init(number: 80)) }
    #expect(count.withLock { $0 } == 2)
    try await runtime.run(WelcomeEmail(userID: "42"))
    #expect(fixture.effects.list == ["42"])
  }

  @Test(
    "Running an input that does not succeed throws the reason",
    arguments: [
      ("fail", JobError.Code.handlerFailed), ("die", .handlerFailed), ("disabled", .cancelled),
      ("unregistered", .unknownJob),
    ])
  func failures(kind: String, code: JobError.Code) async throws {
    let runtime = try await fixture.runtime {
      EndpointJob(WelcomeEmail.self) { email, _ in
        if email.userID == "fail" { throw JobFailure.failed("busy") }
        throw JobFailure.permanent("gone")
      }
      .enabled(kind != "disabled")
    }
    let error = await #expect(throws: JobError.self) {
      if kind == "unregistered" {
        _ = try await runtime.run(SendInvoice(id: 1))
      } else {
        try await runtime.run(WelcomeEmail(userID: kind))
      }
    }
    #expect(error?.code == code)
    if kind == "fail" { #expect(error?.message.contains("The run continues at") == true) }
  }

  @Test("A batch keeps the order of its inputs, runs no more at once than allowed, and goes on after an error")
  func batch() async throws {
    let active = Mutex((now: 0, most: 0))
    let runtime = try await runtime { input, _ in
      active.withLock { state in
        state.now += 1
        state.most = max(state.most, state.now)
      }
      for _ in 0..<20 { await Task.yield() }
      active.withLock { $0.now -= 1 }
      if input.id == 3 { throw JobFailure.permanent("three") }
      return .init(number: input.id)
    }
    let results = await runtime.runBatch((0..<20).map { SendInvoice(id: $0) }, concurrency: 4)
    #expect(results.map { try? $0.get().number } == (0..<20).map { $0 == 3 ? nil : $0 })
    #expect((2...4).contains(active.withLock { $0.most }))
  }

  @Test("A batch that stops on errors begins no further run, and says which did not begin")
  func stopOnError() async throws {
    let begun = Mutex<Set<Int>>([])
    let runtime = try await runtime { input, _ in
      _ = begun.withLock { $0.insert(input.id) }
      throw JobFailure.permanent("no")
    }
    let results = await runtime.runBatch((0..<10).map { SendInvoice(id: $0) }, concurrency: 2, stopOnError: true)
    let codes = results.map { result -> JobError.Code? in
      if case .failure(let error) = result { error.code } else { nil }
    }
    let count = begun.withLock { $0.count }
    #expect((1...3).contains(count))
    #expect(codes.count { $0 == .handlerFailed } == count && codes.count { $0 == .cancelled } == 10 - count)
  }

  @Test("A handler enqueues and runs other jobs by the same calls, as children of its run")
  func context() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob(SendInvoice.self) { input, _ in SendInvoice.Output(number: input.id) }
      EndpointJob(WelcomeEmail.self) { _, _ in }
      EndpointJob("parent") { context in
        let receipt = try await context.run(SendInvoice(id: 5))
        try await context.enqueue(WelcomeEmail(userID: "\(receipt.number)"), after: .seconds(1), key: "child")
      }
    }
    let parent = try await runtime.run("parent")
    let child = try await fixture.run(RunID(job: WelcomeEmail.jobID, occurrence: .key("child")))
    #expect((child.parent, child.correlationID) == (parent.runID, parent.runID?.rawValue))
    #expect(child.input == JSONText(["userID": "5"]))
  }

  @Test("Dates outside the range of timestamps become the nearest one")
  func dates() {
    #expect(Timestamp(Date(timeIntervalSince1970: 1.5)) == .epoch + .milliseconds(1_500))
    #expect(Timestamp(Date(timeIntervalSince1970: .infinity)) == Timestamp(microseconds: .max))
    #expect(Timestamp(Date(timeIntervalSince1970: -1e300)) == Timestamp(microseconds: .min))
    #expect((Timestamp.epoch + .seconds(7)).date == Date(timeIntervalSince1970: 7))
  }
}
