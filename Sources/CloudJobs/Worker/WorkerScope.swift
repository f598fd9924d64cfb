/// Whether the current task is one of a worker, whose cancellation ends the worker and is no failure of an attempt.
///
/// A run that a handler executes inside its own attempt ends with that attempt instead.
enum WorkerScope {
  @TaskLocal static var isWorkers = false
}
