import Foundation

/// The repository's own files.
struct Repository {
  /// The root, found from this file.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The paths of all files that are tracked or could be, from the root.
  let paths: [String]

  init() throws {
    paths = try Self.gitFiles() ?? Self.walk()
  }

  /// The Swift files of all targets.
  func swiftFiles() throws -> [SourceFile] {
    try paths.filter { path in
      path.hasSuffix(".swift") && ["Sources/", "Emulator/", "Tests/"].contains { path.hasPrefix($0) }
    }.map { SourceFile(path: $0, text: try text($0)) }
  }

  /// The text of a file; empty where it is not text.
  func text(_ path: String) throws -> String {
    String(data: try Data(contentsOf: Self.root.appending(path: path)), encoding: .utf8) ?? ""
  }

  /// What git knows of; nil where there is no git or no repository, as in an unpacked archive.
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
