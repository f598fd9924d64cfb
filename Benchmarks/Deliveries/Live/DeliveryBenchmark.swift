#if SQLite
import CloudJobs
import CloudJobsSQLite
import Foundation
import Logging

/// Measures in-process deliveries of endpoint jobs, in memory and on an SQLite file, for some numbers of callers.
///
///     swift run -c release delivery-benchmark [memory] [sqlite] [deliveries] [callers …]
///
/// Each delivery is a POST of a native envelope: it is decoded, planned, claimed, executed and committed. A job without
/// limits and one whose limits never bind take turns for eleven rounds. The figures are medians of the rounds, and so
/// is the ratio of two neighbours: the price of the limits.
@main
enum DeliveryBenchmark {
  private static let jobs = ["plain", "limited"]
  private static let rounds = 11

  static func main() async throws {
    let stores = Set(CommandLine.arguments).intersection(["memory", "sqlite"])
    let arguments = CommandLine.arguments.compactMap { Int($0) }
    let deliveries = arguments.first ?? 20_000
    let callers = arguments.count > 1 ? Array(arguments.dropFirst()) : [1, 64]
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("delivery-benchmark-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for count in callers {
      if stores != ["sqlite"] {
        try await compare("memory", MemoryStore(), deliveries: deliveries, callers: count)
      }
      if stores != ["memory"] {
        let file = folder.appendingPathComponent("\(count).db").path
        try await compare("SQLite", try SQLiteStore(path: file), deliveries: deliveries / 4, callers: count)
      }
    }
  }

  /// Measures the jobs in turn, and prints the medians of the rounds.
  private static func compare(_ name: String, _ store: any JobStore, deliveries: Int, callers: Int) async throws {
    var options = RuntimeOptions()
    options.logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    let runtime = JobRuntime(
      try JobRegistry {
        EndpointJob("plain") { _ in }
        EndpointJob("limited") { _ in }.maxConcurrent(1_000).rate(RateLimit(1_000_000, per: .seconds(1)))
      }, store: store, authentication: .trustLoopback, options: options)
    var rates = [String: [Double]]()
    for round in 0..<rounds {
      for job in round % 2 == 0 ? jobs : jobs.reversed() {
        let rate = await rate(of: job, runtime, deliveries: deliveries / rounds, callers: callers)
        rates[job, default: []].append(rate)
      }
    }
    let medians = jobs.map { median(rates[$0] ?? []) }
    let ratio = median(zip(rates["limited"] ?? [], rates["plain"] ?? []).map { $0 / $1 })
    print(
      "\(name), \(callers) callers: \(Int(medians[0])) deliveries a second without limits, \(Int(medians[1])) with "
        + "limits that do not bind: \(String(format: "%.2f", ratio))")
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private static func rate(of job: String, _ runtime: JobRuntime, deliveries: Int, callers: Int) async -> Double {
    let body = Array(#"{"jobId":"\#(job)"}"#.utf8)
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
    precondition(failures == 0, "\(failures) of \(deliveries) deliveries failed.")
    return Double(deliveries) / Date().timeIntervalSince(start)
  }
}
#else
/// Without the trait SQLite there is nothing to measure.
@main
enum DeliveryBenchmark {
  static func main() {}
}
#endif
