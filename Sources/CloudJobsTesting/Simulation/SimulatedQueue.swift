import CloudJobs
import CloudJobsCore
import CloudJobsEmulator

/// Cloud Tasks as the emulator has it, without a socket.
struct SimulatedQueue: TaskQueue {
  let world: VirtualWorld

  var retryOwner: RetryOwner { .runtime }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    for task in tasks {
      do throws(ServiceFault) {
        try create(task)
      } catch  where error.code == .alreadyExists {
        continue
      } catch {
        throw JobError(.queueUnavailable, error.message)
      }
    }
  }

  private func create(_ task: QueuedTask) throws(ServiceFault) {
    try world.withState { (state, now) throws(ServiceFault) in
      let queue = try SimulationSetup.queueName(task.queue)
      let target = HTTPTarget(
        url: "\(SimulationSetup.origin)/jobs/trigger", headers: [HeaderField("Content-Type", "application/json")],
        body: task.body.bytes)
      let deadline = CloudSchedulerEntry.deadline(for: task.deadline)
      let new = CloudTasks.NewTask(
        name: "\(queue)/tasks/\(task.name)", httpRequest: target, scheduleTime: task.notBefore,
        dispatchDeadline: deadline)
      _ = try state.tasks.createTask(new, in: queue, at: now)
    }
  }
}
