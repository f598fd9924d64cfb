#if Server
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import ProgramConsole

/// `dashboard`.
struct DashboardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dashboard", abstract: "Serves the dashboard of a store, until SIGTERM or Ctrl-C.",
    discussion: """
      It executes nothing, and needs no job's code: run it beside the programs that work on the store. Without a \
      password it is for the browsers of this machine. At another address than loopback it asks for the password in \
      --password-file, or for those in CLOUD_JOBS_DASHBOARD_PASSWORD and CLOUD_JOBS_DASHBOARD_READ_ONLY_PASSWORD; \
      the users are admin and viewer. Put a proxy with TLS before it.
      """)

  @Option(help: "The port, 0 to 65535, where 0 is any; by default 8081.") var port: UInt16 = 8_081
  @Option(help: "The address to listen at; another than loopback needs a password.") var host = "127.0.0.1"
  @Option(help: "A file whose first line is the password of the user admin.", completion: .file())
  var passwordFile: String?
  @Flag(help: "Lets all visitors look, and change nothing.") var readOnly = false
  @Option(help: "The name at the top of each page; by default the address of the store.") var title: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      guard HostName.isNameOrAddress(host) else {
        throw JobError(.invalidField, "\(host.prefix(80)) is neither an IP address nor a host name.", field: "--host")
      }
      let settings = try await JobSettings.load()
      let store = store.falling(back: settings.store)
      let address = try store.address()
      let options = try options(over: settings.server.dashboard ?? .loopback, address: "\(address)")
      let runtime = try await store.runtime()
      // A store that can't be read is told now, and not by each page.
      _ = try await runtime.runs(limit: 1)
      let server = try DashboardServer(runtime, options, host: host, port: Int(port)) { [output] url in
        let state: JSONValue = [
          "state": "serving", "store": .string("\(address)"), "url": .string(url), "readOnly": .bool(readOnly),
        ]
        try output.show(state) { _, _ in ["The dashboard is at \(url)", "Stop it with Ctrl-C."] }
      }
      try await server.runUntilSignal()
      try output.show(["state": "stopped", "store": .string("\(address)")]) { _, _ in ["Stopped."] }
    }
  }

  /// Returns the options of the dashboard: those of the settings, under those of the command line.
  private func options(over settings: DashboardOptions, address: String) throws(JobError) -> DashboardOptions {
    var options = settings
    if options.title == DashboardOptions.loopback.title { options.title = address }
    options.title = title ?? options.title
    if let passwordFile {
      guard let bytes = TextFile.read(passwordFile, upTo: 4_096) else {
        throw JobError(
          .invalidField, "The file can't be read, or has more than 4096 bytes: \(passwordFile)",
          field: "--password-file")
      }
      let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
      do throws(JobError) {
        options.access = try .passwords([DashboardAccess.User("admin", password: line)], hosts: ["*"])
      } catch {
        throw JobError(error.code, error.message, field: "--password-file")
      }
    }
    if readOnly { options.access = options.access.readOnly }
    return options
  }
}
#endif
