public import CloudJobsCore

/// The result of enqueuing many runs in one call.
public struct BulkEnqueueSummary: Hashable, Sendable {
  /// The number of requests.
  public var requested = 0
  /// The number of runs that the call created; for the others, a run with the same key or unique key exists.
  public var created = 0

  /// Creates the summary of no requests.
  public init() {}
}

/// The limits of enqueuing many runs.
private enum BulkEnqueue {
  /// The number of commits under way at once: one is prepared while another is written.
  static let concurrency = 2
}

extension JobClient {
  /// Enqueues any number of runs, as they are made: no more than some thousand of them are in memory at a time.
  ///
  /// They are recorded 500 at a time, or fewer if they have unique keys or prerequisites, each part all or none, and
  /// start in no particular order. If a part can't be recorded, the call ends with the error, and other parts stay
  /// recorded: with a key in each request, the same call can be repeated and creates what is missing.
  ///
  /// ```swift
  /// let users = 1...100_000
  /// try await runtime.enqueue(contentsOf: users.lazy.map { EnqueueRequest(Newsletter(user: $0), key: "news-\($0)") })
  /// ```
  ///
  /// - Parameter requests: the runs to enqueue.
  /// - Returns: the number of requests, and of the runs that were created.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/enqueue(_:)`` does; the message tells how many requests are
  ///   recorded at least.
  @discardableResult
  public func enqueue(contentsOf requests: some Sequence<EnqueueRequest>) async throws(JobError) -> BulkEnqueueSummary {
    var iterator = requests.makeIterator()
    return try await enqueueParts { () throws(JobError) in iterator.next() }
  }

  /// Enqueues any number of runs, as an asynchronous sequence makes them; otherwise like ``enqueue(contentsOf:)``.
  ///
  /// - Parameter requests: the runs to enqueue, such as the rows of a query.
  /// - Returns: the number of requests, and of the runs that were created.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(contentsOf:)`` does; `invalidInput` if the sequence throws.
  @discardableResult
  public func enqueue<Requests: AsyncSequence>(
    contentsOf requests: Requests
  ) async throws(JobError) -> BulkEnqueueSummary where Requests.Element == EnqueueRequest {
    var iterator = requests.makeAsyncIterator()
    return try await enqueueParts { () async throws(JobError) in
      do {
        return try await iterator.next(isolation: #isolation)
      } catch {
        throw JobError(.invalidInput, "The sequence of requests failed: \(error)")
      }
    }
  }

  /// Enqueues what a function returns until it returns nil.
  private func enqueueParts(
    _ next: () async throws(JobError) -> EnqueueRequest?
  ) async throws(JobError) -> BulkEnqueueSummary {
    var summary = BulkEnqueueSummary()
    var failure: JobError?
    await withTaskGroup(of: Result<[EnqueuedRun], JobError>.self) { group in
      func take(_ result: Result<[EnqueuedRun], JobError>) {
        do throws(JobError) {
          let runs = try result.get()
          summary.requested += runs.count
          summary.created += runs.count { $0.isNew }
        } catch {
          failure = failure ?? error
        }
      }
      var underWay = 0
      do throws(JobError) {
        while failure == nil {
          let part = try await Self.part(of: next)
          if part.isEmpty { break }
          if underWay == BulkEnqueue.concurrency, let result = await group.next() {
            take(result)
            underWay -= 1
          }
          if failure != nil { break }
          underWay += 1
          group.addTask {
            await Result(awaiting: { () async throws(JobError) in try await enqueue(part) })
          }
        }
      } catch {
        failure = failure ?? error
      }
      for await result in group { take(result) }
    }
    guard let failure else { return summary }
    throw JobError(
      failure.code, "\(failure.message) At least \(summary.requested) requests are recorded.", field: failure.field,
      nativeCode: failure.nativeCode)
  }

  /// Returns the next requests, as many as are recorded together; none at the end.
  private static func part(
    of next: () async throws(JobError) -> EnqueueRequest?
  ) async throws(JobError) -> [EnqueueRequest] {
    var part: [EnqueueRequest] = []
    while part.count < StoreLimits.batch, let request = try await next() { part.append(request) }
    return part
  }
}
