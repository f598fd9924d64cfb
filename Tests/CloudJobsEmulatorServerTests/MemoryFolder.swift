import CloudJobsCore
import Synchronization

@testable import CloudJobsEmulatorServer

/// A folder in memory that loses what was not synced when it crashes, at a step of the test's choice.
final class MemoryFolder: FolderFiles {
  /// What becomes of steps that were not synced.
  enum Fate: CaseIterable {
    /// None of them took place.
    case lost
    /// All of them took place.
    case kept
    /// Names as they were renamed, but only half of the bytes.
    case torn
  }

  private final class Node: Sendable {
    let bytes: Mutex<[UInt8]>
    let synced: Mutex<Int>

    init(_ bytes: [UInt8], synced: Int) {
      self.bytes = Mutex(bytes)
      self.synced = Mutex(synced)
    }
  }

  private struct State {
    var nodes: [String: Node]
    var durable: [String: Node]
    var steps: [String] = []
    var crashAt: Int?
  }

  private let state: Mutex<State>
  private let willStep: @Sendable (String) -> Void

  /// A folder with files, that crashes instead of taking a step of some number from 0, or never.
  init(
    _ files: [String: [UInt8]] = [:], crashAt: Int? = nil, willStep: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.willStep = willStep
    let nodes = files.mapValues { Node($0, synced: $0.count) }
    state = Mutex(State(nodes: nodes, durable: nodes, crashAt: crashAt))
  }

  /// The steps that changed something, or would have.
  var steps: [String] { state.withLock { $0.steps } }

  /// The files as the process sees them.
  var files: [String: [UInt8]] { state.withLock { $0.nodes.mapValues { node in node.bytes.withLock { $0 } } } }

  /// The files that the next process finds.
  func files(after fate: Fate) -> [String: [UInt8]] {
    state.withLock { state in
      (fate == .lost ? state.durable : state.nodes).mapValues { node in
        let bytes = node.bytes.withLock { $0 }
        let synced = min(node.synced.withLock { $0 }, bytes.count)
        switch fate {
        case .kept: return bytes
        case .lost: return Array(bytes[..<synced])
        case .torn: return Array(bytes[..<(synced + (bytes.count - synced) / 2)])
        }
      }
    }
  }

  private static var crash: JobError { JobError(.storeUnavailable, "The machine is off.") }

  private func step<Result>(
    _ text: String, _ body: (inout State) throws(JobError) -> sending Result
  ) throws(JobError) -> sending Result {
    willStep(text)
    return try state.withLock { (state) throws(JobError) in
      if let number = state.crashAt, state.steps.count >= number { throw Self.crash }
      state.steps.append(text)
      return try body(&state)
    }
  }

  func names() throws(JobError) -> [String] { state.withLock { Array($0.nodes.keys) } }

  func read(_ name: String, from offset: Int, count: Int) throws(JobError) -> [UInt8] {
    guard let bytes = files[name] else { throw JobError(.storeUnavailable, "There is no \(name).") }
    return Array(bytes.dropFirst(offset).prefix(count))
  }

  func append(_ bytes: [UInt8], to name: String) throws(JobError) {
    try step("append \(name)") { state in
      let node = state.nodes[name] ?? Node([], synced: 0)
      state.nodes[name] = node
      node.bytes.withLock { $0 += bytes }
    }
  }

  func truncate(_ name: String, to size: Int) throws(JobError) {
    try step("truncate \(name)") { state in
      state.nodes[name]?.bytes.withLock { $0.removeSubrange(size...) }
      state.nodes[name]?.synced.withLock { $0 = min($0, size) }
    }
  }

  func sync(_ name: String) throws(JobError) {
    try step("sync \(name)") { state in
      guard let node = state.nodes[name] else { return }
      let count = node.bytes.withLock { $0.count }
      node.synced.withLock { $0 = count }
    }
  }

  func rename(_ name: String, to other: String) throws(JobError) {
    try step("rename \(name) to \(other)") { state in
      state.nodes[other] = state.nodes.removeValue(forKey: name)
    }
  }

  func remove(_ name: String) throws(JobError) {
    try step("remove \(name)") { state in state.nodes[name] = nil }
  }

  func syncNames() throws(JobError) {
    try step("sync names") { state in state.durable = state.nodes }
  }
}
