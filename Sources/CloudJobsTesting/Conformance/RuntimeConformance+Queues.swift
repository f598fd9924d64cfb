import CloudJobs
import CloudJobsCore
import Logging
import Synchronization

extension RuntimeConformance {
  static let queueCases: [Case] = [
    Case("Of runs that wait for a limit, those of a higher priority start first") { fixture in
      let seen = Mutex([String]())
      let local = try await fixture.simulate {
        EndpointJob("work", input: String.self) { name, context in
          seen.withLock { $0.append(name) }
          try await context.clock.sleep(for: .milliseconds(1_900))
        }.maxConcurrent(1)
      }
      try await local.runtime.enqueue("work", "first")
      try await local.advance(by: .seconds(1))
      for (name, priority) in [("low", -1), ("normal", 0), ("high", 5), ("higher", 6), ("normal too", 0)] {
        var request = EnqueueRequest("work", name)
        request.priority = priority
        try await local.runtime.enqueue([request])
        try await local.advance(by: .milliseconds(10))
      }
      try await local.advance(by: .seconds(14))
      try ConformanceFailure.expect(
        seen.withLock { $0 }, ["first", "higher", "high", "normal", "normal too", "low"], "the order")
    },
    Case("Queues take turns by their weights, and in each the higher priority comes first") { fixture in
      let served = try await fixture.served(.standard, queues: ["low", nil, "critical"], priorities: [0, 3])
      try ConformanceFailure.expect(
        served.prefix(10).map { $0.prefix(1) }.sorted(),
        ["c", "c", "c", "c", "c", "c", "d", "d", "d", "l"], "the queues of the first ten turns")
      for queue in ["critical", "default", "low"] {
        let priorities = served.filter { $0.hasPrefix(queue) }.map { $0.hasSuffix("3") }
        try ConformanceFailure.expect(
          priorities, Array(repeating: true, count: 6) + Array(repeating: false, count: 6),
          "whether the runs of \(queue) have the higher priority")
      }
    },
    Case("In a strict order a queue is served when those before it are empty") { fixture in
      let order = QueueOrder.strict(["critical", "default"])
      let served = try await fixture.served(order, queues: ["low", nil, "critical"], priorities: [0])
      try ConformanceFailure.expect(
        served,
        Array(repeating: "critical 0", count: 6) + Array(repeating: "default 0", count: 6)
          + Array(repeating: "low 0", count: 6), "the order")
    },
    Case("A drain executes what is due with its children and retries, and leaves what is not") { fixture in
      let seen = Mutex([String]())
      let runtime = try await fixture.runtime {
        EndpointJob("parent") { context in
          seen.withLock { $0.append("parent") }
          for number in 0..<3 { try await context.enqueue("child", number) }
        }
        EndpointJob("child", input: Int.self) { number, context in
          seen.withLock { $0.append("child \(number) \(context.attempt)") }
          if number == 1, context.attempt == 1 { throw JobFailure.failed("once") }
          return .done
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.zero), jitter: .none))
      }
      try await runtime.enqueue("parent")
      try await runtime.enqueue("parent", after: .minutes(5))
      fixture.clock.advance(by: .seconds(1))
      let summary = await runtime.drainQueues()
      try ConformanceFailure.expect(summary.error, nil, "the error")
      try ConformanceFailure.expect(summary.isComplete, true, "whether nothing is due any more")
      try ConformanceFailure.expect(summary.started, 5, "the attempts")
      try ConformanceFailure.expect(
        seen.withLock { $0 }.sorted(), ["child 0 1", "child 1 1", "child 1 2", "child 2 1", "parent"], "the attempts")
      let idle = await runtime.drainQueues()
      try ConformanceFailure.expect((idle.started, idle.isComplete) == (0, true), true, "a second drain does nothing")
    },
  ]
}

extension RuntimeConformanceFixture {
  /// Makes a runtime over the store, which is its queue.
  fileprivate func runtime(@JobRegistryBuilder _ jobs: () -> [any JobHandler]) async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.clock = clock
    options.logger = Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
    return try await JobRuntime.prepared(
      try JobRegistry(jobs), store: store, queue: .store, authentication: .trustLoopback, options: options)
  }

  /// Enqueues six runs for each queue and priority, and returns the order in which a master pass serves them.
  fileprivate func served(
    _ order: QueueOrder, queues: [String?], priorities: [Int]
  ) async throws -> [String] {
    let seen = Mutex([String]())
    var options = RuntimeOptions()
    options.clock = clock
    options.passConcurrency = 1
    options.queueOrder = order
    options.logger = Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
    let registry = try JobRegistry {
      EndpointJob("work", input: String.self) { name, _ in seen.withLock { $0.append(name) } }
    }
    let runtime = try await JobRuntime.prepared(
      registry, store: store, queue: .store, authentication: .trustLoopback, options: options)
    var requests: [EnqueueRequest] = []
    for priority in priorities {
      for queue in queues {
        for _ in 0..<6 {
          var request = EnqueueRequest("work", "\(queue ?? "default") \(priority)")
          (request.queue, request.priority) = (queue, priority)
          requests.append(request)
        }
      }
    }
    try await runtime.enqueue(requests)
    clock.advance(by: .seconds(1))
    _ = await runtime.runMasterPass()
    return seen.withLock { $0 }
  }
}
