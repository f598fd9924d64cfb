import CloudJobs
import CloudJobsEmulator
import HTTPTypes
import Synchronization

/// Carries the emulator's deliveries to the runtime, in the form of HTTP requests but without a socket.
final class SimulationLink: Sendable {
  private struct Target: Sendable {
    weak var runtime: JobRuntime?
  }

  private let target = Mutex(Target())

  func connect(_ runtime: JobRuntime) {
    target.withLock { $0.runtime = runtime }
  }

  func deliver(_ dispatch: Dispatch) async -> DispatchOutcome {
    guard let runtime = target.withLock({ $0.runtime }) else { return .connectionFailed("nobody listens") }
    var fields = HTTPFields()
    for header in dispatch.headers {
      if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
    }
    let path = dispatch.url.dropFirst(SimulationSetup.origin.count)
    let method = HTTPRequest.Method(rawValue: dispatch.method.name) ?? .post
    let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: String(path), headerFields: fields)
    let response = await runtime.handle(request, body: dispatch.body, peer: .inProcess)
    return .response(
      status: response.head.status.code,
      headers: response.head.headerFields.map { HeaderField($0.name.rawName, $0.value) })
  }
}
