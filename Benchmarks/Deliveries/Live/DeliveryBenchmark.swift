#if SQLite
import CloudJobs
import CloudJobsSQLite
import Foundation
import Logging

/// Measures in-process deliveries of an endpoint job, in memory and on an SQLite file, for some numbers of callers.
///
///     swift run -c release delivery-benchmark [deliveries] [callers …]
///
/// Each delivery is a POST of a native envelope: it is decoded, planned, claimed, executed and committed.
@main
enum DeliveryBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let deliveries = arguments.first ?? 20_000
    let callers = arguments.count > 1 ? Array(arguments.dropFirst()) : [1, 64]
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("delivery-benchmark-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for count in callers {
      try await measure("memory", MemoryStore(), deliveries: deliveries, callers: count)
      let file = folder.appendingPathComponent("\(count).db").path
      try await measure("SQLite", try SQLiteStore(path: file), deliveries: deliveries / 4, callers: count)
    }
  }

  private static func measure(
    _ name: String, _ store: any JobStore, deliveries: Int, callers: Int
  ) async throws {
    var options = RuntimeOptions()
    options.logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    let runtime = JobRuntime(
      try JobRegistry { EndpointJob("job") { _ in } }, store: store, authentication: .trustLoopback, options: options)
    let body = Array(#"{"jobId":"job"}"#.utf8)
    let start = Date()
    let failures = await withTaskGroup(of: Int.self) { group in
      for caller in 0..<callers {
        group.addTask {
          var failures = 0
          for _ in 0..<(deliveries / callers + (caller < deliveries % callers ? 1 : 0)) {
            if await runtime.handleRequest(body: body, peer: .inProcess).status != 200 { failures += 1 }
          }
          return failures
        }
      }
      return await group.reduce(0, +)
    }
    let seconds = Date().timeIntervalSince(start)
    precondition(failures == 0, "\(failures) of \(deliveries) deliveries failed.")
    let rate = Int(Double(deliveries) / seconds)
    print("\(name), \(callers) callers: \(rate) deliveries a second")
  }
}
#else
/// Without the trait SQLite there is nothing to measure.
@main
enum DeliveryBenchmark {
  static func main() {}
}
#endif
