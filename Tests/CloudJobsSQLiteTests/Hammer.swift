#if SQLite
import Foundation
import Synchronization

/// A process of `store-hammer`, and what it has told.
final class Hammer: Sendable {
  private struct State {
    var text = ""
    var killsAfter = Int.max
    var isFinished = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let process = Process()
  private let state = Mutex(State())

  /// Starts a process; what it tells begins with `ready`.
  init(_ command: String, _ path: String, _ count: Int, _ name: String) throws {
    let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    process.executableURL = folder.appending(path: "store-hammer")
    process.arguments = [command, path, String(count), name]
    let pipe = Pipe()
    process.standardOutput = pipe
    pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      self?.take(data)
    }
    try process.run()
  }

  /// The process's exit status, or the number of the signal that ended it.
  var status: Int32 { process.terminationStatus }

  /// Kills the process, as `kill -9` does, as soon as it has told some lines.
  func kill(afterLines count: Int) {
    state.withLock { $0.killsAfter = count }
  }

  /// Waits for the process's end; answers the complete lines that it told.
  func finished() async throws -> [String] {
    await withCheckedContinuation { continuation in
      let isFinished = state.withLock { state in
        if !state.isFinished { state.waiter = continuation }
        return state.isFinished
      }
      if isFinished { continuation.resume() }
    }
    process.waitUntilExit()
    return state.withLock { state in
      state.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        .filter { $0 != "ready" }
    }
  }

  private func take(_ data: Data) {
    let (waiter, kills) = state.withLock { state in
      state.text += String(decoding: data, as: UTF8.self)
      guard data.isEmpty else {
        return (nil, state.text.utf8.count { $0 == UInt8(ascii: "\n") } > state.killsAfter)
          as (CheckedContinuation<Void, Never>?, Bool)
      }
      state.isFinished = true
      defer { state.waiter = nil }
      return (state.waiter, false)
    }
    if kills { Foundation.kill(process.processIdentifier, SIGKILL) }
    waiter?.resume()
  }
}
#endif
