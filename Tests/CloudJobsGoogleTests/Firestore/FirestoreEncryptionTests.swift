#if HTTP && Server && Encryption
import CloudJobs
import CloudJobsCore
import CloudJobsEncryption
import CloudJobsHTTP
import Synchronization
import Testing

@testable import CloudJobsGoogle

/// Records what is sent to Firestore.
private final class BodyRecorder: HTTPExchange {
  private let base: EmulatedFirestore
  private let sent = Mutex<[[UInt8]]>([])

  init(_ base: EmulatedFirestore) { self.base = base }

  var bodies: [[UInt8]] { sent.withLock { $0 } }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    sent.withLock { $0.append(request.body) }
    return try await base.send(request)
  }
}

@Suite("Encryption on Firestore")
struct FirestoreEncryptionTests {
  @Test("A canary in a payload never reaches Firestore", arguments: [true, false])
  func canary(isEncrypted: Bool) async throws {
    let canary = "canary-7d1f3a9b"
    let exchange = BodyRecorder(EmulatedFirestore(clock: .system))
    var options = RuntimeOptions()
    if isEncrypted {
      let key = try EncryptionKeyRing.Key(id: "k1", bytes: [UInt8](repeating: 1, count: 32))
      options.payloadCodec = AESGCMPayloadCodec(try EncryptionKeyRing(current: key))
    }
    let registry = try JobRegistry {
      EndpointJob("echo", input: String.self, output: String.self) { text, _ in .done(text) }
      EndpointJob("quote", input: String.self) { text, _ in throw JobFailure.permanent("no \(text)", kind: text) }
    }
    let store = FirestoreStore(EmulatedFirestore.configuration, in: .at(exchange, SystemClock()))
    let runtime = JobRuntime(
      registry, store: store, queue: NoQueue(), authentication: .trustLoopback, options: options)
    for job in ["echo", "quote"] as [JobID] {
      let result = try await runtime.run(job, canary)
      #expect(result.runStatus?.isTerminal == true)
      try await runtime.enqueue(job, canary)
    }
    #expect(exchange.bodies.count >= 6)
    let found = exchange.bodies.filter { $0.firstRange(of: Array(canary.utf8)) != nil }
    #expect(found.isEmpty == isEncrypted)
  }
}
#endif
