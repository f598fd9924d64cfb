public import CloudJobsCore
public import HTTPTypes

/// A job runtime: it processes deliveries, executes jobs under leases, and commits their results before it answers.
///
/// It holds no state that a restart would lose, and any number of instances may share a store. A runtime does no I/O
/// until it is used; its lifetime is the `run()` of a server or a worker:
///
/// ```swift
/// let runtime = JobRuntime(jobs, store: try .sqlite(path: "jobs.db"), authentication: .trustLoopback)
/// try await JobServer(runtime).run()
/// ```
public final class JobRuntime: JobClient {
  /// The authentication of the HTTP handler's callers.
  public let authentication: Authentication
  let services: RuntimeServices

  /// Creates a runtime over a store and a queue.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - store: the store of documents and runs.
  ///   - queue: the queue that delivers runs; by default the store itself, from which a worker takes them.
  ///   - authentication: the authentication of the HTTP handler's callers.
  ///   - options: the runtime's options.
  public init(
    _ registry: JobRegistry, store: any JobStore, queue: any TaskQueue = .store, authentication: Authentication,
    options: RuntimeOptions = RuntimeOptions()
  ) {
    self.authentication = authentication
    services = RuntimeServices(registry, store, queue, options)
  }

  /// The store.
  public var store: any JobStore { services.store }
  /// The queue.
  public var queue: any TaskQueue { services.queue }
  /// The options.
  public var options: RuntimeOptions { services.options }
  /// The clock of this instance.
  public var clock: any JobClock { services.clock }
  /// The events of this instance, as they happen.
  public var events: JobEvents { services.events }
  /// The metrics of this instance, which `GET metrics` shows; a backend for swift-metrics.
  public var metrics: MetricRegistry { services.metrics.registry }
}

// MARK: - Lifetime

extension JobRuntime {
  /// Reads the documents of the registered jobs, and completes them so that the first pass finds the jobs.
  ///
  /// Servers and workers call it at their start, and a master pass in an instance that has not called it. Repeated
  /// calls are harmless.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func prepare() async throws(JobError) {
    do throws(StoreError) {
      _ = try await DocumentReconciler(services).reconcile()
    } catch {
      throw JobError(error)
    }
  }

  /// Stops admitting work, waits for attempts under way, and cancels the handlers that exceed the limit.
  ///
  /// A handler that ends within a second after its cancellation has its result committed: a value that it returns
  /// counts, and an error that it throws because of the cancellation does not count as a failure; its run is released
  /// and uses up no retry. The lease of a handler that ignores its cancellation is kept until it expires: no other
  /// instance may execute the run while it may still have effects.
  ///
  /// - Parameter limit: the time to wait before handlers are cancelled.
  /// - Returns: the number of attempts that are still under way.
  @discardableResult
  public func drain(within limit: Duration = .seconds(7)) async -> Int {
    await drain(within: limit, by: clock)
  }

  /// Drains by a clock that may differ from the runtime's.
  package func drain(within limit: Duration, by clock: any JobClock) async -> Int {
    await Drain(services).run(within: limit, by: clock)
  }

  /// Watches the shared pool of threads while an operation runs, and calls a function before it exits the process.
  package func watch<Failure: Error>(
    beforeExit: (@Sendable () -> Void)? = nil, during operation: () async throws(Failure) -> Void
  ) async throws(Failure) {
    try await services.watchdog.watch(services, beforeExit: beforeExit, during: operation)
  }

  /// Waits until the instance must drain because its memory is almost used up, or until the task is cancelled.
  package func memoryExhaustion() async {
    await services.memory.exhausted.wait()
  }

  /// Cancels all handlers and admits no more work, without committing anything: for a simulated crash.
  package func cancelHandlers() {
    services.active.startDraining()
    services.active.cancelHandlers()
    services.events.finish()
  }

  /// Returns a run with its input and output decrypted.
  ///
  /// - Parameter run: the run as stored.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` of the payload codec.
  package func opened(_ run: Run) throws(JobError) -> Run {
    var opened = run
    opened.input = try services.payloads.opened(run.input, job: run.job, run: run.id, "input")
    opened.output = try services.payloads.opened(run.output, job: run.job, run: run.id, "output")
    return opened
  }

  /// Releases the leases of the attempts that are still under way, for a process that ends right afterwards.
  ///
  /// - Returns: whether every run that was under way is released or ended, so that none waits for a lease to expire.
  package func releaseLeases() async -> Bool {
    await Drain(services).releaseLeases()
  }
}

// MARK: - Triggers

extension JobRuntime {
  /// Processes an HTTP request: authenticates, decodes, plans, runs the handler, and answers.
  ///
  /// Routes under the mount path: `POST trigger`, `POST scheduled/{jobId}`, `POST master`, `POST drain`, `GET jobs`,
  /// `GET jobs/{jobId}`, `PATCH jobs/{jobId}`, `GET jobs/{jobId}/why`, `GET runs`, `GET runs/{runId}`,
  /// `GET runs/{runId}/why`, `GET workers`, `GET metrics`, `GET health`, `GET health/live`,
  /// `GET health/ready`, `GET health/started`.
  ///
  /// | status | meaning |
  /// | --- | --- |
  /// | 200 | done, duplicate, skipped, snoozed, retried by the runtime, or dead-lettered: durably |
  /// | 400 | the envelope is malformed |
  /// | 401, 403 | the caller is not trusted |
  /// | 404, 405 | no such job or route; the wrong method |
  /// | 409 | another attempt holds the lease |
  /// | 413 | too large |
  /// | 429 | overloaded, or before the run's time: deliver again after `Retry-After` |
  /// | 500 | the handler failed, and the caller owns the retry |
  /// | 503 | the store or the queue is unavailable, the instance shuts down, or the handler ignores its cancellation |
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - body: the whole body; more than 1 MiB is refused.
  ///   - peer: the other end of the connection, for ``Authentication/trustLoopback``.
  ///   - mountPath: the path under which the handler is mounted.
  /// - Returns: the response; errors are `{"error":{"code":…,"message":…,"field":…}}`.
  public func handle(
    _ request: HTTPRequest, body: [UInt8] = [], peer: Peer = .unknown, at mountPath: String = "/jobs"
  ) async -> HandlerResponse {
    await handle(request, peer: peer, at: mountPath) { _ in body }
  }

