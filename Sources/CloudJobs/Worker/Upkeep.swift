import CloudJobsCore
import Logging

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

  /// Performs what is due; what fails is logged and comes up again later, and holds up no job.
  mutating func perform() async {
    let now = services.steadyClock.now()
    guard now >= nextReconcile || now >= nextHousekeeping else { return }
    let isHousekeeping = now >= nextHousekeeping
    nextReconcile = now + reconcileInterval
    if isHousekeeping { nextHousekeeping = now + min(services.options.housekeeping, Self.pause) }
    do throws(StoreError) {
      let reconciler = DocumentReconciler(services)
      let documents = try await reconciler.reconcile()
      guard isHousekeeping else { return }
      await reconciler.announce(documents)
      let isDone = try await RetentionPurge(services).run(until: now + .seconds(1), documents)
      if isDone { nextHousekeeping = now + services.options.housekeeping }
    } catch {
      nextReconcile = now + min(reconcileInterval, .seconds(1))
      services.logger.warning(
        "The upkeep of the store failed; it is repeated later.", metadata: ["error": "\(error)"])
    }
  }
}
