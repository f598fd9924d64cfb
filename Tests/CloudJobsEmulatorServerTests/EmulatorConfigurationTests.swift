#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import Testing

@testable import CloudJobsEmulatorServer

@Suite("The emulator's configuration")
struct EmulatorConfigurationTests {
  private typealias Change = @Sendable (inout EmulatorConfiguration) -> Void

  private static let refused: [(option: String, change: Change)] = [
    ("--host", { $0.host = "http://127.0.0.1" }), ("--host", { $0.host = "" }), ("--host", { $0.host = "127.1" }),
    ("--port", { $0.port = 70_000 }), ("--port", { $0.port = -1 }),
    ("--task-tombstone", { $0.tasks.taskTombstone = .seconds(-1) }),
    ("--queue-tombstone", { $0.tasks.queueTombstone = .seconds(31_536_001) }),
    ("--allow-host", { $0.allowedHosts = ["*", "http://a"] }), ("--allow-host", { $0.allowedHosts = ["::1"] }),
    ("--resolve", { $0.hostAddresses = ["worker.test": "127.0.0.1"] }),
    ("--resolve", { $0.hostAddresses = ["worker.test:80": "worker"] }),
    ("--push", { $0.scheduler.pushEndpoints = ["bad": "http://x"] }),
    ("--push", { $0.scheduler.pushEndpoints = ["projects/p/topics/t": "ftp://x"] }),
    ("--push", { $0.scheduler.pushEndpoints = ["projects/p/topics/t": "http://user@x"] }),
    ("--app-engine-origin", { $0.tasks.appEngineOrigin = "nonsense" }),
    ("--app-engine-origin", { $0.scheduler.appEngineOrigin = "http://127.0.0.1/" }),
    ("--issuer", { $0.issuer = "" }), ("--issuer", { $0.issuer = "a\nb" }),
  ]

  @Test("a value that would fail later is rejected at start, naming the option", arguments: 0..<refused.count)
  func refuses(row: Int) async throws {
    let (option, change) = Self.refused[row]
    var configuration = EmulatorConfiguration()
    configuration.port = 0
    change(&configuration)
    let changed = configuration
    let error = #expect(throws: JobError.self) { try changed.validate() }
    #expect(error?.code == .invalidField && error?.field == option)
    let server = EmulatorServer(configuration: configuration)
    await #expect(throws: JobError.self) { try await server.run() }
  }

  private static let accepted: [Change] = [
    { _ in }, { $0.host = "::" }, { $0.host = "emulator" }, { $0.port = 0 }, { $0.tasks.taskTombstone = .zero },
    { $0.allowedHosts = ["*", "worker.test", "192.0.2.1"] }, { $0.hostAddresses = ["worker.test:80": "::1"] },
    { $0.scheduler.pushEndpoints = ["projects/p/topics/t": "https://x:8443/a?b"] },
    { $0.tasks.appEngineOrigin = "http://127.0.0.1:8080" }, { $0.issuer = "https://accounts.google.com" },
    { $0.issuer = "accounts.google.com" },
  ]

  @Test("valid values are accepted", arguments: 0..<accepted.count)
  func accepts(row: Int) throws {
    var configuration = EmulatorConfiguration()
    Self.accepted[row](&configuration)
    try configuration.validate()
  }
}
#endif
