/// Rejects calls that depend on the machine, that crash, or that escape structured concurrency.
enum BannedCalls {
  /// The banned calls and their replacements.
  static let table: [(call: String, remedy: String)] = [
    ("Date()", "take the time from a JobClock"),
    ("Date.now", "take the time from a JobClock"),
    ("ContinuousClock", "take the time from a JobClock"),
    ("SuspendingClock", "take the time from a JobClock"),
    ("Task.sleep", "use JobClock.sleep(until:)"),
    ("UUID()", "take a random source as a value"),
    (".random(", "pass a generator: using: &generator"),
    (".randomElement(", "pass a generator: using: &generator"),
    (".shuffled(", "pass a generator: using: &generator"),
    ("SystemRandomNumberGenerator", "take a random source as a value"),
    ("print(", "log, or return the text"),
    ("debugPrint(", "log, or return the text"),
    ("try!", "throw, or test for the condition"),
    ("fatalError", "throw, or state the condition as a precondition"),
    ("Task.detached", "use a task group"),
    ("Task {", "use a task group"),
    ("ProcessInfo", "take the value as an option"),
    ("getenv", "take the value as an option"),
  ]

  /// Returns the banned calls of a file that no allowance covers; `Live/` folders may use any.
  static func check(_ file: SourceFile, allowances: [Allowance] = Allowance.all) -> [Finding] {
    guard !file.isLive else { return [] }
    let allowed = Set(allowances.filter { file.path.hasPrefix($0.path) }.flatMap(\.calls))
    return occurrences(in: file).filter { !allowed.contains($0.call) }.map { call, remedy, line in
      Finding(path: file.path, line: line, message: "\(call) is banned: \(remedy)")
    }
  }

  /// Returns all banned calls of a file with their line numbers.
  static func occurrences(in file: SourceFile) -> [(call: String, remedy: String, line: Int)] {
    table.flatMap { call, remedy in
      file.code.indices.filter { contains(call, in: file.code, at: $0) }.map { (call, remedy, $0 + 1) }
    }
  }

  private static func contains(_ call: String, in code: [String], at index: Int) -> Bool {
    let line = code[index]
    if call == "Task {" { return line.contains("Task") && startsTask(line) }
    guard line.contains(call) else { return false }
    return line.ranges(of: call).contains { range in
      if call.hasPrefix(".") { return !takesGenerator(code, from: index, after: range.upperBound) }
      let before = line[..<range.lowerBound].last
      return !(before.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false)
        && !line[..<range.lowerBound].hasSuffix("func ")
    }
  }

  /// Returns whether a call that may use the system's random generator gets another one, on its line or the next.
  private static func takesGenerator(_ code: [String], from index: Int, after place: String.Index) -> Bool {
    code[index][place...].contains("using:") || (index + 1 < code.count && code[index + 1].contains("using:"))
  }

  /// Returns whether a line starts an unstructured task: `Task {` or `Task(priority: …) {`, but not a type of that name
  /// or a function that returns one.
  private static func startsTask(_ line: String) -> Bool {
    let others = ["struct", "class", "enum", "actor", "extension", "protocol", "as", "is", "any", "some", "->", ":"]
    return line.ranges(of: "Task").contains { range in
      let before = line[..<range.lowerBound]
      if let last = before.last, last.isLetter || last.isNumber || last == "_" || last == "." { return false }
      let words = before.split(whereSeparator: \.isWhitespace)
      if let word = words.last, others.contains(where: { word == $0 || ($0 == ":" && word.hasSuffix(":")) }) {
        // `: Task {` is a type annotation before a computed property's body.
        return false
      }
      var rest = line[range.upperBound...].drop(while: \.isWhitespace)
      if rest.first == "(" { rest = (rest.firstIndex(of: ")").map { rest[$0...].dropFirst() } ?? "") }
      return rest.drop(while: \.isWhitespace).first == "{"
    }
  }
}

/// Rejects imports that the dependencies between modules exclude.
enum Imports {
  /// The modules that every target may import.
  static let everywhere: Set<String> = ["Synchronization", "FoundationEssentials"]
  /// The modules that only executables and the adapters in `Live/` folders may import.
  static let live: Set<String> = ["Foundation", "Glibc", "Musl", "Darwin", "Dispatch"]
  /// The targets of executables, which may use the machine as adapters do.
  static let executables: Set<String> = ["cloud-jobs", "InboxDemo", "WorkerDemo"]

