import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import HTTPTypes
import Synchronization

/// The connection from the emulator's deliveries to the runtime: HTTP requests without a socket.
final class SimulationLink: Sendable {
  private struct Target: Sendable {
    weak var runtime: JobRuntime?
    var life = ProcessLife()
  }

  private static let master = "\(SimulatedRuntime.location)/jobs/\(JobID.master)"

  private let target = Mutex(Target())
  private let faults: SimulatedFaults
  private let calls: CallCounter

  init(faults: SimulatedFaults, calls: CallCounter) {
    self.faults = faults
    self.calls = calls
  }

  func connect(_ runtime: JobRuntime, _ life: ProcessLife) {
    target.withLock { $0 = Target(runtime: runtime, life: life) }
  }

  func deliver(_ delivery: DeliveryRequest) async -> DeliveryOutcome {
    calls.add { $0.note(delivery) }
    let target = target.withLock { $0 }
    guard let runtime = target.runtime else { return .connectionFailed("the runtime no longer exists") }
    let isCounted = delivery.subject != Self.master
    if faults.strikes(.delivery, isCounted: isCounted) {
      return .connectionFailed("the simulation lets the delivery fail")
    }
    let outcome: DeliveryOutcome
    if faults.strikes(.duplicateDelivery, isCounted: isCounted) {
      async let second = send(delivery, to: runtime)
      outcome = await send(delivery, to: runtime)
      _ = await second
    } else {
      outcome = await send(delivery, to: runtime)
    }
    if target.life.hasEnded { return .connectionFailed("the process has ended") }
    if faults.strikes(.lostResponse, isCounted: isCounted) {
      return .connectionFailed("the simulation lets the response get lost")
    }
    return outcome
  }

  private func send(_ delivery: DeliveryRequest, to runtime: JobRuntime) async -> DeliveryOutcome {
    var fields = HTTPFields()
    for header in delivery.headers {
      if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
    }
    let path = delivery.url.dropFirst(SimulationSetup.origin.count)
    let method = HTTPRequest.Method(rawValue: delivery.method.name) ?? .post
    let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: String(path), headerFields: fields)
    let response = await runtime.handle(request, body: delivery.body, peer: .inProcess)
    return .response(
      status: response.head.status.code,
      headers: response.head.headerFields.map { HeaderField($0.name.rawName, $0.value) })
  }
}

/// The emulated Cloud Tasks as a task queue, without a socket.
struct SimulatedQueue: TaskQueue {
  let emulator: SimulatedEmulator
  let faults: SimulatedFaults
  let life: ProcessLife
  let calls: CallCounter

  var retryOwner: RetryOwner { .runtime }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    try check()
    calls.add { $0.queueCalls += tasks.count }
    for task in tasks where !faults.strikes(.lostTask) {
      do throws(ServiceFault) {
        try create(task)
      } catch  where error.code == .alreadyExists {
        continue
      } catch {
        throw JobError(.queueUnavailable, error.message)
      }
    }
  }

  func cancel(_ name: String, in queue: String?) async throws(JobError) {
    if life.hasEnded { throw JobError(.queueUnavailable, "The simulated process has ended.") }
    calls.add { $0.queueCalls += 1 }
    do throws(ServiceFault) {
      try emulator.withState { (state, now) throws(ServiceFault) in
        let queue = try SimulationSetup.queueName(queue)
        try state.tasks.deleteTask(try CloudTasks.TaskName("\(queue)/tasks/\(name)"), at: now)
      }
    } catch {
      guard error.code == .notFound else { throw JobError(.queueUnavailable, error.message) }
    }
  }

  private func check() throws(JobError) {
    if life.hasEnded { throw JobError(.queueUnavailable, "The simulated process has ended.") }
    if faults.strikes(.queue) { throw JobError(.queueUnavailable, "The simulation lets the queue fail.") }
  }

  private func create(_ task: QueuedTask) throws(ServiceFault) {
    try emulator.withState { (state, now) throws(ServiceFault) in
      let queue = try SimulationSetup.queueName(task.queue)
      let target = HTTPTarget(
        url: "\(SimulationSetup.origin)/jobs/trigger", headers: [HeaderField("Content-Type", "application/json")],
        body: task.body.bytes)
      let deadline = CloudSchedulerEntry.deadline(for: task.deadline)
      let new = CloudTasks.NewTask(
        name: "\(queue)/tasks/\(task.name)", target: .http(target), scheduleTime: task.notBefore,
        dispatchDeadline: deadline)
      _ = try state.tasks.createTask(new, in: queue, at: now)
    }
  }
}

/// The calls between the services of a simulation, which a cloud bills.
package struct SimulatedCalls: Hashable, Sendable {
  /// The calls of the queue's API.
  package var queueCalls = 0
  /// The deliveries of tasks.
  package var taskDeliveries = 0
  /// The deliveries of Cloud Scheduler to jobs of their own.
  package var scheduledDeliveries = 0
  /// The deliveries of Cloud Scheduler to the master job.
  package var passes = 0

  /// The HTTP requests to the service.
  package var requests: Int { taskDeliveries + scheduledDeliveries + passes }

  fileprivate mutating func note(_ delivery: DeliveryRequest) {
    if delivery.url.hasSuffix("/jobs/master") {
      passes += 1
    } else if delivery.url.contains("/jobs/scheduled/") {
      scheduledDeliveries += 1
    } else {
      taskDeliveries += 1
    }
  }
}

/// The count of a simulation's calls.
final class CallCounter: Sendable {
  private let state = Mutex(SimulatedCalls())

  var calls: SimulatedCalls { state.withLock { $0 } }

  func add(_ change: (inout SimulatedCalls) -> Void) { state.withLock { change(&$0) } }
}
