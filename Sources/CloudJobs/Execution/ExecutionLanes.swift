import CloudJobsCore

/// The executors of one runtime: where the tasks of handlers run.
struct ExecutionLanes: Sendable {
  /// The executor and the priority of a handler's task.
  struct Lane: Sendable {
    /// The executor; nil for Swift's shared pool.
    var executor: (any TaskExecutor)?
    /// The priority; nil for that of the delivery.
    var priority: TaskPriority?
    /// Whether the handler executes on the shared pool.
    var isSharedPool = false
    /// Whether the handler executes in a subprocess.
    var isSubprocess = false
  }

  private let simulated: (any TaskExecutor)?
  /// The executor of medium work.
  let compute: ComputeExecutor
  private let heavy: HeavyPlacement

  init(_ options: RuntimeOptions) {
    simulated = options.executor
    compute = ComputeExecutor(threads: options.computeThreads)
    heavy = options.heavy.placement
  }

  /// Returns the route of a job's attempts.
  func route(of policy: JobPolicy) -> ExecutionRoute {
    ExecutionRoute(policy.effectiveDescriptor, heavy: heavy)
  }

  /// Returns the executor of a job's handlers.
  func lane(of policy: JobPolicy) -> Lane {
    let priority: TaskPriority? = policy.effectiveDescriptor.latency == .slow ? .utility : nil
    if let simulated {
      // A call from outside the simulation must not wait for the simulation's time to move.
      let current = withUnsafeCurrentTask { $0?.unownedTaskExecutor }
      return Lane(executor: current == simulated.asUnownedTaskExecutor() ? simulated : nil, priority: priority)
    }
    return switch route(of: policy) {
    case .sharedPool: Lane(executor: nil, priority: priority, isSharedPool: true)
    // A run for another service is handed over before it is claimed; one that comes here nevertheless is executed.
    case .compute, .otherService: Lane(executor: compute, priority: priority)
    case .subprocess: Lane(executor: nil, priority: priority, isSubprocess: true)
    }
  }
}
