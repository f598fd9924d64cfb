#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsHTTP
import HTTPTypes

@testable import CloudJobsGoogle

/// The emulator's REST face without a socket: what is sent is answered in this process.
struct EmulatedFirestore: HTTPExchange {
  let emulator: LocalEmulator
  private let api: EmulatorAPI

  /// A service that takes its time from a clock, with these indexes, or without bounds on queries.
  init(clock: any JobClock, indexes: Firestore.IndexConfiguration? = nil) {
    let state = EmulatorState(indexes: indexes)
    emulator = LocalEmulator(state: state, clock: clock) { _ in .connectionFailed("nobody listens") }
    api = EmulatorAPI(emulator) { EmulatorState() }
  }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    guard let range = request.url.firstRange(of: "/v1/") else {
      throw HTTPClientError(.invalidURL, "The URL has no version: give the service's.")
    }
    let target = String(request.url[range.lowerBound...])
    let call = RESTRequest(method: request.method.rawValue, target: target, body: request.body)
    let answer = await api.respond(to: call)
    return HTTPClientResponse(status: answer.status, body: answer.body.encoded)
  }

  /// What Firestore would bill for until now.
  var usage: Firestore.Usage { emulator.withState { state, _ in state.firestore.usage } }

  static let configuration = FirestoreConfiguration(project: "test")

  /// A store on this emulator.
  func store() -> FirestoreStore {
    FirestoreStore(Self.configuration, in: .at(self, SystemClock()))
  }

  /// Puts a job's document in its stored form, times typed as any client would write them.
  func importJob(_ id: String, _ fields: JSONValue) async throws {
    let write: JSONValue = [
      "update": [
        "name": .string(Self.configuration.name("jobs", id)),
        "fields": FirestoreSchema.job.fields(fields.object ?? [:]),
      ]
    ]
    _ = try await client.commit(["writes": [write]])
  }

  /// A job's document in its stored form.
  func exportJob(_ id: String) async throws -> JSONValue? {
    let found = try await client.batchGet([Self.configuration.name("jobs", id)])
    return found.documents.first.map { .object(FirestoreValue.fields($0.fields)) }
  }

  private var client: FirestoreClient {
    FirestoreClient(
      configuration: Self.configuration, exchange: self, access: GoogleCloud.at(self).firestore, clock: .system)
  }
}
#endif