  /// The other modules that each target may import.
  static let allowed: [String: Set<String>] = [
    "CloudJobsCore": [],
    "CloudJobs": ["CloudJobsCore", "Logging", "Metrics", "HTTPTypes", "Tracing"],
    "CloudJobsHTTP": ["CCurl", "HTTPTypes"],
    "CloudJobsGoogle": ["CloudJobsCore", "CloudJobs", "CloudJobsHTTP", "HTTPTypes", "JWTKit"],
    "CloudJobsSQLite": ["CloudJobsCore", "CloudJobs", "GRDB", "Foundation"],
    "CloudJobsPostgres": ["CloudJobsCore", "CloudJobs", "CPostgres"],
    "CloudJobsEncryption": ["CloudJobsCore", "CloudJobs", "Crypto"],
    "CloudJobsHTTPServer": [
      "CloudJobsCore", "Hummingbird", "HummingbirdCore", "NIOCore", "NIOHTTP1", "NIOHTTP2", "NIOHTTPTypes",
      "NIOHTTPTypesHTTP2", "NIOPosix", "ServiceLifecycle", "Logging",
    ],
    "CloudJobsPages": ["CloudJobsCore", "HTTPTypes", "Mustache"],
    "CloudJobsServer": [
      "CloudJobsCore", "CloudJobs", "CloudJobsHTTPServer", "CloudJobsPages", "Configuration", "HTTPTypes",
      "Hummingbird", "NIOCore", "ServiceLifecycle", "Logging", "Tracing",
    ],
    "CloudJobsStores": [
      "CloudJobsCore", "CloudJobs", "CloudJobsGoogle", "CloudJobsHTTP", "CloudJobsPostgres", "CloudJobsSQLite",
    ],
    "CloudJobsCommands": [
      "CloudJobsCore", "CloudJobs", "CloudJobsStores", "CloudJobsServer", "CloudJobsGoogle", "CloudJobsHTTP",
      "ProgramConsole", "ArgumentParser", "Logging",
    ],
    "CloudJobsTesting": ["CloudJobsCore", "CloudJobs", "CloudJobsEmulator", "Logging", "HTTPTypes"],
    "CloudJobsEmulator": ["CloudJobsCore"],
    "CloudJobsEmulatorWire": ["CloudJobsCore", "CloudJobsEmulator"],
    "CloudJobsEmulatorServer": [
      "CZlib", "CloudJobsCore", "CloudJobsEmulator", "CloudJobsEmulatorWire", "CloudJobsHTTP", "CloudJobsHTTPServer",
      "CloudJobsPages", "Hummingbird", "NIOCore",
      "ServiceLifecycle", "Logging", "HTTPTypes", "CryptoExtras",
    ],
    "ProgramConsole": ["CloudJobsCore"],
    "cloud-jobs": [
      "CloudJobsCore", "CloudJobsCommands", "CloudJobsEmulator", "CloudJobsEmulatorServer", "ProgramConsole",
      "ArgumentParser", "Logging",
    ],
    "InboxDemo": [
      "CloudJobsCore", "CloudJobs", "CloudJobsHTTP", "CloudJobsGoogle", "CloudJobsStores", "CloudJobsServer",
      "CloudJobsEmulatorServer", "ProgramConsole", "ArgumentParser", "ServiceLifecycle", "Logging", "HTTPTypes",
    ],
    "WorkerDemo": [
      "CloudJobsCore", "CloudJobs", "CloudJobsServer", "CloudJobsStores", "ProgramConsole", "ArgumentParser",
      "Logging",
    ],
  ]

  /// Returns the imports of a file that its target may not have; a target without a row is a finding too.
  static func check(_ file: SourceFile) -> [Finding] {
    guard !file.isTest else { return [] }
    guard let own = allowed[file.target] else {
      return [
        Finding(path: file.path, line: 1, message: "the target \(file.target) has no row in the table of imports")
      ]
    }
    var permitted = everywhere.union(own)
    if file.isLive || executables.contains(file.target) { permitted.formUnion(live) }
    // Foundation replaces FoundationEssentials on platforms without it.
    if file.code.contains(where: { $0.contains("canImport(FoundationEssentials)") }) { permitted.insert("Foundation") }
    return modules(of: file).filter { !permitted.contains($0.module) }.map {
      Finding(path: file.path, line: $0.line, message: "\(file.target) may not import \($0.module)")
    }
  }

  /// Returns a finding for each row or module of the tables that no file uses.
  static func unused(in files: [SourceFile]) -> [Finding] {
    let imports = Dictionary(grouping: files.filter { !$0.isTest }, by: \.target).mapValues { group in
      Set(group.flatMap { modules(of: $0).map(\.module) })
    }
    let rows: [(target: String, modules: Set<String>)] =
      allowed.map { ($0.key, $0.value) } + executables.map { ($0, []) }
    let ownRows = rows.flatMap { target, modules in
      guard let used = imports[target] else { return ["the row \(target)"] }
      return modules.subtracting(used).map { "the module \($0) in the row \(target)" }
    }
    let shared = everywhere.union(live).subtracting(imports.values.joined()).map { "the module \($0)" }
    return (ownRows + shared).sorted().map {
      Finding(path: "Tests/TidyTests/Rules.swift", line: 1, message: "\($0) matches nothing: remove it")
    }
  }

