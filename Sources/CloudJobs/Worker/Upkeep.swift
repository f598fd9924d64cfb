import CloudJobsCore

/// The periodic work of a worker besides executing: it applies edited documents, and purges expired records.
struct Upkeep: Sendable {
  private let services: RuntimeServices
  private let reconcileInterval: Duration
  private var nextReconcile = Timestamp.distantPast
  private var nextHousekeeping = Timestamp.distantPast
  /// The pause before a purge goes on that was not done within its time.
  private static let pause = Duration.seconds(10)

  init(_ options: JobWorker.Options, _ services: RuntimeServices) {
    self.services = services
    reconcileInterval = options.reconcileInterval
  }

  /// Performs what is due.
  ///
  /// - Throws: ``StoreError`` `unavailable`.
  mutating func perform() async throws(StoreError) {
    let now = services.clock.now()
    guard now >= nextReconcile || now >= nextHousekeeping else { return }
    let reconciler = DocumentReconciler(services)
    let documents = try await reconciler.reconcile()
    nextReconcile = now + reconcileInterval
    guard now >= nextHousekeeping else { return }
    await reconciler.announce(documents)
    let isDone = try await RetentionPurge(services).run(until: now + .seconds(1))
    nextHousekeeping = now + (isDone ? services.options.housekeeping : min(services.options.housekeeping, Self.pause))
  }
}
