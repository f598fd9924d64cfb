import CloudJobsCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A subprocess of this program that executes one attempt.
///
/// It is a process group of its own, gets its request on its standard input, and writes the outcome to its standard
/// output. The standard input stays open: when this process ends, so does the subprocess.
final class Subprocess: Sendable {
  private enum State {
    case waiting
    case running(pid_t)
    case cancelled
    case ended
  }

  /// The maximum size of the standard output, in bytes.
  private static let outputLimit = 4 << 20

  /// Processes start one after the other, so that none inherits the pipes of another.
  private static let spawning = Mutex(())

  private let state = Mutex(State.waiting)

  /// Executes an attempt in a subprocess, which is killed if the task is cancelled.
  ///
  /// - Parameter request: the attempt.
  /// - Returns: the outcome.
  static func execute(_ request: SubprocessRequest) async -> Outcome {
    let process = Subprocess()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isStarted = DedicatedThread.start {
          let (output, end) = process.run(request.line)
          continuation.resume(returning: Outcome(subprocessOutput: output, end: end))
        }
        if !isStarted {
          continuation.resume(
            returning: Outcome(subprocessOutput: [], end: .notStarted(reason: "the system has no more threads")))
        }
      }
    } onCancel: {
      process.kill()
    }
  }

  private func kill() {
    state.withLock { state in
      switch state {
      case .waiting: state = .cancelled
      // The process has not been waited for, so the number is still its own.
      case .running(let pid): _ = systemKill(-pid, SIGKILL)
      case .cancelled, .ended: break
      }
    }
  }

  /// Starts the process and waits for its end.
  private func run(_ input: [UInt8]) -> (output: [UInt8], end: SubprocessEnd) {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let started = Self.spawning.withLock { _ in start() }
    guard let (stdin, stdout) = started.pipes else { return ([], .notStarted(reason: "too many open files")) }
    defer {
      stdin.closeWriting()
      stdout.closeReading()
    }
    guard started.code == 0 else {
      return ([], .notStarted(reason: String(cString: strerror(started.code))))
    }
    stdin.write(input)
    let output = stdout.readAll(limit: Self.outputLimit)
    return (output, wait(for: started.pid))
  }

  /// Creates the pipes and starts the process, unless it has been cancelled.
  private func start() -> (pipes: (stdin: Pipe, stdout: Pipe)?, pid: pid_t, code: Int32) {
    guard let stdin = Pipe() else { return (nil, 0, EMFILE) }
    guard let stdout = Pipe() else {
      stdin.closeReading()
      stdin.closeWriting()
      return (nil, 0, EMFILE)
    }
    let (pid, code): (pid_t, Int32) = state.withLock { state in
      if case .cancelled = state { return (0, ECANCELED) }
      let (pid, code) = Self.spawn(stdin, stdout)
      if code == 0 { state = .running(pid) }
      return (pid, code)
    }
    stdin.closeReading()
    stdout.closeWriting()
    return ((stdin, stdout), pid, code)
  }

  /// Waits until the process has ended; from then on it is not killed any more.
  private func wait(for pid: pid_t) -> SubprocessEnd {
    var information = siginfo_t()
    while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    return state.withLock { state in
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      state = .ended
      let signal = status & 0x7F
      return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
    }
  }

  private static func spawn(_ stdin: Pipe, _ stdout: Pipe) -> (pid: pid_t, code: Int32) {
    #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
    #else
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_adddup2(&actions, stdin.reading, 0)
    posix_spawn_file_actions_adddup2(&actions, stdout.writing, 1)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    var variables = [strdup("\(SubprocessRequest.variable)=1")]
    var variable = environ
    while let text = variable.pointee {
      variables.append(strdup(text))
      variable += 1
    }
    variables.append(nil)
    defer { for text in arguments + variables { free(text) } }
    #if os(Linux)
    let path = "/proc/self/exe"
    #else
    let path = CommandLine.arguments[0]
    #endif
    var pid = pid_t()
    let code = posix_spawnp(&pid, path, &actions, &attributes, &arguments, &variables)
    return (pid, code)
  }
}

