public import CloudJobsCore
public import Logging

/// The options of a runtime, apart from its jobs.
public struct RuntimeOptions: Sendable {
  /// The name of this instance, under which it holds leases; random if nil.
  public var owner: String?
  /// The logger of events and handlers.
  public var logger = ProgramLogger.logger("cloud-jobs")
  /// The clock of this instance; decisions are made by the store's clock.
  public var clock: any JobClock = .system
  /// The source of jitter and random names.
  public var random: RandomSource = .system
  /// The time by which a lease outlasts the attempt's time limit.
  public var leaseMargin = Duration.seconds(15)
  /// The delay after a run's time at which the sweep looks for its lost task.
  public var sweepDelay = Duration.seconds(60)
  /// The lateness up to which a scheduled time counts as met and not as missed.
  public var misfireGrace = Duration.minutes(5)
  /// The party that fires the schedules of scheduled jobs; nil means the master pass if the store is the queue, and
  /// Cloud Scheduler otherwise.
  public var scheduleOwner: ScheduleOwner?
  /// The time for which one master pass may begin new work.
  public var passBudget = Duration.seconds(120)
  /// The order in which a worker or a master pass serves the queues of runs that are due together.
  public var queueOrder = QueueOrder.standard
  /// The maximum number of jobs that a master pass executes at once.
  public var passConcurrency = 8
  /// The limits of a drain: ``JobRuntime/drainQueues()``, `POST drain`.
  public var drain = QueueDrainOptions()
  /// The values of jobs' policies that neither code nor documents set.
  public var defaults = JobDefaults()
  /// The interval of housekeeping: the first pass of each interval also recovers lost runs and applies edited
  /// documents.
  public var housekeeping = Duration.minutes(5)
  /// The retention of entries in the pass journal.
  public var journalRetention = Duration.days(30)
  /// The limits of retried calls to the store.
  public var storeRetry = StoreRetry()
  /// A function that each housekeeping calls with the documents that it read; an error is logged, and the pass goes on.
  ///
  /// A sync with Cloud Scheduler belongs here: it takes schedules that are edited in documents to Cloud Scheduler
  /// without a deployment.
  public var onHousekeeping: (@Sendable (JobDocuments) async throws(JobError) -> Void)?
  /// The values that handlers get by ``JobContext/dependency(_:)``.
  public var dependencies = JobDependencies()
  /// The level from which lines of a handler's logger are kept in the run's log; nil keeps none.
  public var runLogLevel: Logger.Level? = .info
  /// The retention of a run's log.
  public var logRetention = Duration.days(7)
  /// The interval at which an attempt under way asks the store for a request to cancel it; each costs one read.
  public var cancellationPoll = Duration.seconds(5)
  /// The time that a handler has to end after it was cancelled at its time limit, before it is left behind.
  public var cancellationGrace = Duration.milliseconds(250)
  /// The limits of the watchdog; nil for no watchdog.
  ///
  /// Only a runtime on the system's clock has one, and while a server or a worker runs.
  public var watchdog: WatchdogLimits? = WatchdogLimits()
  /// The number of threads of the compute executor, on which medium work executes; nil for one per processor.
  public var computeThreads: Int?
  /// The place where heavy work executes.
  public var heavy = HeavyJobs.here
  /// The limits of this process's memory; nil for none.
  ///
  /// Only a runtime on the system's clock keeps to them.
  public var memory: MemoryLimits? = MemoryLimits()
  /// The function that reads the memory in use; nil for the system's reading, if the clock is the system's.
  package var memoryReading: (@Sendable (MemoryLimits) -> MemoryReading?)?
  /// The executor of handlers and timers in a simulation; nil for Swift's own.
  package var executor: (any TaskExecutor)?
  /// The maximum number of deliveries in process; more are answered 429.
  public var maxConcurrentDeliveries = 1_000
  /// The coding of payloads in the store, such as encryption; nil stores them as they are.
  ///
  /// With a codec, all values of a run's input are confidential: they are replaced by `[redacted]` in its stored
  /// failures, in events, and in the lines of its handler's logger, as far as a value has 6 characters or more.
  public var payloadCodec: (any PayloadCodec)?
  /// The names of confidential fields of payloads, at any depth.
  ///
  /// Their values are replaced by `[redacted]` in answers to `GET runs`, in stored failures, in events, and in the
  /// lines of handlers' loggers. The payload itself is stored as it is; ``payloadCodec`` encrypts it.
  public var redactedFields: Set<String> = []
  /// The layers around the handlers of all jobs, the first outermost.
  public var middleware: [any JobMiddleware] = []
  /// The time limit of each hook of a job.
  public var hookTimeout = Duration.seconds(10)

  /// Creates the default options.
  public init() {}

  /// Returns the settings of the runtime's decisions.
  func planSettings(retryOwner: RetryOwner) -> PlanSettings {
    var settings = PlanSettings(
      owner: owner ?? random.token(), retryOwner: retryOwner, sweepDelay: sweepDelay, scheduleOwner: scheduleOwner)
    settings.leaseMargin = leaseMargin
    settings.misfireGrace = misfireGrace
    settings.handsOverHeavyWork = heavy.placement == .otherService
    return settings
  }
}

/// The limits of retried calls to the store.
public struct StoreRetry: Hashable, Sendable {
  /// The maximum number of tries of a call.
  public var tries = 3
  /// The delay before the second try; it doubles from then on, less up to half at random.
  public var delay = Duration.milliseconds(100)
  /// The time after which no further try begins: a store that keeps each try waiting, such as a locked file, would
  /// otherwise keep the caller waiting for all of them.
  public var limit = Duration.seconds(5)
  /// The time for which the commit of an attempt's result is retried, and the query of an unknown outcome: giving up
  /// early would waste work that is done, or leave a lease to expire.
  public var persistence = Duration.seconds(20)

  /// Creates the default limits.
  public init() {}
}