  /// Returns the modules that a file imports, with their line numbers.
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

/// Rejects functions, files and lines that are too long.
enum Sizes {
  static let maxFunctionLines = 70
  static let maxFileLines = 600
  static let maxColumns = 120
  static let maxReadmeLines = 200

  /// Returns the functions, files and lines of a Swift file that exceed the limits.
  static func check(_ file: SourceFile) -> [Finding] {
    var findings = columns(path: file.path, lines: file.lines)
    if lineCount(file) > maxFileLines {
      findings.append(Finding(path: file.path, line: 1, message: "the file has over \(maxFileLines) lines: split it"))
    }
    for function in Functions.all(in: file) where function.lineCount > maxFunctionLines {
      let message = "\(function.name) has \(function.lineCount) lines, over \(maxFunctionLines): split it"
      findings.append(Finding(path: file.path, line: function.line, message: message))
    }
    return findings
  }

  /// Returns the lines with too many columns.
  static func columns(path: String, lines: [String]) -> [Finding] {
    lines.indices.filter { lines[$0].utf8.count > maxColumns && lines[$0].count > maxColumns }.map {
      Finding(path: path, line: $0 + 1, message: "the line has over \(maxColumns) columns: break it")
    }
  }

  /// Returns a finding if the README is too long.
  static func readme(_ file: SourceFile) -> [Finding] {
    lineCount(file) <= maxReadmeLines
      ? [] : [Finding(path: file.path, line: 1, message: "over \(maxReadmeLines) lines: move parts to the guides")]
  }

  /// Returns the number of lines of a file.
  static func lineCount(_ file: SourceFile) -> Int {
    file.lines.last == "" ? file.lines.count - 1 : file.lines.count
  }

  /// Returns a percentile of some values.
  static func percentile(_ percent: Int, of values: [Int]) -> Int {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
  }
}

/// Rejects programs that do not build without the package's traits.
enum TraitConditions {
  /// The modules that are empty without their trait.
  private static let gated = [
    "CloudJobsHTTP", "CloudJobsGoogle", "CloudJobsSQLite", "CloudJobsPostgres", "CloudJobsEncryption",
    "CloudJobsServer", "CloudJobsEmulatorServer",
  ]

  /// Returns a finding if a program's file imports a module of a trait outside an `#if` of a trait.
  ///
  /// Every target is built by `swift test --disable-default-traits`, the quick loop.
  static func check(_ file: SourceFile) -> [Finding] {
    let programs = [
      "Tests/Programs/", "Benchmarks/", "Sources/InboxDemo/", "Sources/WorkerDemo/", "Sources/cloud-jobs/",
    ]
    guard programs.contains(where: { file.path.hasPrefix($0) }) else { return [] }
    let start = file.code.firstIndex { line in
      let traits = ["HTTP", "Google", "SQLite", "PostgreSQL", "Encryption", "Server"]
      return line.hasPrefix("#if ") && traits.contains { line.contains($0) }
    }
    let imports = file.code.indices.filter { index in
      gated.contains { file.code[index].split(separator: " ").suffix(2).map(String.init) == ["import", $0] }
    }
    return imports.filter { $0 < start ?? .max }.map {
      Finding(path: file.path, line: $0 + 1, message: "the module is empty without its trait: import it in an #if")
    }
  }
}

/// Rejects meaningless file names and paths of a single machine.
enum Paths {
  /// The top folders of such paths, assembled so that this file contains none.
  private static let machines = ["work", "root", "home"].map { "/" + $0 + "/" }

  /// Returns the paths of a machine in a text.
  static func machinePaths(path: String, lines: [String]) -> [Finding] {
    lines.enumerated().flatMap { index, line in
      machines.filter { machine in
        line.ranges(of: machine).contains { range in
          let before = line[..<range.lowerBound].last
          return !(before.map { $0.isLetter || $0.isNumber || "._-~})".contains($0) } ?? false)
        }
      }.map { Finding(path: path, line: index + 1, message: "\($0)… is a path of one machine: make it relative") }
    }
  }

