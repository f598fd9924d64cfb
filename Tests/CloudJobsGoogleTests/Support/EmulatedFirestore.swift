#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsEmulatorWire
@testable import CloudJobsGoogle
import CloudJobsHTTP
import HTTPTypes

/// The emulator's REST API without a socket: requests are answered in this process.
struct EmulatedFirestore: HTTPExchange {
  let emulator: LiveEmulator
  private let api: EmulatorAPI

  /// Creates a service with a clock, and with these indexes or without any index requirement.
  init(clock: any JobClock, indexes: Firestore.IndexConfiguration? = nil) {
    let state = EmulatorState(indexes: indexes)
    emulator = LiveEmulator(state: state, clock: clock) { _ in .connectionFailed("nobody listens") }
    api = EmulatorAPI(emulator) { EmulatorState() }
  }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    guard let range = request.url.firstRange(of: "/v1/") else {
      throw HTTPExchangeError(.invalidURL, "The URL has no version: give the service's.")
    }
    let target = String(request.url[range.lowerBound...])
    let call = RESTRequest(method: request.method.rawValue, target: target, body: request.body)
    let answer = await api.respond(to: call)
    return HTTPExchangeResponse(status: answer.status, body: answer.body.encoded)
  }

  /// The operations that Firestore would bill so far.
  var usage: Firestore.Usage { emulator.withState { state, _ in state.firestore.usage } }

  static let configuration = FirestoreConfiguration(project: "test")

  /// Returns a store on this emulator.
  func store() -> FirestoreStore {
    FirestoreStore(Self.configuration, in: .at(self, SystemClock()))
  }

  /// Writes a job's document in its stored form, with times typed as any client would write them.
  func importJob(_ id: String, _ fields: JSONValue) async throws {
    let write: JSONValue = [
      "update": [
        "name": .string(Self.configuration.name("jobs", id)),
        "fields": FirestoreSchema.job.fields(fields.object ?? [:]),
      ]
    ]
    _ = try await client.commit(["writes": [write]])
  }

  /// Returns a job's document in its stored form.
  func exportJob(_ id: String) async throws -> JSONValue? {
    let found = try await client.batchGet([Self.configuration.name("jobs", id)])
    return found.documents.first.map { .object(FirestoreValue.fields($0.fields)) }
  }

  private var client: FirestoreClient {
    FirestoreClient(
      configuration: Self.configuration, exchange: self, access: GoogleCloud.at(self).firestore, clock: .system)
  }
}

/// A queue that discards its tasks, for jobs that a pass executes itself.
struct NoQueue: TaskQueue {
  var retryOwner: RetryOwner { .runtime }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {}
}
#endif
