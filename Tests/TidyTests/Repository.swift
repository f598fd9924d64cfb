import Foundation

/// The files of the repository.
struct Repository: Sendable {
  /// The root folder.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The paths of all files that git tracks or does not ignore, relative to the root.
  let paths: [String]

  init() throws {
    paths = try Self.gitFiles() ?? Self.walk()
  }

  /// Returns the Swift files of all targets.
  func swiftFiles() throws -> [SourceFile] {
    try paths.filter { path in
      path.hasSuffix(".swift") && ["Sources/", "Emulator/", "Tests/"].contains { path.hasPrefix($0) }
    }.map { SourceFile(path: $0, text: try text($0)) }
  }

  /// Returns the text of a file; empty if it is not UTF-8.
  func text(_ path: String) throws -> String {
    String(data: try Data(contentsOf: Self.root.appending(path: path)), encoding: .utf8) ?? ""
  }

  /// Returns the files that git lists, or nil without git or a repository, as in an unpacked archive.
  private static func gitFiles() throws -> [String]? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["git", "-C", root.path, "ls-files", "--cached", "--others", "--exclude-standard"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init).filter {
      FileManager.default.fileExists(atPath: root.appending(path: $0).path)
    }
  }

  private static func walk() -> [String] {
    let places = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
    let prefix = root.path.hasSuffix("/") ? root.path : root.path + "/"
    return (places?.allObjects ?? []).compactMap { $0 as? URL }
      .filter { !$0.hasDirectoryPath && $0.path.hasPrefix(prefix) }
      .map { String($0.path.dropFirst(prefix.count)) }
  }
}

/// A source file with its lines and its code.
struct SourceFile: Sendable {
  /// The path relative to the repository's root.
  let path: String
  /// The lines of the text.
  let lines: [String]
  /// The lines with comments and string contents replaced by spaces: only code remains, in the same columns.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    code = CodeScanner.blank(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The target's folder below `Sources`, `Emulator`, `Tests` or `Tests/Programs`; empty outside targets.
  var target: String {
    let parts = path.split(separator: "/")
    let index = path.hasPrefix("Tests/Programs/") ? 2 : 1
    return parts.count > index + 1 ? String(parts[index]) : ""
  }

  /// A Boolean value that indicates whether the file belongs to a test target or a test program.
  var isTest: Bool { path.hasPrefix("Tests/") }
  /// A Boolean value that indicates whether the file is in a `Live` folder, for adapters to the machine.
  var isLive: Bool { path.contains("/Live/") }
}

/// A violation of a rule.
struct Finding: Hashable, Sendable, CustomStringConvertible {
  let path: String
  let line: Int
  let message: String

  var description: String { "\(path):\(line): \(message)" }
}
