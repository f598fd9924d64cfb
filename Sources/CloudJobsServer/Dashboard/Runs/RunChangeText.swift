#if Server
import CloudJobs
import CloudJobsCore

/// The words for changes of runs.
extension RunChange {
  /// The label of a button.
  var label: String {
    switch self {
    case .cancel: "Cancel"
    case .retry: "Retry now"
    case .redrive: "Redrive"
    case .purge: "Delete"
    }
  }

  /// What was done, as the first word of a sentence.
  var past: String {
    switch self {
    case .cancel: "Cancelled"
    case .retry: "Made due"
    case .redrive: "Redrove"
    case .purge: "Deleted"
    }
  }

  /// A sentence about the effect.
  var effect: String {
    switch self {
    case .cancel:
      "A waiting run never starts. A run under way is asked to stop, and ends as cancelled unless its handler succeeds "
        + "all the same. Runs that have ended stay as they are."
    case .retry: "The next attempt of a waiting run starts now, without its delay. Other runs stay as they are."
    case .redrive:
      "Each failed or cancelled run is repeated as a new run, from its latest checkpoint if it has one. A run that was "
        + "repeated before is left out."
    case .purge: "The records of ended runs are deleted with their input, output and error. This can't be undone."
    }
  }

  /// Whether it takes a reason.
  var takesReason: Bool { self == .cancel }
  /// Whether it can't be undone.
  var isDangerous: Bool { self == .cancel || self == .purge }
}
#endif
