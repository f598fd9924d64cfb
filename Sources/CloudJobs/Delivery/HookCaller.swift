import CloudJobsCore
import Logging

/// Calls a job's hooks: within a limit of time, and without effect on the attempt.
struct HookCaller: Sendable {
  let hooks: JobHooks
  let options: RuntimeOptions

  init(_ hooks: JobHooks, _ services: RuntimeServices) {
    self.hooks = hooks
    options = services.options
  }

  /// Whether a job has hooks to call at the end of an attempt.
  var hasEndHooks: Bool { !hooks.onComplete.isEmpty || !hooks.onError.isEmpty }

  func started(_ context: JobContext) async {
    for hook in hooks.onStart { await call("onStart", context) { try await hook(context) } }
  }

  func ended(_ end: AttemptEnd, _ context: JobContext) async {
    switch end {
    case .completed(let outcome):
      for hook in hooks.onComplete { await call("onComplete", context) { try await hook(context, outcome) } }
    case .failed(let failure):
      for hook in hooks.onError { await call("onError", context) { try await hook(context, failure) } }
    case .interrupted: return
    }
  }

  private func call(
    _ name: String, _ context: JobContext, _ hook: @escaping @Sendable () async throws -> Void
  ) async {
    let (clock, limit) = (options.clock, options.hookTimeout)
    let deadline = clock.now() + limit
    let fault: String? = await withTaskGroup(of: String??.self) { group in
      group.addTask {
        do {
          try await hook()
          return .some(nil)
        } catch {
          return "\(type(of: error)): \(error)"
        }
      }
      group.addTask {
        do { try await clock.sleep(until: deadline) } catch { return nil }
        return "It took longer than \(limit), and was cancelled."
      }
      defer { group.cancelAll() }
      while let result = await group.next() {
        if let result { return result }
      }
      return nil
    }
    guard let fault else { return }
    context.logger.warning(
      "A hook of a job failed. The attempt is not affected.", metadata: ["hook": "\(name)", "error": "\(fault)"])
  }
}
