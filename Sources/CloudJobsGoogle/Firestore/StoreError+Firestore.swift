#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP

extension StoreError {
  /// What a call was for.
  enum FirestoreCall: Sendable {
    /// It changes nothing.
    case reading
    /// It changes documents.
    case committing
  }

  /// The error of a fault; the table of how the service's codes become the store's.
  ///
  /// A commit without an answer, or with one that says no more than that the service is in trouble, may have taken
  /// place. All else that fails has certainly had no effect.
  init(_ fault: FirestoreFault, during call: FirestoreCall) {
    switch fault {
    case .refused(let code, let status, let message, let delay):
      self.init(code, message, during: call, native: "HTTP \(status) \(code.rawValue)")
      retryAfter = delay
    case .unanswered(let error):
      let isLost = call == .committing && !error.requestWasNotSent
      let code = isLost ? Code.unknownOutcome : error.code == .responseTooLarge ? .invalid : .unavailable
      let text = isLost ? "Firestore's answer was lost" : "Firestore could not be reached"
      self.init(code, "\(text): \(error.message)", nativeCode: error.nativeCode ?? error.code.rawValue)
    case .unauthorized(let error):
      self.init(.unavailable, "No credentials for Firestore: \(error.message)", nativeCode: error.nativeCode)
    case .unreadable(let status):
      self.init(
        call == .committing ? .unknownOutcome : .unavailable,
        "Firestore's answer can't be read. Check the endpoint, and what answers there.", nativeCode: "HTTP \(status)")
    }
  }

  private init(_ code: FirestoreFault.Code, _ message: String, during call: FirestoreCall, native: String) {
    let detail = message.isEmpty ? "" : ": \(message.prefix(500))"
    switch (code, call) {
    case (.alreadyExists, .committing), (.failedPrecondition, .committing):
      self.init(.conflict, "A document is not as expected. Read it again and decide anew.", nativeCode: native)
    case (.notFound, .committing) where message.hasPrefix("No document to update"):
      self.init(.conflict, "A document does not exist. Read it again and decide anew.", nativeCode: native)
    case (.notFound, _), (.alreadyExists, _):
      self.init(
        .unavailable, "Firestore does not find the database. Check the project and the database's id, and create it",
        native, detail)
    case (.failedPrecondition, _):
      self.init(.invalid, "Firestore refused a query. It may lack an index: create it", native, detail)
    case (.aborted, _):
      self.init(.unavailable, "Others change the same documents all the time. Try again later", native, detail)
    case (.resourceExhausted, _):
      self.init(.unavailable, "Firestore's quota is used up or it asks to slow down. Try again later", native, detail)
    case (.unauthenticated, _), (.permissionDenied, _):
      self.init(
        .unavailable, "Firestore refused the credentials. Grant the service account the role roles/datastore.user",
        native, detail)
    case (.invalidArgument, _), (.outOfRange, _), (.unimplemented, _):
      self.init(.invalid, "Firestore can't take the request", native, detail)
    case (.cancelled, _), (.unknown, _), (.deadlineExceeded, _), (.internal, _), (.unavailable, _), (.dataLoss, _):
      self.init(
        call == .committing ? .unknownOutcome : .unavailable, "Firestore failed. Try again later", native, detail)
    }
  }

  private init(_ code: Code, _ text: String, _ native: String, _ detail: String) {
    self.init(code, text + (detail.isEmpty ? "." : detail), nativeCode: native)
  }
}
#endif
