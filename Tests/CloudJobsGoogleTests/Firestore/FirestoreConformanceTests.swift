#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Logging
import Synchronization
import Testing

@testable import CloudJobsGoogle

@Suite("Firestore store, with the indexes of its file")
struct FirestoreConformanceTests {
  /// The conformance cases that Firestore can't pass, with the reasons.
  private static let exceptions: [String: String] = [
    "What two openings write, both see, with versions and times that grow":
      "commit times increase strictly, so two commits never have one time, whatever a clock says",
    "Payloads of a mebibyte come back byte for byte": "a document has 1 MiB at most",
    "Ids of any form are listed by their bytes; those that name no job are failures":
      "a document's id is neither empty nor has a slash",
    "A document that is no object is a failure, and a patch makes it one": "a document is a map of fields",
    "A document with dates of other forms is read and due": "an index orders values of different types apart",
  ]

  private static let cases = StoreConformance.cases(offering: [.importing, .reopening, .purging, .counting])

  @Test("conforms", arguments: cases.filter { exceptions[$0.name] == nil })
  func conforms(_ testCase: StoreConformance.Case) async throws {
    let shared = SharedService()
    let harness = StoreConformance.Harness(
      makeStore: { clock in try shared.make(clock).store() },
      importJob: { _, id, fields in try await shared.get().importJob(id, fields) },
      exportJob: { _, id in try await shared.get().exportJob(id) },
      reopen: { _, _ in try shared.get().store() })
    try await testCase.run(harness)
  }

  @Test("The runtime conforms on it", arguments: RuntimeConformance.cases)
  func runtimeConforms(_ testCase: RuntimeConformance.Case) async throws {
    try await testCase.run { clock in try SharedService().make(clock).store() }
  }

  @Test("Collections have the names of the configuration, and stores with other names know nothing of each other")
  func collections() async throws {
    let service = EmulatedFirestore(clock: SystemClock())
    var configuration = EmulatedFirestore.configuration
    (configuration.jobs, configuration.runs, configuration.journal) = (
      "billing_jobs", "billing_runs", "billing_journal"
    )
    (configuration.logs, configuration.ledgers) = ("billing_logs", "billing_ledgers")
    let (billing, plain) = (FirestoreStore(configuration, in: .at(service, SystemClock())), service.store())
    let runtime = JobRuntime(
      try JobRegistry {
        EndpointJob("job") { context in context.logger.notice("It runs.") }.maxConcurrent(1)
        PeriodicJob("poll", every: .seconds(60)) { _ in }
      }, store: billing, queue: NoQueue(), authentication: .trustLoopback)
    try await runtime.prepare()
    let result = try await runtime.run("job")
    #expect(result.status == .succeeded)
    let id = try #require(result.runID)
    #expect(try await billing.log(of: id, after: nil, limit: 9).count == 1)
    #expect(try await billing.jobs(after: nil, limit: 9).records.contains { $0.id == "poll" })
    #expect(try await plain.jobs(after: nil, limit: 9).records.isEmpty)
    #expect(try await plain.runs(matching: RunFilter(), after: nil, limit: 9).records.isEmpty)
    #expect(try await plain.log(of: id, after: nil, limit: 9).isEmpty)
  }

  @Test("The exceptions are cases of the suite")
  func exceptionsExist() {
    #expect(Set(Self.exceptions.keys).isSubset(of: Set(Self.cases.map(\.name))))
    #expect(Self.cases.count - Self.exceptions.count >= 168)
  }

  /// The service behind the stores of one case.
  private final class SharedService: Sendable {
    private let service = Mutex<EmulatedFirestore?>(nil)

    func make(_ clock: any JobClock) throws -> EmulatedFirestore {
      let made = EmulatedFirestore(clock: clock, indexes: try IndexFile.shipped())
      service.withLock { $0 = made }
      return made
    }

    func get() throws -> EmulatedFirestore {
      try #require(service.withLock { $0 })
    }
  }
}
#endif
