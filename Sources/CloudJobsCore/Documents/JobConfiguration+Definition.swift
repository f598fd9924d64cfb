extension JobConfiguration {
  /// Creates the configuration that says what a definition says, to show it beside a document's.
  ///
  /// - Parameter definition: the definition in code.
  package init(saying definition: JobDefinition) {
    self.init()
    let policy = definition.policy
    type = definition.kind
    (enabled, paused) = (policy.enabled, policy.paused)
    switch definition.schedule {
    case .text(let text)?: cron = text
    case .every(let span)?: interval = span
    case nil: break
    }
    timeZone = definition.timeZone
    (startAt, endAt) = (policy.startAt, policy.endAt)
    if !policy.skipDates.isEmpty { skipDates = policy.skipDates }
    if !policy.dependencies.isEmpty { dependencies = policy.dependencies }
    priority = policy.priority
    maxRetries = policy.retry.maxAttempts - 1
    retry = RetryOverride(saying: policy.retry)
    timeout = policy.timeout
    let kept = policy.retention
    retention = RetentionOverride(succeeded: kept.succeeded, failed: kept.failed, cancelled: kept.cancelled)
    weight = policy.effectiveDescriptor.weight
    group = policy.group
    misfire = policy.misfire
    overlap = policy.overlap ?? (definition.kind == .endpoint ? .allow : .skip)
    breaker = policy.breaker
    maxConcurrent = policy.maxConcurrent
    rate = policy.rate
    groupMaxConcurrent = policy.groupMaxConcurrent
    trigger = policy.trigger
    queue = policy.queue
    input = policy.input
    if !policy.metadata.isEmpty { metadata = policy.metadata }
  }
}

extension RetryOverride {
  /// Creates the override that says what a policy says.
  fileprivate init(saying policy: RetryPolicy) {
    self.init()
    switch policy.backoff {
    case .fixed(let span): (backoff, delay) = (.fixed, span)
    case .linear(let span): (backoff, delay) = (.linear, span)
    case .exponential(let span, let factor): (backoff, delay, multiplier) = (.exponential, span, factor)
    case .delays(let spans): delays = spans
    case .cloudTasks(let span, let doublings): (backoff, delay, maxDoublings) = (.cloudTasks, span, doublings)
    }
    maxDelay = policy.maxDelay
    jitter = policy.jitter
    if policy.minimumDuration > .zero { minimumDuration = policy.minimumDuration }
    switch policy.retried {
    case .all: break
    case .only(let kinds): only = kinds.sorted()
    case .except(let kinds): except = kinds.sorted()
    }
  }
}
