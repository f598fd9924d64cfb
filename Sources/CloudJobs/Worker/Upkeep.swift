import CloudJobsCore

/// What a worker does now and then besides executing: takes up edited documents, and purges what is kept no longer.
struct Upkeep: Sendable {
  private let reconcileInterval: Duration
  private let housekeeping: Duration
  private var nextReconcile = Timestamp.distantPast
  private var nextHousekeeping = Timestamp.distantPast

  init(reconcileInterval: Duration, housekeeping: Duration) {
    self.reconcileInterval = reconcileInterval
    self.housekeeping = housekeeping
  }

  /// Does what is due.
  ///
  /// - Throws: ``StoreError`` `unavailable`.
  mutating func perform(on runtime: JobRuntime) async throws(StoreError) {
    let now = runtime.clock.now()
    guard now >= nextReconcile || now >= nextHousekeeping else { return }
    let documents = try await runtime.reconcileDocuments()
    nextReconcile = now + reconcileInterval
    guard now >= nextHousekeeping else { return }
    await runtime.announce(documents)
    try await runtime.purge(until: now + .seconds(1))
    nextHousekeeping = now + housekeeping
  }
}