  /// Returns a finding if a file or folder name does not describe the contents.
  static func name(_ path: String) -> [Finding] {
    let empty = ["utils", "util", "utilities", "helpers", "helper", "misc"]
    let isEmpty = path.split(separator: "/").contains { part in
      let stem = part.split(separator: ".").first.map { $0.lowercased() } ?? ""
      return empty.contains { stem == $0 || stem.hasSuffix("+" + $0) || (stem.hasSuffix($0) && $0.count > 4) }
    }
    return isEmpty ? [Finding(path: path, line: 1, message: "the name does not describe the contents: rename it")] : []
  }
}

/// Rejects tests that never run because they lack `@Test`.
enum TestAttributes {
  /// Returns the findings in the files of one test target.
  static func check(_ files: [SourceFile]) -> [Finding] {
    let functions = files.flatMap { file in Functions.all(in: file).map { (file, $0) } }
    let texts = files.map { $0.code.joined(separator: "\n") }
    return functions.compactMap { file, function in
      guard !function.hasTestAttribute else { return nil }
      if function.name.hasPrefix("test"), function.name.dropFirst(4).first?.isLowercase != true {
        return Finding(path: file.path, line: function.line, message: "\(function.name) has no @Test: it is skipped")
      }
      let expects = ["#expect", "#require", "Issue.record"].contains { function.body.contains($0) }
      let mentions = texts.reduce(0) { $0 + mentionCount(of: function.name, in: $1) }
      guard expects, mentions < 2 else { return nil }
      return Finding(
        path: file.path, line: function.line,
        message: "\(function.name) expects something, has no @Test and is never called")
    }
  }

  private static func mentionCount(of name: String, in text: String) -> Int {
    text.ranges(of: name).count { range in
      let before = text[..<range.lowerBound].last
      let after = text[range.upperBound...].first
      return !isWord(before) && !isWord(after)
    }
  }

  private static func isWord(_ character: Character?) -> Bool {
    character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
  }
}

/// Rejects unexplained claims of thread safety that the compiler does not check.
enum UncheckedClaims {
  /// Returns each `@unchecked Sendable` and `nonisolated(unsafe)` without a comment directly above.
  static func check(_ file: SourceFile) -> [Finding] {
    file.code.indices.compactMap { index in
      guard let claim = ["@unchecked Sendable", "nonisolated(unsafe)"].first(where: { file.code[index].contains($0) })
      else { return nil }
      var above = index - 1
      while above >= 0, file.lines[above].drop(while: \.isWhitespace).hasPrefix("@") { above -= 1 }
      let isExplained = above >= 0 && file.lines[above].drop(while: \.isWhitespace).hasPrefix("//")
      guard !isExplained else { return nil }
      return Finding(
        path: file.path, line: index + 1, message: "\(claim) needs a comment above that explains why it is safe")
    }
  }
}

/// Shapes of code that the compiler translates wrongly.
enum MiscompiledShapes {
  /// Returns the places of each shape.
  static func check(_ file: SourceFile) -> [Finding] { awaitsInTuples(file) + localFunctions(file) }

  /// Returns each task-local value that is a function.
  ///
  /// In a release build of Swift 6.3.1 with the feature NonisolatedNonsendingByDefault, its `withValue` ends the
  /// program with a signal. A structure around the function is safe.
  private static func localFunctions(_ file: SourceFile) -> [Finding] {
    file.code.indices.compactMap { index in
      guard file.code[index].contains("@TaskLocal") else { return nil }
      let text = file.code[index...].prefix(3).joined(separator: " ")
      guard text.firstMatch(of: #/@TaskLocal[^=:]*\bvar \w+:\s*[(@][^={]*->/#) != nil else { return nil }
      return Finding(
        path: file.path, line: index + 1,
        message: "a function as a task-local value ends an optimized program: put it into a structure")
    }
  }

  /// Returns each tuple that is returned while one of its elements waits for an error that may be thrown.
  ///
  /// In a closure of `addTask` or `Task`, the optimizer of Swift 6.3.1 loses the elements before it: a release build
  /// gets other values, or ends with a signal, and a debug build does not. What is awaited goes into a constant of its
  /// own.
  private static func awaitsInTuples(_ file: SourceFile) -> [Finding] {
    file.code.indices.compactMap { index in
      guard let start = file.code[index].firstRange(of: "return (") else { return nil }
      let rest = [String(file.code[index][start.upperBound...])] + file.code[(index + 1)...].prefix(3)
      let text = rest.joined(separator: " ")
      // The elements before, with calls in them, and then one that is awaited, as such or in a case with a value.
      guard text.prefixMatch(of: #/(?:[^{}()]|\([^{}()]*\))*,\s*(?:\.\w+\(\s*)?try await /#) != nil else { return nil }
      return Finding(
        path: file.path, line: index + 1, message: "await before the tuple: an optimized build loses the other elements"
      )
    }
  }
}
