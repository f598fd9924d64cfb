#if HTTP
/// Runs work to its end even if the calling task is cancelled.
enum Uncancelled {
  /// Runs an operation in its own task, which the caller's cancellation does not reach, and waits for it.
  ///
  /// The operation must bound its own time.
  static func run<Value: Sendable, Failure: Error>(
    _ operation: @escaping @Sendable () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let task = Task<Result<Value, Failure>, Never> {
      do throws(Failure) {
        return .success(try await operation())
      } catch {
        return .failure(error)
      }
    }
    return try await task.value.get()
  }
}
#endif
