package import CloudJobsCore

/// Why a store did not do what it was asked.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What the caller can do about it.
  public enum Code: String, Hashable, Sendable {
    /// A precondition does not hold: somebody else was faster. Read again and decide anew.
    case conflict
    /// The store could not be reached or refused for now; nothing was changed. Try later.
    case unavailable
    /// The answer was lost; the changes may have taken place. Read again.
    case unknownOutcome
    /// The request itself is wrong, or the stored data is damaged; trying again does not help.
    case invalid
  }

  /// What the caller can do about it.
  public var code: Code
  /// What failed, and the remedy.
  public var message: String
  /// The underlying failure's own code (`SQLITE_FULL`, `HTTP 503`), where there is one.
  public var nativeCode: String?
  /// How long the service asks to wait before it is called again, where it does.
  public var retryAfter: Duration?

  /// An error.
  public init(_ code: Code, _ message: String, nativeCode: String? = nil, retryAfter: Duration? = nil) {
    self.code = code
    self.message = message
    self.nativeCode = nativeCode
    self.retryAfter = retryAfter
  }

  /// The code, the message and the underlying code.
  public var description: String {
    "\(code.rawValue): \(message)" + (nativeCode.map { " [\($0)]" } ?? "")
  }
}

extension StoreError {
  /// The error for a write whose precondition does not hold.
  package static func conflict(on write: Write) -> StoreError {
    let name =
      switch write {
      case .putRun, .deleteRun: "run"
      case .putConfiguration, .patchState, .deleteJob: "job document"
      case .putJournal: "journal entry"
      }
    return StoreError(.conflict, "The \(name) is not as expected. Read it again and decide anew.")
  }
}
