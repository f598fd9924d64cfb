#if SQLite
import Foundation
import Synchronization

/// A process of the store's stress program, with its output.
///
/// It is spawned and awaited by system calls on a thread, because Foundation's `Process` sometimes waited forever for
/// one of several ended processes.
final class StoreStressProcess: Sendable {
  private struct State {
    var text: [UInt8] = []
    var killsAfter = Int.max
    var status: Int32?
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let process: pid_t
  private let state = Mutex(State())

  /// Starts a process; its output begins with `ready`.
  init(_ command: String, _ path: String, _ count: Int, _ name: String) throws {
    let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let program = folder.appending(path: "store-stress").path
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failure(code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    process = try Self.spawn([program, command, path, String(count), name], output: ends[1])
    close(ends[1])
    let input = ends[0]
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 4_096)
      while true {
        let count = read(input, &buffer, buffer.count)
        if count <= 0 { break }
        take(buffer.prefix(count))
      }
      close(input)
      finish()
    }
  }

  /// The exit status, 0 for success; valid after ``finished()``.
  var status: Int32? { state.withLock { $0.status } }

  /// Kills the process with SIGKILL once it has printed some lines.
  func kill(afterLines count: Int) {
    state.withLock { $0.killsAfter = count }
  }

  /// Waits for the end of the process; returns the complete lines that it printed.
  func finished() async -> [String] {
    await withCheckedContinuation { continuation in
      let isFinished = state.withLock { state in
        if state.status == nil { state.waiter = continuation }
        return state.status != nil
      }
      if isFinished { continuation.resume() }
    }
    return state.withLock { state in
      state.text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        .map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "ready" }
    }
  }

  /// Only the reading thread kills and awaits, so the number can't belong to another process.
  private func take(_ bytes: ArraySlice<UInt8>) {
    let kills = state.withLock { state in
      state.text += bytes
      return state.text.count { $0 == UInt8(ascii: "\n") } > state.killsAfter
    }
    if kills { _ = Foundation.kill(process, SIGKILL) }
  }

  private func finish() {
    var status: Int32 = 0
    while waitpid(process, &status, 0) == -1, errno == EINTR {}
    let waiter = state.withLock { state in
      state.status = status
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  private static func spawn(_ arguments: [String], output: Int32) throws -> pid_t {
    #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    #else
    var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    // A crash must end the process at once; its backtrace may hang.
    let environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, arguments[0], &actions, nil, argv, envp)
    if code != 0 { throw Failure(code: code) }
    return process
  }

  /// The error number of a system call.
  struct Failure: Error {
    let code: Int32
  }
}
#endif