  /// Processes an HTTP request whose body has not been received yet; otherwise like ``handle(_:body:peer:at:)``.
  ///
  /// The body of a request that is refused for its route, its method or its caller is never received.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - peer: the other end of the connection, for ``Authentication/trustLoopback``.
  ///   - mountPath: the path under which the handler is mounted.
  ///   - collectBody: receives the whole body, at most `limit` bytes of it; called at most once. It throws
  ///     ``/CloudJobsCore/JobError`` `tooLarge` for a longer one and `malformedEnvelope` for one that broke off.
  /// - Returns: the response; errors are `{"error":{"code":…,"message":…,"field":…}}`.
  public func handle(
    _ request: HTTPRequest, peer: Peer = .unknown, at mountPath: String = "/jobs",
    collectBody: (_ limit: Int) async throws(JobError) -> [UInt8]
  ) async -> HandlerResponse {
    await HTTPHandler(services, authentication, mountPath: mountPath).handle(request, peer: peer, collectBody)
  }

  /// Processes a request of any HTTP server as plain values.
  ///
  /// - Parameters:
  ///   - body: the whole body.
  ///   - headers: the header fields.
  ///   - path: the path under the mount path: `trigger`, `scheduled/{jobId}` or `master`.
  ///   - peer: the other end of the connection.
  /// - Returns: the HTTP status and a body of JSON.
  public func handleRequest(
    body: [UInt8], headers: [String: String] = [:], path: String = "trigger", peer: Peer = .unknown
  ) async -> (status: Int, body: [UInt8]) {
    var fields = HTTPFields()
    for (name, value) in headers {
      if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    let request = HTTPRequest(
      method: .post, scheme: nil, authority: nil, path: "/jobs/" + path, headerFields: fields)
    let response = await handle(request, body: body, peer: peer)
    return (response.head.status.code, response.body)
  }

  /// Processes a delivery: plans, runs the handler, commits the result, and enqueues the next attempt.
  ///
  /// - Parameter delivery: the delivery; one without an occurrence asks for a new run.
  /// - Returns: the result. An error is a result with the status `rejected`.
  public func deliver(_ delivery: Delivery) async -> DeliveryResult {
    await DeliveryProcessor(services).process(delivery)
  }

  /// Executes one master pass: runs the jobs that are due, oldest first, and at times recovers lost runs.
  ///
  /// Any number of passes may run at once: each job is claimed by a conditional write. If nothing is due, a pass costs
  /// one query.
  public func runMasterPass() async -> PassSummary {
    await MasterPass(services).run()
  }

  /// Executes what is due, and what comes due on the way, until nothing is due any more or the budget is used up: for
  /// platforms whose only trigger is a timer.
  ///
  /// The jobs that are due, delayed runs and retries are executed as a worker would, within ``RuntimeOptions/drain``;
  /// edited documents are applied, and expired records purged. A handler that is under way at the end of the budget is
  /// cancelled: that counts as no failure, and the next drain continues the run, from its checkpoint if it has one. Any
  /// number of drains may run at once.
  ///
  /// - Returns: what was done.
  public func drainQueues() async -> QueueDrainSummary {
    await QueueDrain(services).run()
  }

  /// Recovers the runs of a process that has died: releases its leases, and enqueues every waiting run again.
  ///
  /// Nothing is lost without it: leases expire, and the sweep finds waiting runs. It is for a program that knows that
  /// no other instance is alive, such as one with an exclusive lock on its embedded store. Runs whose documents are
  /// invalid are left alone, and their number is logged as an error.
  ///
  /// - Returns: the number of recovered runs.
  /// - Throws: ``StoreError`` `unavailable`.
  @discardableResult
  public func takeOver() async throws(StoreError) -> Int {
    try await RunSweeper(services).takeOver()
  }
}

// MARK: - Enqueue and run

extension JobRuntime {
  /// Enqueues runs.
  ///
  /// - Parameter requests: the runs to enqueue. Up to 500 are recorded together, all or none; more are recorded in
  ///   turn.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/enqueue(_:)`` does.
  @discardableResult
  public func enqueue(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun] {
    try await RunEnqueuer(services).enqueue(requests)
  }

  /// Runs a job here and now, past every gate but `enabled`, and waits for the end of the first attempt.
  ///
  /// - Parameter request: the job, its input and its key; a later start is ignored.
  /// - Returns: the result of the first attempt; later attempts follow the job's policy.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/run(_:)`` does.
  @discardableResult
  public func run(_ request: EnqueueRequest) async throws(JobError) -> DeliveryResult {
    if !request.isRecorded { return try await UnrecordedRun(services).execute(request) }
    return await deliver(try request.delivery(services))
  }
}
