#if PostgreSQL
/// Work of the store on behalf of several callers.
enum DetachedWork {
  /// Starts work that belongs to no caller: neither the cancellation, nor the priority, nor an executor of a caller, on
  /// which a handler may block, holds it up.
  static func start(_ body: @escaping @Sendable () async -> Void) {
    Task.detached { await body() }
  }
}
#endif
