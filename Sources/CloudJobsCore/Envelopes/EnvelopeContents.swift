/// What a body says, before the headers and the path have their say.
struct EnvelopeContents {
  var job: JobID?
  var run: RunID?
  var key: String?
  var attempt: Int?
  var payload: JSONText?
  var correlationID: String?
  var weight: Weight?
  /// The occurrence that the wrapping message or event stands for, where the body names none.
  var messageKey: String?
  /// Whether a message or an event brought the body.
  var isMessage = false
}
