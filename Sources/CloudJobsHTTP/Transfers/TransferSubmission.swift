#if HTTP
/// A request on its way to the I/O thread.
struct TransferSubmission: Sendable {
  /// The client's number for it, used once.
  let id: UInt64
  /// What to send.
  let request: PreparedRequest
  /// When it fails with `timedOut`.
  let deadline: MonotonicTime
}
#endif
