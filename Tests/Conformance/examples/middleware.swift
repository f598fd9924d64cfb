struct Tracing: JobMiddleware {
  func handle(_ attempt: JobAttempt, next: Next) async throws -> JobOutcome<JSONText?> { try await next(attempt) }
}

struct Importer: Sendable {
  func run(_ file: Import) async throws {}
}

struct Board: Sendable {
  func show(_ job: JobID, _ outcome: JobOutcome<JSONText?>) async {}
}

struct Pager: Sendable {
  func call(_ message: String) async throws {}
}

var importer: Importer { Importer() }
var board: Board { Board() }
var pager: Pager { Pager() }
