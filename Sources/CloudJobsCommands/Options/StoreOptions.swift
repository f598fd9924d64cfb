import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsStores
import Logging
import ProgramConsole

/// The option that names a store.
struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "sqlite:FILE, postgres://… or firestore://PROJECT/DATABASE; the variable CLOUD_JOBS_STORE if it is left out."),
    completion: .list(["sqlite:", "postgres://", "firestore://"]))
  var store: String?

  /// Returns the options with the store of the program's settings, if none is named otherwise.
  func falling(back store: String?) -> StoreOptions {
    var options = self
    options.store = self.store ?? Terminal.current.store ?? store
    return options
  }

  /// The address of the store.
  func address() throws(JobError) -> StoreAddress {
    guard let text = store ?? Terminal.current.store ?? JobCommand.program?.store else {
      throw JobError(
        .invalidField, "Name the store: --store sqlite:jobs.db, or set CLOUD_JOBS_STORE.", field: "--store")
    }
    return try StoreAddress(text)
  }

  /// Opens the store under a runtime with the program's jobs.
  ///
  /// - Parameters:
  ///   - creates: whether a store that is not there is created, and an older one migrated.
  ///   - queue: the queue that delivers runs.
  ///   - options: the options of the runtime; nil for those of the program, of whose log only errors are shown.
  /// - Returns: the runtime.
  /// - Throws: ``JobError`` `notFound` for a file that is not there, or the error of the store.
  func runtime(
    creates: Bool = false, queue: any TaskQueue = .store, options: RuntimeOptions? = nil
  ) async throws(JobError) -> JobRuntime {
    let store = try await open(creates: creates)
    let registry: JobRegistry
    if let own = JobCommand.registry { registry = own } else { registry = try .empty() }
    var options = options ?? Self.quietOptions
    // A service over Firestore has Cloud Tasks and Cloud Scheduler beside it.
    if case .firestore = try address().kind, options.scheduleOwner == nil { options.scheduleOwner = .cloudScheduler }
    return JobRuntime(registry, store: store, queue: queue, authentication: .trustLoopback, options: options)
  }

  /// Opens the store.
  ///
  /// - Parameter creates: whether a store that is not there is created, and an older one migrated.
  /// - Returns: the store.
  /// - Throws: ``JobError`` as ``runtime(creates:queue:options:)`` does.
  func open(creates: Bool = false) async throws(JobError) -> any JobStore {
    let address = try address()
    if case .sqlite(let path) = address.kind, !creates, !FileCheck.hasContent(path) {
      throw JobError(
        .notFound,
        "There is no store at \(address). Check the path, or create it: cloud-jobs migrate --store \(address).",
        field: "--store")
    }
    if case .memory = address.kind {
      throw JobError(
        .invalidField, "A store in memory ends with its process. Name a file or a database.", field: "--store")
    }
    return try await address.open(migratesSchema: creates)
  }

  /// The program's options, with a log of errors on standard error.
  private static var quietOptions: RuntimeOptions {
    var options = JobCommand.program?.options ?? RuntimeOptions()
    options.logger = Logger(label: "cloud-jobs") { StreamLogHandler.standardError(label: $0) }
    options.logger.logLevel = .error
    return options
  }
}

extension JobRegistry {
  fileprivate static func empty() throws(JobError) -> JobRegistry {
    do throws(RegistryError) {
      return try JobRegistry {}
    } catch {
      throw JobError(.invalidRegistry, error.description)
    }
  }
}
