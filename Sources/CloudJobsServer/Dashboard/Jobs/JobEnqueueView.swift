#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// What a visitor typed into the form that enqueues a run.
struct EnqueueDraft: Hashable, Sendable {
  /// The input, as JSON; empty for none.
  var payload = ""
  /// The delay before the start; empty for none.
  var delay = ""
  /// The time of the start; empty for at once.
  var time = ""
  /// The caller's name for the work; empty for a new run each time.
  var key = ""
  /// The priority; empty for the job's.
  var priority = ""
  /// The queue; empty for the job's.
  var queue = ""

  /// The longest delay.
  static let longestDelay = Duration.days(3_660)

  /// Creates an empty draft.
  init() {}

  /// Reads the fields of a form.
  init(_ form: PageFields) {
    func line(_ name: String) -> String { form[name].map { $0.filter { !$0.isNewline } } ?? "" }
    payload = form.text("payload") ?? ""
    (delay, time, key) = (line("delay"), line("at"), line("key"))
    (priority, queue) = (line("priority"), line("queue"))
  }

  /// Returns the request.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - zone: the zone of a time without an offset.
  /// - Returns: the request, and its input.
  /// - Throws: ``JobError`` with the name of the field that can't be read.
  func request(for job: JobID, in zone: Zone) throws(JobError) -> (request: EnqueueRequest, input: JSONValue?) {
    var request = EnqueueRequest(job, key: key.isEmpty ? nil : key)
    var input: JSONValue?
    if !payload.allSatisfy(\.isWhitespace) {
      do throws(JobError) {
        input = try JSONValue(parsing: Array(payload.utf8))
      } catch {
        throw JobError(error.code, "\(error.message) Write text with its quotation marks: \"text\".", field: "payload")
      }
      request.input = JSONInput(value: input ?? .null)
    }
    request.start = try start(in: zone)
    if !priority.isEmpty {
      guard let number = Int(priority), (-1_000_000...1_000_000).contains(number) else {
        throw JobError(
          .invalidField, "Expected a whole number from -1,000,000 to 1,000,000.", field: "priority")
      }
      request.priority = number
    }
    if !queue.isEmpty { request.queue = queue }
    return (request, input)
  }

  private func start(in zone: Zone) throws(JobError) -> DeliveryStart? {
    if !delay.isEmpty, !time.isEmpty {
      throw JobError(.invalidField, "Give a delay or a time, not both.", field: "at")
    }
    if !delay.isEmpty {
      guard let span = Duration(settingText: delay), span >= .zero, span <= Self.longestDelay else {
        throw JobError(
          .invalidField, "Expected a time span of at most ten years, such as 90s, 10m or 1h30m.", field: "delay")
      }
      return .after(span)
    }
    if time.isEmpty { return nil }
    guard let start = LocalTime.timestamp(time, in: zone) else {
      throw JobError(
        .invalidField, "Expected a time such as 2026-12-01T09:00 in \(zone.name), or 2026-12-01T09:00:00Z.",
        field: "at")
    }
    return .at(start)
  }
}

/// The values of the form that enqueues a run.
struct JobEnqueueView: Sendable {
  var job: String
  var payload: String
  var payloadNote: String?
  var delay: String
  var time: String
  var key: String
  var priority: String
  var queue: String
  var zoneName: String
  var isElsewhere: Bool
  var isDisabled: Bool
  /// Whether the visitor asked for a run now, past the gates.
  var isNow: Bool
  var refusalText: String?
  var payloadRefusal: String?
  var delayRefusal: String?
  var timeRefusal: String?
  var keyRefusal: String?
  var priorityRefusal: String?
  var queueRefusal: String?
  var action: String
  var back: String

  /// The maximum length of a payload that is filled in, in bytes.
  static let prefillLimit = 32_768

  /// Makes the form: pure.
  ///
  /// - Parameters:
  ///   - listing: the job.
  ///   - draft: what the fields show.
  ///   - isNow: whether the visitor asked for a run now, past the gates.
  ///   - note: why the latest payload is not filled in, or where the text comes from.
  ///   - refusal: why the run was refused; nil at first.
  ///   - context: the paths of the page.
  init(
    _ listing: JobListing, _ draft: EnqueueDraft, isNow: Bool, note: String?, refusal: JobError? = nil,
    _ context: DashboardContext
  ) {
    job = listing.id
    (payload, delay, time, key) = (draft.payload, draft.delay, draft.time, draft.key)
    (priority, queue) = (draft.priority, draft.queue)
    payloadNote = note
    self.isNow = isNow
    zoneName = listing.job?.zone.name ?? "UTC"
    isElsewhere = !listing.isRegistered
    isDisabled = !(listing.job?.policy.enabled ?? true)
    let name = refusal?.field.map { String($0.prefix { $0 != "." }) }
    // An error within the input has the path of the value.
    let known = ["payload", "delay", "at", "key", "priority", "queue"]
    let isInput = refusal?.code == .invalidInput || name == "payload"
    func message(_ field: String) -> String? { name == field ? refusal?.message : nil }
    payloadRefusal = isInput ? refusal.map { "\($0.field.map { "\($0): " } ?? "")\($0.message)" } : nil
    (delayRefusal, timeRefusal, keyRefusal) = (message("delay"), message("at"), message("key"))
    (priorityRefusal, queueRefusal) = (message("priority"), message("queue"))
    let isShown = isInput || known.contains(name ?? "")
    refusalText = refusal.map { isShown ? "The run was refused: see below." : "The run was refused. \($0.message)" }
    let base = context.link("jobs", listing.id)
    (action, back) = (base.appending("enqueue").href, base.href)
  }

  /// Returns the draft that the form begins with.
  ///
  /// - Parameter disclosure: what may be shown of the latest run's input; nil without a run.
  /// - Returns: the draft, and a note on its payload.
  static func first(_ disclosure: PayloadDisclosure?) -> (draft: EnqueueDraft, note: String?) {
    var draft = EnqueueDraft()
    switch disclosure {
    case nil: return (draft, "No run is stored whose input could be filled in.")
    case .some(.none): return (draft, "The latest run has no input.")
    case .confidential?:
      return (
        draft,
        "The input of the latest run has confidential fields. It is not filled in, because the new run would get "
          + "the replaced text in their place. Write the whole input."
      )
    case .encrypted?:
      return (draft, "The inputs are encrypted, so that the latest one is not filled in. Write the whole input.")
    case .whole(let value)?:
      let text = PrettyJSON.text(value)
      guard text.utf8.count <= prefillLimit else {
        return (draft, "The input of the latest run is too long to fill it in. Open that run to see it.")
      }
      draft.payload = text
      return (draft, "The input of the latest run.")
    }
  }
}
#endif
