import CloudJobsCore
import HTTPTypes

/// The questions of an orchestrator such as Kubernetes, each with a route of its own.
///
/// Source: <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>.
enum HealthProbe: String, Hashable, Sendable {
  /// Whether the process works at all; if not, it is restarted.
  case live
  /// Whether it should get requests now.
  case ready
  /// Whether it has started, so that the other questions make sense.
  case started
}

/// The answer to a probe: nothing that a stranger may not know, because probes carry no credentials.
struct HealthAnswer: Hashable, Sendable {
  /// The reason for a negative answer; nil for a positive one.
  var refusal: Refusal?

  /// The reasons for negative answers.
  enum Refusal: String, Hashable, Sendable {
    /// The documents of the jobs have not been read yet.
    case starting
    /// The instance shuts down.
    case shuttingDown
    /// The store does not answer.
    case storeUnavailable
    /// The memory is almost used up.
    case memoryExhausted
  }

  /// Answers a probe: pure.
  ///
  /// An instance whose store is down is alive: a restart would not help.
  ///
  /// - Parameters:
  ///   - probe: the question.
  ///   - isPrepared: whether the documents have been read since the start.
  ///   - isDraining: whether the instance shuts down.
  ///   - isStoreReadable: whether the store answered the last read.
  ///   - isMemoryExhausted: whether the memory is almost used up.
  init(
    to probe: HealthProbe, isPrepared: Bool, isDraining: Bool, isStoreReadable: Bool, isMemoryExhausted: Bool
  ) {
    switch probe {
    case .live: refusal = nil
    case .started: refusal = isPrepared ? nil : .starting
    case .ready:
      refusal =
        if isDraining {
          .shuttingDown
        } else if !isStoreReadable {
          .storeUnavailable
        } else if !isPrepared {
          .starting
        } else {
          isMemoryExhausted ? .memoryExhausted : nil
        }
    }
  }
}

extension HandlerResponse {
  /// Creates the response to a probe: 200 or 503.
  init(_ answer: HealthAnswer) {
    if let refusal = answer.refusal {
      self.init(.serviceUnavailable, ["status": "no", "reason": .string(refusal.rawValue)])
    } else {
      self.init(.ok, ["status": "ok"])
    }
  }
}
