public import CloudJobsCore
public import Logging

/// How a runtime behaves, apart from its jobs.
public struct RuntimeOptions: Sendable {
  /// The name of this instance, under which it holds leases; drawn by chance where it is nil.
  public var owner: String?
  /// Where events and handlers write.
  public var logger = Logger(label: "cloud-jobs")
  /// The clock of this instance; the store's clock decides.
  public var clock: any JobClock = .system
  /// What jitter and names are drawn from.
  public var random: RandomSource = .system
  /// How much longer than an attempt's time limit its lease lasts.
  public var leaseMargin = Duration.seconds(15)
  /// How long after its time a run that nobody delivered is handed to the queue again.
  public var sweepDelay = Duration.seconds(60)
  /// How late a time of a schedule may be served without counting as missed.
  public var misfireGrace = Duration.minutes(5)
  /// What fires the schedules of scheduled jobs; nil means the master pass where the store is the queue, and Cloud
  /// Scheduler otherwise.
  public var scheduleOwner: ScheduleOwner?
  /// How long one master pass may begin new work.
  public var passBudget = Duration.seconds(120)
  /// How many jobs a master pass executes at once.
  public var passConcurrency = 8
  /// How often a pass also looks for lost runs and for edited schedules: in the first pass of each such span.
  public var housekeeping = Duration.minutes(5)
  /// How long entries of the pass journal are kept.
  public var journalRetention = Duration.days(30)
  /// How often, and how long in all, a call to the store is tried.
  public var storeRetry = StoreRetry()
  /// Called by each housekeeping with the documents that it has read; a failure is logged, and the pass goes on.
  ///
  /// A sync with Cloud Scheduler stands here, so that a schedule edited in a document gets there without a deployment.
  public var onHousekeeping: (@Sendable (JobDocuments) async throws(JobError) -> Void)?
  /// How many deliveries may execute at once; more are answered 429.
  public var maxConcurrentDeliveries = 1_000

  /// The standard options.
  public init() {}
}

/// How often, and how long in all, a call to the store is tried.
public struct StoreRetry: Hashable, Sendable {
  /// The tries in all.
  public var tries = 3
  /// The delay before the second try; it doubles from then on, less up to half by chance.
  public var delay = Duration.milliseconds(100)
  /// After this long no further try begins: a store that keeps each try waiting, such as a locked file, would keep the
  /// caller waiting for all of them.
  public var limit = Duration.seconds(5)

  /// How long it is tried to commit the end of an attempt, and to find out what became of a commit whose answer was
  /// lost: giving up early there wastes work that is done, or leaves a lease to run out.
  public var persistence = Duration.seconds(20)

  /// Three tries, and twenty seconds where work is at stake.
  public init() {}
}
