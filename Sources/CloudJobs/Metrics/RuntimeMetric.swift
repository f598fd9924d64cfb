/// The metrics that a runtime counts and measures itself; `Documentation/observability.md` lists them.
enum RuntimeMetric: String, CaseIterable, Sendable {
  case events = "cloud_jobs_events_total"
  case runs = "cloud_jobs_runs_total"
  case attemptDuration = "cloud_jobs_attempt_duration_seconds"
  case runWait = "cloud_jobs_run_wait_seconds"
  case occurrencesSkipped = "cloud_jobs_occurrences_skipped_total"
  case leaseLosses = "cloud_jobs_lease_losses_total"
  case storeRetries = "cloud_jobs_store_retries_total"
  case passDuration = "cloud_jobs_master_pass_duration_seconds"

  /// The type.
  var kind: MetricFamily.Kind {
    switch self {
    case .events, .runs, .occurrencesSkipped, .leaseLosses, .storeRetries: .counter
    case .attemptDuration, .runWait, .passDuration: .histogram
    }
  }

  /// The meaning.
  var help: String {
    switch self {
    case .events: "The events of runs, by name."
    case .runs: "The runs that ended, and the attempts after which a run goes on, by outcome."
    case .attemptDuration: "The durations of attempts, from their claim to the end of the handler."
    case .runWait: "The times from when an attempt was due to its start."
    case .occurrencesSkipped: "The times of schedules and the runs that a gate skipped, by reason."
    case .leaseLosses: "The attempts that let their lease expire, so that another took over or the run ended."
    case .storeRetries: "The calls to the store that were repeated after an error, by operation."
    case .passDuration: "The durations of master passes."
    }
  }
}

extension JobEvent {
  /// The outcome that `cloud_jobs_runs_total` counts; nil for events that end no attempt and no run.
  var outcome: String? {
    switch name {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .retrying: "retrying"
    case .snoozed: "snoozed"
    case .skipped: runID == nil ? nil : "cancelled"
    case .started, .completed, .duplicate, .leaseLost, .blocking, .breakerOpened, .breakerClosed, .event, .log: nil
    }
  }
}
