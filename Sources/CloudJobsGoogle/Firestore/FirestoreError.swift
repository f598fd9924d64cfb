#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP

/// A failed call to Firestore.
enum FirestoreFault: Error, Sendable {
  /// The service rejected the call.
  case refused(Code, status: Int, message: String, retryAfter: Duration?)
  /// The response is missing or incomplete.
  case unanswered(HTTPExchangeError)
  /// No credentials were available.
  case unauthorized(JobError)
  /// The response does not have the documented form.
  case unreadable(status: Int)

  /// The service's error codes.
  ///
  /// Source: <https://cloud.google.com/apis/design/errors#handling_errors>.
  enum Code: String, Sendable {
    case cancelled = "CANCELLED"
    case unknown = "UNKNOWN"
    case invalidArgument = "INVALID_ARGUMENT"
    case deadlineExceeded = "DEADLINE_EXCEEDED"
    case notFound = "NOT_FOUND"
    case alreadyExists = "ALREADY_EXISTS"
    case permissionDenied = "PERMISSION_DENIED"
    case unauthenticated = "UNAUTHENTICATED"
    case resourceExhausted = "RESOURCE_EXHAUSTED"
    case failedPrecondition = "FAILED_PRECONDITION"
    case aborted = "ABORTED"
    case outOfRange = "OUT_OF_RANGE"
    case unimplemented = "UNIMPLEMENTED"
    case `internal` = "INTERNAL"
    case unavailable = "UNAVAILABLE"
    case dataLoss = "DATA_LOSS"

    /// Returns the code of an error response that names none, such as a proxy's.
    init(status: Int) {
      switch status {
      case 400, 405, 411, 413: self = .invalidArgument
      case 401: self = .unauthenticated
      case 403: self = .permissionDenied
      case 404: self = .notFound
      case 408, 504: self = .deadlineExceeded
      case 409: self = .aborted
      case 429: self = .resourceExhausted
      case 501: self = .unimplemented
      case 503: self = .unavailable
      default: self = .unknown
      }
    }
  }

  /// Creates the failure of a response with an error status, or with an error in its list.
  init(status: Int, error: JSONValue?, retryAfter: Duration?) {
    let code = error?["status"]?.string.flatMap { Code(rawValue: $0) } ?? Code(status: status)
    self = .refused(code, status: status, message: error?["message"]?.string ?? "", retryAfter: retryAfter)
  }

  /// Returns whether the call was rejected with a code.
  func isRefusal(_ code: Code) -> Bool {
    if case .refused(code, _, _, _) = self { true } else { false }
  }
}

extension StoreError {
  /// The kind of a call.
  enum FirestoreCall: Sendable {
    /// A call that changes nothing.
    case reading
    /// A call that changes documents.
    case committing
  }

  /// Creates the store's error for a failed call: the one table from the service's codes to the store's.
  ///
  /// A commit without a response, or with one that only reports trouble in the service, may have taken effect. Every
  /// other failed call certainly had no effect.
  init(_ fault: FirestoreFault, during call: FirestoreCall) {
    switch fault {
    case .refused(let code, let status, let message, let delay):
      self.init(code, message, during: call, native: "HTTP \(status) \(code.rawValue)")
      retryAfter = delay
    case .unanswered(let error):
      let isLost = call == .committing && !error.requestWasNotSent
      let code = isLost ? Code.unknownOutcome : error.code == .responseTooLarge ? .invalid : .unavailable
      let text = isLost ? "Firestore's response was lost" : "Firestore could not be reached"
      self.init(code, "\(text): \(error.message)", nativeCode: error.nativeCode ?? error.code.rawValue)
    case .unauthorized(let error):
      self.init(.unavailable, "No credentials for Firestore: \(error.message)", nativeCode: error.nativeCode)
    case .unreadable(let status):
      self.init(
        call == .committing ? .unknownOutcome : .unavailable,
        "Firestore's response can't be parsed. Check the endpoint and the server behind it.",
        nativeCode: "HTTP \(status)")
    }
  }

  private init(_ code: FirestoreFault.Code, _ message: String, during call: FirestoreCall, native: String) {
    let detail = message.isEmpty ? "" : ": \(message.prefix(500))"
    switch (code, call) {
    case (.alreadyExists, .committing), (.failedPrecondition, .committing):
      self.init(.conflict, "A document has changed. Read it again and re-plan.", nativeCode: native)
    case (.notFound, .committing) where message.hasPrefix("No document to update"):
      self.init(.conflict, "A document does not exist. Read it again and re-plan.", nativeCode: native)
    case (.notFound, _), (.alreadyExists, _):
      self.init(
        .unavailable,
        "The Firestore database does not exist. Check the project and database id, or create the database",
        native, detail)
    case (.failedPrecondition, _):
      self.init(.invalid, "Firestore rejected a query. Create the index that it needs", native, detail)
    case (.aborted, _):
      self.init(.unavailable, "The commit was aborted because of contention. Retry later", native, detail)
    case (.resourceExhausted, _):
      self.init(.unavailable, "Firestore's quota is exhausted or it is overloaded. Retry later", native, detail)
    case (.unauthenticated, _), (.permissionDenied, _):
      self.init(
        .unavailable, "Firestore rejected the credentials. Grant the service account the role roles/datastore.user",
        native, detail)
    case (.invalidArgument, _), (.outOfRange, _), (.unimplemented, _):
      self.init(.invalid, "Firestore rejected the request", native, detail)
    case (.cancelled, _), (.unknown, _), (.deadlineExceeded, _), (.internal, _), (.unavailable, _), (.dataLoss, _):
      self.init(
        call == .committing ? .unknownOutcome : .unavailable, "Firestore failed. Retry later", native, detail)
    }
  }

  private init(_ code: Code, _ text: String, _ native: String, _ detail: String) {
    self.init(code, text + (detail.isEmpty ? "." : detail), nativeCode: native)
  }
}
#endif
