/// A thread of its own for requests to Firestore, off the shared pool that makes the deliveries.
actor FirestoreThread {
  private let executor = SerialQueueExecutor(label: "cloud-jobs.firestore")

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Runs a request.
  func run<Result: Sendable, Failure: Error>(
    _ body: @Sendable () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body()
  }
}
