#if HTTP
public import CloudJobs
public import CloudJobsCore

/// A store in Cloud Firestore, over its REST face.
///
/// A job's document and a run are documents of the collections ``FirestoreConfiguration/jobs`` and
/// ``FirestoreConfiguration/runs``, with the fields of the core's documents; times are timestamps, days and payloads
/// are strings. The store's time is the service's: the read times and commit times of its answers. A document's
/// version is its `updateTime` in microseconds, which Firestore never gives twice to one document; a write that
/// changes nothing leaves it as it is.
///
/// A write under a fencing token demands that the run has not changed since this store wrote or read the token; where
/// it has, the token is read again. So it takes no locks, leaves no transactions open, and a finish by the process
/// that has claimed costs no read.
///
/// What Firestore can't keep is refused as `invalid`: a document of more than 1 MiB, a list directly in a list, names
/// of the form `__…__`, more than 20 levels (<https://firebase.google.com/docs/firestore/quotas>). A job whose
/// `state.nextRun` is text or a number is not listed as due, as the index orders values by their types; a runtime's
/// start, or its next housekeeping, makes it a timestamp. The lists of runs by a filter need the composite indexes of
/// `infra/firestore.indexes.json`.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest>.
public final class FirestoreStore: PurgingStore {
  let configuration: FirestoreConfiguration
  let client: FirestoreClient
  let time = FirestoreTime()
  let fences = FirestoreFences()
  private let clock: any JobClock
  private let random: RandomSource

  /// A store.
  ///
  /// - Parameters:
  ///   - configuration: which database and collections.
  ///   - google: how Firestore is reached; its clock measures the delays between tries under contention, and nothing
  ///     else.
  public init(_ configuration: FirestoreConfiguration, in google: GoogleCloud) {
    self.configuration = configuration
    client = FirestoreClient(
      configuration: configuration, exchange: google.client, access: google.firestore, clock: google.clock)
    clock = google.clock
    random = google.random
  }

  /// Makes all the changes, or none.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try StoreLimits.check(writes)
    if writes.isEmpty { return try await now() }
    return try await Uncancelled.run { () async throws(StoreError) in try await self.apply(writes) }
  }

  /// The delays between tries under contention.
  var contentionDelays: RetryDelays {
    RetryDelays(first: configuration.contentionDelay, longest: .milliseconds(500))
  }

  /// Waits before a try under contention.
  func pause(_ delays: inout RetryDelays) async {
    let delay = random.draw { delays.next(random: &$0) }
    try? await clock.sleep(until: clock.now() + delay)
  }
}

extension JobStore where Self == FirestoreStore {
  /// A store in Cloud Firestore.
  ///
  /// - Parameters:
  ///   - google: how Firestore is reached, and the project.
  ///   - database: the database's id.
  /// - Returns: the store.
  public static func firestore(_ google: GoogleCloud, database: String = "(default)") -> FirestoreStore {
    FirestoreStore(FirestoreConfiguration(project: google.project, database: database), in: google)
  }
}
#endif
