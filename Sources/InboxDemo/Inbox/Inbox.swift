import CloudJobsCore
import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A folder of files to ingest.
struct Inbox: Sendable {
  /// The folder's absolute path, without symbolic links.
  let root: String
  /// A folder inside the inbox to leave out; nil for none.
  let excluded: String?

  /// Returns all entries of the folder and its subfolders except folders, ordered by path.
  ///
  /// A symbolic link to a file stands for the file, and a dangling one is an entry of its own. A link to a folder is
  /// left out, as by `find`: its content has a path of its own or lies outside the inbox. A folder that can't be opened
  /// is an entry, so that it is not missed silently.
  func scan() -> [InboxEntry] {
    var entries = [InboxEntry]()
    walk(InboxPath(bytes: []), into: &entries)
    return entries.sorted { $0.path < $1.path }
  }

  /// Returns the absolute path of an entry, as a C string.
  func systemPath(_ path: InboxPath) -> [CChar] {
    let bytes = Array(root.utf8) + (path.bytes.isEmpty ? [] : [UInt8(ascii: "/")] + path.bytes) + [0]
    return bytes.map { CChar(bitPattern: $0) }
  }

  private func walk(_ folder: InboxPath, into entries: inout [InboxEntry]) {
    guard let names = names(in: folder) else {
      entries.append(InboxEntry(path: folder, size: 0, modifiedNanoseconds: 0))
      return
    }
    for name in names {
      let path = folder.appending(name)
      if String(decoding: Array(root.utf8) + [UInt8(ascii: "/")] + path.bytes, as: UTF8.self) == excluded { continue }
      var link = stat()
      guard lstat(systemPath(path), &link) == 0 else { continue }
      if link.st_mode & S_IFMT == S_IFDIR {
        walk(path, into: &entries)
        continue
      }
      // A dangling link has no target, so its own attributes are used.
      var target = stat()
      let status = stat(systemPath(path), &target) == 0 ? target : link
      if status.st_mode & S_IFMT == S_IFDIR { continue }
      let time = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
      entries.append(InboxEntry(path: path, size: Int64(status.st_size), modifiedNanoseconds: time))
    }
  }

  private func names(in folder: InboxPath) -> [[UInt8]]? {
    guard let directory = opendir(systemPath(folder)) else { return nil }
    defer { closedir(directory) }
    var names = [[UInt8]]()
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in Array(bytes.prefix { $0 != 0 }) }
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
    }
    return names
  }
}

extension Inbox {
  /// Whether the root can be listed.
  var isReadableFolder: Bool {
    guard let directory = opendir(systemPath(InboxPath(bytes: []))) else { return false }
    closedir(directory)
    return true
  }
}

/// An entry of the inbox that is not a folder, as of a scan.
struct InboxEntry: Hashable, Sendable {
  var path: InboxPath
  /// The size and the modification time identify a path's content.
  var size: Int64
  var modifiedNanoseconds: Int64

  /// Returns the key of the entry's occurrence: the inbox, the path and the content's attributes.
  func key(inbox: String) -> String {
    let text = "\(inbox)\u{0}\(SHA256.hex(path.bytes))\u{0}\(size)\u{0}\(modifiedNanoseconds)"
    return SHA256.hexDigest(of: text.utf8)
  }
}

/// A path relative to the inbox, as bytes: a file name need not be UTF-8.
struct InboxPath: Hashable, Comparable, Sendable {
  let bytes: [UInt8]

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Returns the path of a member of this folder.
  func appending(_ name: [UInt8]) -> InboxPath {
    InboxPath(bytes: bytes.isEmpty ? name : bytes + [UInt8(ascii: "/")] + name)
  }

  /// The path as text; bytes that are not UTF-8 are written as `\xNN`.
  var text: String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = ""
    var rest = bytes[...]
    while !rest.isEmpty {
      let length = (1...4).first { length in
        length <= rest.count && String(validating: rest.prefix(length), as: UTF8.self) != nil
      }
      if let length {
        text += String(decoding: rest.prefix(length), as: UTF8.self)
      } else {
        text += "\\x" + SHA256.hex([rest[rest.startIndex]])
      }
      rest = rest.dropFirst(length ?? 1)
    }
    return text
  }

  static func < (left: InboxPath, right: InboxPath) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension InboxPath: Codable {
  /// Decodes the path from its bytes in hexadecimal digits.
  init(from decoder: any Decoder) throws {
    let digits = Array(try decoder.singleValueContainer().decode(String.self).utf8)
    var bytes = [UInt8]()
    for start in stride(from: 0, to: digits.count - 1, by: 2) {
      guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
        throw DecodingError.dataCorrupted(
          DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not hexadecimal"))
      }
      bytes.append(byte)
    }
    self.init(bytes: bytes)
  }

  /// Encodes the path as its bytes in hexadecimal digits.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(SHA256.hex(bytes))
  }
}

/// The small default inbox.
enum DefaultInbox {
  /// Creates the folder with some files and a dangling link, unless it exists.
  static func make(at folder: URL) throws {
    let manager = FileManager.default
    if manager.fileExists(atPath: folder.path) { return }
    try manager.createDirectory(at: folder.appendingPathComponent("letters"), withIntermediateDirectories: true)
    let poem = ["A job runs because, and only because,", "a trigger exists.", ""].joined(separator: "\n")
    for number in 1...12 {
      let text = String(repeating: poem, count: number)
      try Data(text.utf8).write(to: folder.appendingPathComponent("letters/letter-\(number).txt"))
    }
    try Data("name,amount\nAda,12\nGrace,30\n".utf8).write(to: folder.appendingPathComponent("accounts.csv"))
    try Data().write(to: folder.appendingPathComponent("empty.txt"))
    try manager.createSymbolicLink(
      atPath: folder.appendingPathComponent("lost.txt").path, withDestinationPath: "nowhere.txt")
  }
}
