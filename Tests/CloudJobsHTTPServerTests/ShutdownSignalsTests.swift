#if Server
import Testing

@testable import CloudJobsHTTPServer

@Suite("Shutdown signals")
struct ShutdownSignalsTests {
  @Test("The first signal shuts down, an echo is ignored, the next exits with 128 plus its number")
  func order() {
    var signals = ShutdownSignals()
    #expect(signals.receive(15, at: .seconds(5)) == .shutDown)
    #expect(signals.receive(15, at: .seconds(5)) == .ignore)
    #expect(signals.receive(2, at: .milliseconds(5_199)) == .ignore)
    #expect(signals.receive(2, at: .milliseconds(5_200)) == .exit(130))
    #expect(signals.receive(15, at: .seconds(6)) == .exit(143))
  }
}
#endif
