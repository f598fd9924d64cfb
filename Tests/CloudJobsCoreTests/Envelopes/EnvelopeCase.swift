import CloudJobsCore
import Testing

/// A request, and what must come of it.
struct EnvelopeCase<Result: Sendable>: Sendable, CustomTestStringConvertible {
  var name: String
  var request: EnvelopeRequest
  var result: Result

  var testDescription: String { name }

  init(
    _ name: String, _ body: String = "", path: EnvelopePath = .trigger, headers: EnvelopeHeaders = [:],
    _ result: Result
  ) {
    self.name = name
    self.request = EnvelopeRequest(path: path, headers: headers, body: Array(body.utf8))
    self.result = result
  }
}
