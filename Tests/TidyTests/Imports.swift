/// Refuses imports that the design's arrows between modules exclude.
enum Imports {
  /// What every module may import, and what only adapters in `Live/` folders may.
  static let everywhere: Set<String> = ["Swift", "Synchronization", "FoundationEssentials"]
  static let live: Set<String> = ["Foundation", "Glibc", "Musl", "Darwin", "Dispatch"]
  /// The targets whose products are executables, which deal with the machine as adapters do.
  static let executables: Set<String> = ["cloud-jobs", "InboxDemo"]

  /// What each target may import besides.
  static let allowed: [String: Set<String>] = [
    "CloudJobsCore": [],
    "CloudJobs": ["CloudJobsCore", "Logging", "Metrics", "HTTPTypes"],
    "CloudJobsHTTP": ["CloudJobsCore", "CCurl", "HTTPTypes"],
    "CloudJobsGoogle": ["CloudJobsCore", "CloudJobs", "CloudJobsHTTP", "HTTPTypes", "JWTKit"],
    "CloudJobsSQLite": ["CloudJobsCore", "CloudJobs", "GRDB", "Foundation"],
    "CloudJobsPostgres": ["CloudJobsCore", "CloudJobs", "CPostgres"],
    "CloudJobsHTTPServer": [
      "CloudJobsCore", "Hummingbird", "HummingbirdCore", "NIOCore", "NIOHTTP1", "NIOPosix", "ServiceLifecycle",
      "Logging",
    ],
    "CloudJobsServer": [
      "CloudJobsCore", "CloudJobs", "CloudJobsHTTPServer", "Hummingbird", "HummingbirdCore", "NIOCore",
      "ServiceLifecycle", "Logging", "HTTPTypes",
    ],
    "CloudJobsTesting": ["CloudJobsCore", "CloudJobs", "CloudJobsEmulator", "Logging", "HTTPTypes", "Testing"],
    "CloudJobsEmulator": ["CloudJobsCore"],
    "CloudJobsEmulatorServer": [
      "CloudJobsCore", "CloudJobsEmulator", "CloudJobsHTTP", "CloudJobsHTTPServer", "Hummingbird", "HummingbirdCore",
      "NIOCore", "ServiceLifecycle", "Logging", "HTTPTypes", "CryptoExtras",
    ],
    "CloudJobsSimulation": ["CloudJobsCore", "CloudJobs", "CloudJobsEmulator"],
    "ProgramConsole": ["CloudJobsCore"],
    "cloud-jobs": [
      "CloudJobsCore", "CloudJobsEmulator", "CloudJobsEmulatorServer", "ProgramConsole", "ArgumentParser", "Logging",
    ],
    "InboxDemo": [
      "CloudJobsCore", "CloudJobs", "CloudJobsHTTP", "CloudJobsGoogle", "CloudJobsSQLite", "CloudJobsServer",
      "CloudJobsEmulator", "CloudJobsEmulatorServer", "ProgramConsole", "ArgumentParser", "ServiceLifecycle",
      "Logging", "HTTPTypes",
    ],
  ]

  /// The imports of a file that its target may not have; a target that the table lacks is a finding itself.
  static func check(_ file: SourceFile) -> [Finding] {
    guard !file.isTest else { return [] }
    guard let own = allowed[file.target] else {
      return [
        Finding(path: file.path, line: 1, message: "the target \(file.target) has no row in the table of imports")
      ]
    }
    var permitted = everywhere.union(own)
    if file.isLive || executables.contains(file.target) { permitted.formUnion(live) }
    // Where there is no FoundationEssentials, Foundation stands in for it.
    if file.code.contains(where: { $0.contains("canImport(FoundationEssentials)") }) { permitted.insert("Foundation") }
    return modules(of: file).filter { !permitted.contains($0.module) }.map {
      Finding(path: file.path, line: $0.line, message: "\(file.target) may not import \($0.module)")
    }
  }

  /// The modules that a file imports, with their lines.
  static func modules(of file: SourceFile) -> [(module: String, line: Int)] {
    let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    return file.code.enumerated().compactMap { index, line in
      var words = line.split(whereSeparator: \.isWhitespace)[...]
      while let word = words.first, word.hasPrefix("@") || ["public", "package", "internal", "private"].contains(word) {
        words = words.dropFirst()
      }
      guard words.first == "import" else { return nil }
      words = words.dropFirst()
      if let word = words.first, kinds.contains(String(word)) { words = words.dropFirst() }
      return words.first?.split(separator: ".").first.map { (String($0), index + 1) }
    }
  }
}
