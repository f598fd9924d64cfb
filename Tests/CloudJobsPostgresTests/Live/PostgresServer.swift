#if PostgreSQL
import CloudJobs
import CloudJobsPostgres
import CPostgres
import Foundation
import Synchronization
import Testing

/// A PostgreSQL server of the tests, which listens on a free port of loopback.
///
/// Its data are in a temporary folder, and it runs as an unprivileged user. One serves the whole test process; each
/// test has a schema of its own.
final class PostgresServer: Sendable {
  /// Why the server does not work.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The folder with the server's programs; nil if it is not installed.
  static let programs: String? = {
    let root = "/usr/lib/postgresql"
    let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
    let folders = versions.sorted(by: >).map { "\(root)/\($0)/bin" } + ["/usr/local/bin", "/opt/homebrew/bin"]
    return folders.first { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") }
  }()

  static var isInstalled: Bool { programs != nil }
  /// The comment of skipped tests.
  static let remedy: Comment =
    "NOT TESTED: PostgreSQL is not installed here. Run infra/install-system-packages tests, or install `postgresql`."

  /// The server of the test process, which ends with it.
  static let shared: Result<PostgresServer, any Error> = Result {
    let server = try PostgresServer()
    atexit { try? PostgresServer.shared.get().remove() }
    return server
  }

  let folder: String
  let port: Int
  private let programs: String
  private let counter = Atomic<Int>(0)

  /// Creates a cluster and starts its server.
  ///
  /// - Parameter settings: further settings of the server.
  /// - Throws: ``Failure`` if PostgreSQL is not installed or does not start.
  init(settings: [String] = []) throws {
    guard let programs = Self.programs else { throw Failure(description: "PostgreSQL is not installed.") }
    self.programs = programs
    // Short, because the path of a socket has at most 107 bytes; and readable for the unprivileged user.
    folder = "/tmp/cloud-jobs-pg-\(UUID().uuidString.prefix(8))"
    port = try Self.freePort()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    if geteuid() == 0 { try Self.run("/bin/chown", ["nobody", folder]) }
    try Data("secret\n".utf8).write(to: URL(filePath: "\(folder)/password"))
    try run(
      "initdb",
      [
        "--no-sync", "--no-locale", "--encoding=UTF8", "--username=tester", "--auth=scram-sha-256",
        "--pwfile=\(folder)/password", "-D", "\(folder)/data",
      ])
    try start(settings)
  }

  /// Starts the server, again after ``stop(_:)``.
  func start(_ settings: [String] = []) throws {
    let options =
      [
        "-k \(folder)", "-c listen_addresses=127.0.0.1", "-p \(port)", "-c fsync=off", "-c max_connections=400",
        "-c shared_buffers=32MB",
      ] + settings.map { "-c \($0)" }
    try run(
      "pg_ctl",
      ["start", "--wait", "-D", "\(folder)/data", "-l", "\(folder)/log", "-o", options.joined(separator: " ")])
  }

  /// Stops the server: `fast`, or `immediate` as in a crash.
  func stop(_ mode: String) throws {
    try run("pg_ctl", ["stop", "--wait", "-D", "\(folder)/data", "-m", mode])
  }

  /// Stops the server and deletes its data.
  func remove() throws {
    try? stop("immediate")
    try FileManager.default.removeItem(atPath: folder)
  }

  /// Returns a schema of its own for a test.
  func database() -> PostgresDatabase {
    PostgresDatabase(server: self, schema: "test_\(counter.wrappingAdd(1, ordering: .relaxed).newValue)")
  }

  /// The connection string, with the password.
  var connection: String { "postgres://tester:secret@127.0.0.1:\(port)/postgres" }

  /// Runs a program of PostgreSQL as a user who may.
  private func run(_ program: String, _ arguments: [String]) throws {
    let command = ["\(programs)/\(program)"] + arguments
    if geteuid() == 0 {
      try Self.run("/usr/bin/setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] + command)
    } else {
      try Self.run(command[0], arguments)
    }
  }

  /// Runs a program to its end by system calls: Foundation's `Process` waits for the end of the server too, which
  /// inherits its socket.
  private static func run(_ program: String, _ arguments: [String]) throws {
    let messages = "/tmp/cloud-jobs-pg-messages-\(UUID().uuidString)"
    defer { unlink(messages) }
    #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    #else
    var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
    let argv = ([program] + arguments).map { strdup($0) } + [nil]
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, program, &actions, nil, argv, envp)
    guard code == 0 else { throw Failure(description: "\(program) can't be started: error \(code)") }
    var status: Int32 = 0
    while waitpid(process, &status, 0) == -1, errno == EINTR {}
    if status == 0 { return }
    let text = (try? String(contentsOfFile: messages, encoding: .utf8)) ?? ""
    throw Failure(description: "\(program) \(arguments.joined(separator: " ")): \(text)")
  }

  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, length) | getsockname(descriptor, pointer, &length)
      }
    }
    guard code == 0 else { throw Failure(description: "No port is free.") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// A schema of a test.
struct PostgresDatabase: Sendable {
  let server: PostgresServer
  let schema: String

  /// Opens a store.
  func open(_ configure: (inout PostgresOptions) -> Void = { _ in }) async throws -> PostgresStore {
    var options = PostgresOptions()
    options.schema = schema
    configure(&options)
    return try await PostgresStore.open(server.connection, options: options)
  }

  /// Returns a connection of the test's own, in the schema.
  func connect() throws -> TestConnection {
    try TestConnection("\(server.connection)?options=-csearch_path%3D\(schema)")
  }

  /// Executes statements without a transaction of their own; returns the first field of the last one.
  @discardableResult
  func execute(_ sql: String) throws -> String? { try connect().execute(sql) }

  /// Returns the number that a query results in.
  func number(_ sql: String) throws -> Int { Int(try execute(sql) ?? "") ?? -1 }
}

/// A connection of a test, which blocks its thread.
// A test uses its connection from one task at a time.
final class TestConnection: @unchecked Sendable {
  let handle: OpaquePointer

  init(_ connection: String) throws {
    guard let handle = PQconnectdb(connection), PQstatus(handle) == CONNECTION_OK else {
      throw PostgresServer.Failure(description: "The test could not connect.")
    }
    self.handle = handle
  }

  deinit {
    PQfinish(handle)
  }

  /// Takes the notifications that have arrived; returns their number.
  func takeNotifications() -> Int {
    PQconsumeInput(handle)
    var count = 0
    while let notification = PQnotifies(handle) {
      PQfreemem(notification)
      count += 1
    }
    return count
  }

  /// Executes statements; returns the first field of the last one.
  @discardableResult
  func execute(_ sql: String) throws -> String? {
    let result = PQexec(handle, sql)
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK: return nil
    case PGRES_TUPLES_OK:
      if PQntuples(result) == 0 || PQgetisnull(result, 0, 0) == 1 { return nil }
      return String(cString: PQgetvalue(result, 0, 0))
    default: throw PostgresServer.Failure(description: String(cString: PQerrorMessage(handle)))
    }
  }
}
#endif
