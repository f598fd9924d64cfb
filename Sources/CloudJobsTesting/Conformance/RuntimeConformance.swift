public import CloudJobs
public import CloudJobsCore
import CloudJobsEmulator
import Logging
import Synchronization

/// The behaviors that a runtime owes its users on every store, as cases in virtual time.
///
/// ```swift
/// @Test("The runtime conforms on the memory store", arguments: RuntimeConformance.cases)
/// func conforms(_ testCase: RuntimeConformance.Case) async throws {
///   try await testCase.run { MemoryStore(clock: $0) }
/// }
/// ```
public enum RuntimeConformance {
  /// One behavior.
  public struct Case: Sendable, CustomStringConvertible {
    /// The behavior as a sentence.
    public let name: String
    private let body: @Sendable (RuntimeConformanceFixture) async throws -> Void
    /// The name.
    public var description: String { name }

    init(_ name: String, _ body: @escaping @Sendable (RuntimeConformanceFixture) async throws -> Void) {
      self.name = name
      self.body = body
    }

    /// Runs the case on a fresh store.
    ///
    /// - Parameter makeStore: creates an empty store over a clock.
    /// - Throws: ``ConformanceFailure`` if the runtime behaves otherwise.
    public func run(_ makeStore: (_ clock: any JobClock) async throws -> any JobStore) async throws {
      let clock = VirtualClock(start: RuntimeConformanceFixture.start)
      try await body(RuntimeConformanceFixture(clock: clock, store: try await makeStore(clock)))
    }
  }

  /// All cases.
  public static let cases: [Case] =
    breakerCases + retryCases + outcomeCases + managementCases + orderCases + contextCases + limitCases
    + uniquenessCases + middlewareCases + payloadCases + inputCases + queueCases + misfireCases + gateCases
    + overlapCases
}

/// An empty store with its clock, and a handler whose failures a case controls.
struct RuntimeConformanceFixture: Sendable {
  let clock: VirtualClock
  let store: any JobStore
  let handler = ControlledHandler()
  /// The time at which a case begins: 2026-01-01T00:00:00Z.
  static let start = Timestamp(seconds: 1_767_225_600)

  var start: Timestamp { Self.start }

  /// Returns the runtime of a registry, in a simulation that begins at a full minute.
  func simulate(
    _ configure: (inout RuntimeOptions) -> Void = { _ in }, @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) async throws -> SimulatedRuntime {
    var options = RuntimeOptions()
    configure(&options)
    options.logger = Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
    return try await JobRuntime.simulated(try JobRegistry(jobs), store: store, clock: clock, options: options)
  }
}

extension SimulatedRuntime {
  /// Returns a run that exists.
  func run(_ id: RunID) async throws -> Run {
    try ConformanceFailure.unwrap(try await runtime.run(withID: id), "the run \(id)")
  }

  /// Returns the only run of a job.
  func onlyRun(of job: JobID) async throws -> Run {
    let runs = await runs(of: job)
    try ConformanceFailure.expect(runs.count, 1, "the number of runs of \(job)")
    return runs[0]
  }
}

/// A handler that records the times of its attempts, and fails while it is told to.
final class ControlledHandler: Sendable {
  private struct State {
    var isFailing = false
    var attempts: [(run: RunID, time: Timestamp)] = []
  }

  private let state = Mutex(State())

  var isFailing: Bool {
    get { state.withLock { $0.isFailing } }
    set { state.withLock { $0.isFailing = newValue } }
  }

  /// The number of attempts.
  var count: Int { state.withLock { $0.attempts.count } }

  /// The runs that were attempted, in their order.
  var runs: [RunID] { state.withLock { $0.attempts.map(\.run) } }

  /// Returns the times of the attempts as whole seconds since a time.
  func seconds(since start: Timestamp) -> [Int64] {
    state.withLock { $0.attempts.map { ($0.time - start).components.seconds } }
  }

  /// Executes an attempt.
  func callAsFunction(_ context: JobContext, at time: Timestamp) throws {
    let fails = state.withLock { state in
      state.attempts.append((context.runID, time))
      return state.isFailing
    }
    if fails { throw JobFailure.failed("The handler was told to fail.") }
  }
}
