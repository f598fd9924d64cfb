/// A failure with a stable code for programs and a message for people.
///
/// The message says what failed and how to fix it. It never contains a payload, a token or a stored value.
public struct JobError: Error, Hashable, Sendable {
  /// A stable identifier of a failure in lower camel case; new ones may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The code as it appears in JSON error bodies.
    public let rawValue: String
    /// The raw value.
    public var description: String { rawValue }

    package init(_ rawValue: String) {
      self.rawValue = rawValue
    }

    /// The request body is not a supported envelope.
    public static let malformedEnvelope = Code("malformedEnvelope")
    /// The body is not valid JSON.
    public static let malformedJSON = Code("malformedJSON")
    /// A body, payload or identifier is longer than its limit.
    public static let tooLarge = Code("tooLarge")
    /// A field has a value of the wrong type or outside its range.
    public static let invalidField = Code("invalidField")
    /// The payload can't be decoded as the job's input type.
    public static let invalidInput = Code("invalidInput")
    /// A schedule can't be parsed or can never fire.
    public static let invalidSchedule = Code("invalidSchedule")
    /// A time zone is unknown, or its data is damaged.
    public static let invalidTimeZone = Code("invalidTimeZone")
    /// A registry is inconsistent: duplicate identifiers, a dependency cycle, or a missing dependency.
    public static let invalidRegistry = Code("invalidRegistry")
    /// No job with that name is registered.
    public static let unknownJob = Code("unknownJob")
    /// The route does not exist.
    public static let notFound = Code("notFound")
    /// The route exists, but not for this method.
    public static let methodNotAllowed = Code("methodNotAllowed")
    /// The caller could not be authenticated.
    public static let unauthenticated = Code("unauthenticated")
    /// The caller is authenticated but not authorized.
    public static let permissionDenied = Code("permissionDenied")
    /// A credential file, or an environment variable that refers to one, is invalid.
    public static let invalidCredentials = Code("invalidCredentials")
    /// No credentials were found, or the token endpoint was unreachable or rejected the request.
    public static let credentialsUnavailable = Code("credentialsUnavailable")
    /// The keys for verifying callers' tokens could not be fetched.
    public static let keysUnavailable = Code("keysUnavailable")
    /// A stored payload is encrypted with a key that this runtime does not have.
    public static let payloadKeyUnavailable = Code("payloadKeyUnavailable")
    /// A stored payload does not decrypt: it was changed, or it belongs to another run.
    public static let payloadDamaged = Code("payloadDamaged")
    /// Another attempt of the run holds the lease.
    public static let busy = Code("busy")
    /// The instance does not accept new work at present.
    public static let overloaded = Code("overloaded")
    /// The instance is shutting down; another instance, or the next one, takes the work.
    public static let shuttingDown = Code("shuttingDown")
    /// A server's address can't be bound: it is in use, not an address of this machine, or not permitted.
    public static let addressUnavailable = Code("addressUnavailable")
    /// The store was unreachable or did not respond in time.
    public static let storeUnavailable = Code("storeUnavailable")
    /// Other writers kept changing the same documents, and nothing was written; a retry may succeed.
    public static let storeConflict = Code("storeConflict")
    /// The store rejected a request as invalid, or a stored document is damaged; a retry does not help.
    public static let storeRejected = Code("storeRejected")
    /// The queue was unreachable or rejected a task.
    public static let queueUnavailable = Code("queueUnavailable")
    /// The run was cancelled, skipped by a closed gate, or not begun.
    public static let cancelled = Code("cancelled")
    /// The handler failed.
    public static let handlerFailed = Code("handlerFailed")
    /// The attempt exceeded its time limit.
    public static let timedOut = Code("timedOut")
    /// The attempt lost its lease: its process crashed, or it ran past the expiration.
    public static let leaseLost = Code("leaseLost")
    /// An internal inconsistency; a defect in this package.
    public static let internalError = Code("internalError")
  }

  /// The code of the failure.
  public var code: Code
  /// The cause and the remedy in one or two sentences.
  public var message: String
  /// The dotted path of the field concerned, such as `metadata.id`, if any.
  public var field: String?
  /// The code of the underlying failure, such as `SQLITE_BUSY`, `CURLE_COULDNT_CONNECT` or `HTTP 503`, if any.
  public var nativeCode: String?

  /// Creates an error with a code and a message.
  public init(_ code: Code, _ message: String, field: String? = nil, nativeCode: String? = nil) {
    self.code = code
    self.message = message
    self.field = field
    self.nativeCode = nativeCode
  }
}

extension JobError: CustomStringConvertible {
  /// The code, the field if any, and the message.
  public var description: String {
    let place = field.map { " at \($0)" } ?? ""
    let native = nativeCode.map { " [\($0)]" } ?? ""
    return "\(code.rawValue)\(place): \(message)\(native)"
  }
}

extension JobError {
  /// Returns the error with the field that it concerns.
  func located(at field: String) -> JobError {
    var error = self
    error.field = field
    return error
  }
}

extension JobError {
  /// Returns an `invalidSchedule` error.
  static func schedule(_ message: String, field: String? = nil) -> JobError {
    JobError(.invalidSchedule, message, field: field)
  }

  /// Returns an excerpt of a schedule's text for a message: at most 24 bytes, all printable ASCII.
  static func excerpt(_ text: some StringProtocol) -> String {
    let bytes = text.utf8.prefix(24).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: bytes, as: UTF8.self) + (text.utf8.count > 24 ? "…" : "")
  }
}
