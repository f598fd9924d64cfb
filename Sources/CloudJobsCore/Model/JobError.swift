/// What went wrong, in a form that a program and a person can both act on.
///
/// The message says what failed and what to do about it. It never contains a payload, a token or a stored value.
public struct JobError: Error, Hashable, Sendable {
  /// A stable, lower-camel-case identifier of the failure; new ones may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The code as it stands in JSON error bodies.
    public let rawValue: String
    /// The raw value.
    public var description: String { rawValue }

    package init(_ rawValue: String) {
      self.rawValue = rawValue
    }

    /// The request body is not a form that the handler knows.
    public static let malformedEnvelope = Code("malformedEnvelope")
    /// The body is not valid JSON.
    public static let malformedJSON = Code("malformedJSON")
    /// A body, payload or identifier is longer than its limit.
    public static let tooLarge = Code("tooLarge")
    /// A field has a value of the wrong type or outside its range.
    public static let invalidField = Code("invalidField")
    /// The payload does not decode as the job's input type.
    public static let invalidInput = Code("invalidInput")
    /// A schedule can't be parsed or can never fire.
    public static let invalidSchedule = Code("invalidSchedule")
    /// A time zone's name is not known, or its data is damaged.
    public static let invalidTimeZone = Code("invalidTimeZone")
    /// A registry is inconsistent: duplicate identifiers, a cycle, a missing dependency.
    public static let invalidRegistry = Code("invalidRegistry")
    /// No job of that name is registered.
    public static let unknownJob = Code("unknownJob")
    /// No such route, or the wrong method on it.
    public static let notFound = Code("notFound")
    /// The route exists, but not for this method.
    public static let methodNotAllowed = Code("methodNotAllowed")
    /// The caller could not be authenticated.
    public static let unauthenticated = Code("unauthenticated")
    /// The caller is known but not allowed.
    public static let permissionDenied = Code("permissionDenied")
    /// A credential file, or a variable that leads to credentials, can't be used as it is.
    public static let invalidCredentials = Code("invalidCredentials")
    /// No credentials were found, or who gives tokens for them could not be reached or refused.
    public static let credentialsUnavailable = Code("credentialsUnavailable")
    /// The keys that callers' tokens are checked with could not be fetched.
    public static let keysUnavailable = Code("keysUnavailable")
    /// Another attempt of the run holds the lease.
    public static let busy = Code("busy")
    /// The instance does not take new work at present.
    public static let overloaded = Code("overloaded")
    /// The instance is shutting down; another, or the next, takes the work.
    public static let shuttingDown = Code("shuttingDown")
    /// A server's address can't be bound: it is in use, not this machine's, or not permitted.
    public static let addressUnavailable = Code("addressUnavailable")
    /// The store could not be reached, or did not answer in time.
    public static let storeUnavailable = Code("storeUnavailable")
    /// The queue could not be reached, or refused a task.
    public static let queueUnavailable = Code("queueUnavailable")
    /// The handler failed.
    public static let handlerFailed = Code("handlerFailed")
    /// The attempt ran past its time limit.
    public static let timedOut = Code("timedOut")
    /// The attempt lost its lease: it crashed, or ran past the lease's end.
    public static let leaseLost = Code("leaseLost")
    /// A state that the design excludes.
    public static let internalError = Code("internalError")
  }

  /// Which failure this is.
  public var code: Code
  /// What failed, and the remedy, as one or two sentences.
  public var message: String
  /// The field concerned, as a dotted path (`metadata.id`), where there is one.
  public var field: String?
  /// The underlying failure's own code (`SQLITE_BUSY`, `CURLE_COULDNT_CONNECT`, `HTTP 503`), where there is one.
  public var nativeCode: String?

  /// An error of a code, with its message.
  public init(_ code: Code, _ message: String, field: String? = nil, nativeCode: String? = nil) {
    self.code = code
    self.message = message
    self.field = field
    self.nativeCode = nativeCode
  }
}

extension JobError: CustomStringConvertible {
  /// The code, the field where there is one, and the message.
  public var description: String {
    let place = field.map { " at \($0)" } ?? ""
    let native = nativeCode.map { " [\($0)]" } ?? ""
    return "\(code.rawValue)\(place): \(message)\(native)"
  }
}