/// Sends a signal; `kill` by a name that no method hides.
private func systemKill(_ pid: pid_t, _ signal: Int32) -> Int32 {
  kill(pid, signal)
}

/// A pipe whose ends no other subprocess inherits.
private struct Pipe {
  let reading: Int32
  let writing: Int32

  init?() {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  func closeReading() { close(reading) }
  func closeWriting() { close(writing) }

  /// Writes all bytes, unless the other end is closed.
  func write(_ bytes: [UInt8]) {
    Descriptor.write(bytes, to: writing)
  }

  /// Reads until the other end is closed; drops what exceeds the limit.
  func readAll(limit: Int) -> [UInt8] {
    var all = [UInt8]()
    while let chunk = Descriptor.read(reading) {
      all += chunk.prefix(max(0, limit - all.count))
    }
    return all
  }
}

/// Reading and writing of file descriptors.
private enum Descriptor {
  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { buffer in putBytes(descriptor, buffer.baseAddress, buffer.count) }
      if count < 0, errno != EINTR { return }
      rest = rest.dropFirst(max(0, count))
    }
  }

  /// Reads some bytes; nil at the end.
  static func read(_ descriptor: Int32) -> ArraySlice<UInt8>? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = getBytes(descriptor, &buffer, buffer.count)
      if count > 0 { return buffer.prefix(count) }
      if count == 0 || errno != EINTR { return nil }
    }
  }

  private static func putBytes(_ descriptor: Int32, _ pointer: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
    Glibc.write(descriptor, pointer, count)
    #elseif canImport(Musl)
    Musl.write(descriptor, pointer, count)
    #else
    Darwin.write(descriptor, pointer, count)
    #endif
  }

  private static func getBytes(_ descriptor: Int32, _ pointer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    #if canImport(Glibc)
    Glibc.read(descriptor, pointer, count)
    #elseif canImport(Musl)
    Musl.read(descriptor, pointer, count)
    #else
    Darwin.read(descriptor, pointer, count)
    #endif
  }
}

extension JobRuntime {
  /// Executes the attempt that another process of this program has handed to this one, and exits; returns at once if
  /// this process is no subprocess.
  ///
  /// `JobServer` and ``JobWorker`` call it. A program with another `main` and ``HeavyJobs/subprocess`` calls it before
  /// it does anything else with the runtime.
  public func runSubprocessAttempt() async {
    guard getenv(SubprocessRequest.variable) != nil else { return }
    // Subprocesses of the handler's own are none of ours.
    unsetenv(SubprocessRequest.variable)
    // Whatever the handler prints goes to standard error.
    let output = dup(1)
    dup2(2, 1)
    var input = [UInt8]()
    while input.last != 0x0A, let chunk = Descriptor.read(0) { input += chunk }
    DedicatedThread.start {
      while Descriptor.read(0) != nil {}
      _exit(EXIT_FAILURE)
    }
    do throws(JobError) {
      let request = try SubprocessRequest(parsing: input.dropLast())
      guard let registered = services.registry.jobs[request.run.job] else { throw .unknownJob(request.run.job) }
      var stored = request.run
      stored.input = try services.payloads.sealed(stored.input, job: stored.job, run: stored.id, "input")
      let record = AttemptRecord(stored, at: services.clock.now(), services, isInSubprocess: true)
      let context = JobContext(run: request.run, deadline: request.deadline, record, services)
      let outcome = await registered.execute(request.run.input, context)
      await record.flush()
      Descriptor.write(outcome.subprocessOutput, to: output)
    } catch {
      let failure = RunFailure(kind: "subprocess", message: error.message)
      Descriptor.write(Outcome.failed(failure, isPermanent: false, retryAfter: nil).subprocessOutput, to: output)
    }
    fflush(nil)
    _exit(EXIT_SUCCESS)
  }
}
