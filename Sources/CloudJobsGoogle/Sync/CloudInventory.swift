#if HTTP
import CloudJobsCore

/// What a location holds: queues and jobs of Cloud Scheduler, as the services list them.
struct CloudInventory: Sendable {
  /// The queues by resource name.
  var queues: [String: JSONValue] = [:]
  /// The jobs of Cloud Scheduler by resource name.
  var jobs: [String: JSONValue] = [:]
}
#endif
