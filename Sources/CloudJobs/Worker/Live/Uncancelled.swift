/// Makes a last call in a task of its own, which is not cancelled with the caller's: what must be told to the store by
/// one that ends.
///
/// - Parameter call: the call.
func withoutCancellation(_ call: @escaping @Sendable () async -> Void) async {
  await Task { await call() }.value
}
