import CloudJobsCore
import HTTPTypes
import Testing

@testable import CloudJobs

@Suite("Answers")
struct ResponseTests {
  private func member(_ path: String..., in response: HandlerResponse) throws -> JSONValue? {
    var value: JSONValue? = try JSONValue(parsing: response.body)
    for name in path { value = value?[name] }
    return value
  }

  @Test("Each kind of result has its HTTP status", arguments: DeliveryResult.Status.allCases)
  func results(_ status: DeliveryResult.Status) throws {
    var result = DeliveryResult(status, reason: "why", retryAt: RuntimeFixture.start + .milliseconds(1_001))
    result.job = "job"
    if status == .rejected { result.error = JobError(.unknownJob, "none") }
    if status == .failed { result.error = JobError(.handlerFailed, "failed") }
    let response = HandlerResponse(result, now: RuntimeFixture.start)
    let code: Int =
      switch status {
      case .succeeded, .retrying, .scheduled, .snoozed, .cancelled, .deadLettered, .skipped, .duplicate, .waiting: 200
      case .failed: 500
      case .early: 429
      case .busy, .leaseLost: 409
      case .rejected: 404
      }
    #expect(response.head.status.code == code)
    #expect(response.head.headerFields[.contentType] == "application/json; charset=utf-8")
    if code == 200 {
      #expect(try member("status", in: response) == .string(status.rawValue))
      #expect(try member("jobId", in: response) == "job")
      #expect(response.head.headerFields[.retryAfter] == nil)
    } else {
      #expect(try member("error", "code", in: response)?.string != nil)
      #expect(try member("error", "message", in: response)?.string?.isEmpty == false)
      #expect(response.head.headerFields[.retryAfter] == "2")
    }
  }

  @Test(
    "The time to wait is told in whole seconds, rounded up, at least one",
    arguments: [
      (Duration.zero, "1"), (.seconds(-9), "1"), (.microseconds(1), "1"), (.seconds(1), "1"),
      (.seconds(1) + .microseconds(1), "2"), (.minutes(5), "300"),
    ])
  func retryAfter(wait: Duration, text: String) {
    let response = HandlerResponse(
      DeliveryResult(.busy, retryAt: RuntimeFixture.start + wait), now: RuntimeFixture.start)
    #expect(response.head.headerFields[.retryAfter] == text)
    #expect(HandlerResponse(DeliveryResult(.busy), now: RuntimeFixture.start).head.headerFields[.retryAfter] == nil)
  }

  @Test(
    "Each code has its status",
    arguments: [
      (JobError.Code.malformedEnvelope, 400), (.malformedJSON, 400), (.tooLarge, 413), (.invalidField, 400),
      (.invalidInput, 400), (.invalidSchedule, 400), (.invalidTimeZone, 400), (.invalidRegistry, 400),
      (.unknownJob, 404), (.notFound, 404), (.methodNotAllowed, 405), (.unauthenticated, 401),
      (.permissionDenied, 403), (.busy, 409), (.overloaded, 429), (.storeUnavailable, 503), (.queueUnavailable, 503),
      (.shuttingDown, 503), (.addressUnavailable, 500), (.handlerFailed, 500), (.timedOut, 503), (.leaseLost, 500),
      (.internalError, 500), (.cancelled, 409),
    ])
  func codes(code: JobError.Code, status: Int) throws {
    let response = HandlerResponse(JobError(code, "What, and the remedy.", field: "a.b", nativeCode: "X"))
    #expect(response.head.status.code == status)
    #expect(
      try JSONValue(parsing: response.body)
        == ["error": ["code": .string(code.rawValue), "message": "What, and the remedy.", "field": "a.b"]])
  }

  @Test("A pass tells its counts, or why it could not do its work")
  func passes() throws {
    var summary = PassSummary()
    (summary.due, summary.started, summary.isComplete) = (3, 2, false)
    let response = HandlerResponse(summary)
    #expect(response.head.status.code == 200)
    #expect(try member("due", in: response) == 3)
    #expect(try member("complete", in: response) == false)
    summary.error = JobError(.storeUnavailable, "away")
    #expect(HandlerResponse(summary).head.status.code == 503)
  }
}
