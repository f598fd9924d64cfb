import CloudJobsEmulator
import Testing

@Suite("The codes of attempts")
struct StatusCodeTests {
  @Test(
    "the status of an answer has a code",
    arguments: [
      (200, .ok), (204, .ok), (299, .ok), (400, .invalidArgument), (401, .unauthenticated), (402, .failedPrecondition),
      (403, .permissionDenied), (404, .notFound), (405, .failedPrecondition), (408, .failedPrecondition),
      (409, .aborted), (412, .failedPrecondition), (418, .failedPrecondition), (429, .resourceExhausted),
      (498, .failedPrecondition), (499, .cancelled), (500, .internal), (501, .unimplemented), (502, .internal),
      (503, .unavailable), (504, .deadlineExceeded), (505, .internal), (599, .internal), (100, .unknown),
      (199, .unknown), (300, .unknown), (302, .unknown), (399, .unknown), (0, .unknown),
    ] as [(Int, StatusCode)])
  func codes(status: Int, code: StatusCode) {
    #expect(StatusCode(httpStatus: status) == code)
  }

  @Test(
    "an outcome is recorded with its code, number and cause",
    arguments: [
      (.response(status: 200), .ok, ""), (.response(status: 204), .ok, ""),
      (.response(status: 404), .notFound, "NOT_FOUND(5): HTTP status code 404"),
      (.response(status: 429), .resourceExhausted, "RESOURCE_EXHAUSTED(8): HTTP status code 429"),
      (.response(status: 302), .unknown, "UNKNOWN(2): HTTP status code 302"),
      (.response(status: 502), .internal, "INTERNAL(13): HTTP status code 502"),
      (.timedOut, .deadlineExceeded, "DEADLINE_EXCEEDED(4): HTTP status code 504"),
      (.connectionFailed("refused"), .unavailable, "UNAVAILABLE(14): refused"),
    ] as [(DeliveryOutcome, StatusCode, String)])
  func outcomes(outcome: DeliveryOutcome, code: StatusCode, message: String) {
    #expect(RPCStatus(outcome) == RPCStatus(code: code, message: message))
  }
}
