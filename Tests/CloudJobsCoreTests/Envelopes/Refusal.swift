import CloudJobsCore

/// What an error must say.
struct Refusal: Sendable {
  var code: JobError.Code
  var field: String
  var word: String

  init(_ code: JobError.Code, _ field: String, _ word: String) {
    self.code = code
    self.field = field
    self.word = word
  }
}
