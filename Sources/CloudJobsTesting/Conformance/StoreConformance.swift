public import CloudJobs
public import CloudJobsCore

/// What every store must do, as cases that any test framework can run.
///
/// ```swift
/// @Test("The memory store conforms", arguments: StoreConformance.cases(offering: [.importing, .purging]))
/// func conforms(_ testCase: StoreConformance.Case) async throws {
///   try await testCase.run(harness)
/// }
/// ```
///
/// A type is a ``/CloudJobs/JobStore`` when it passes all the cases whose powers its harness offers.
public enum StoreConformance {
  /// Something that only some stores or harnesses can do.
  public enum Power: String, Hashable, Sendable, CaseIterable {
    /// Write and read a job's document in its stored form, readable or not: ``Harness/importJob`` and
    /// ``Harness/exportJob``.
    case importing
    /// Open the same data a second time, as another process would: ``Harness/reopen``.
    case reopening
    /// Delete what has expired: the store is a ``/CloudJobs/PurgingStore``.
    case purging
    /// Tell when work comes due: the store is a ``/CloudJobs/DueTimeStore``.
    case dueTimes
    /// Claim many due runs in one call: the store is a ``/CloudJobs/ClaimingStore``.
    case claiming
    /// Count runs without reading them: the store is a ``/CloudJobs/RunCountingStore``.
    case counting
  }

  /// How the suite gets at a store.
  public struct Harness: Sendable {
    /// Makes an empty store that takes its time from a clock.
    public var makeStore: @Sendable (_ clock: any JobClock) async throws -> any JobStore
    /// Puts a document in its stored form.
    public var importJob: (@Sendable (_ store: any JobStore, _ id: String, _ fields: JSONValue) async throws -> Void)?
    /// Reads a document in its stored form.
    public var exportJob: (@Sendable (_ store: any JobStore, _ id: String) async throws -> JSONValue?)?
    /// Opens a store's data a second time; the first stays open.
    public var reopen: (@Sendable (_ store: any JobStore, _ clock: any JobClock) async throws -> any JobStore)?

    /// A harness; only ``makeStore`` is needed.
    public init(
      makeStore: @escaping @Sendable (_ clock: any JobClock) async throws -> any JobStore,
      importJob: (@Sendable (_ store: any JobStore, _ id: String, _ fields: JSONValue) async throws -> Void)? = nil,
      exportJob: (@Sendable (_ store: any JobStore, _ id: String) async throws -> JSONValue?)? = nil,
      reopen: (@Sendable (_ store: any JobStore, _ clock: any JobClock) async throws -> any JobStore)? = nil
    ) {
      self.makeStore = makeStore
      self.importJob = importJob
      self.exportJob = exportJob
      self.reopen = reopen
    }
  }

  /// One thing that a store must do.
  public struct Case: Sendable, CustomStringConvertible {
    /// What the store must do, as a sentence.
    public let name: String
    /// What it takes beside a store.
    public let powers: Set<Power>
    /// Tries it on a fresh store; throws ``ConformanceFailure`` where the store does something else.
    public let run: @Sendable (Harness) async throws -> Void
    /// The name.
    public var description: String { name }

    init(
      _ name: String, needs powers: Set<Power> = [],
      _ body: @escaping @Sendable (ConformanceFixture) async throws -> Void
    ) {
      self.name = name
      self.powers = powers
      run = { harness in try await body(try await ConformanceFixture(harness)) }
    }
  }

  /// All cases.
  public static let cases: [Case] =
    preconditionCases + atomicityCases + versionCases + fenceCases + documentCases + importCases + runCases
    + payloadCases + dueCases + wakingCases + jobListCases + runListCases + journalCases + timeCases + limitCases
    + concurrencyCases + purgeCases + dueTimeCases + ledgerCases + claimCases + countCases

  /// The cases that take no powers other than these.
  public static func cases(offering powers: Set<Power>) -> [Case] {
    cases.filter { $0.powers.isSubset(of: powers) }
  }
}
