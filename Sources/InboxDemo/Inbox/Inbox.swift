import CloudJobsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A real folder of files.
struct Inbox: Sendable {
  /// The folder's absolute path, without symbolic links.
  let root: String
  /// A folder that is left out, where it lies inside the inbox.
  let excluded: String?

  /// Everything in the folder and the folders below it that is no folder itself, in the order of the paths.
  ///
  /// A symbolic link to a file stands for the file, and one that dangles is an entry of its own. One to a folder is
  /// left out, as `find` leaves it out: what is behind it has a path of its own or is none of this inbox's. A folder
  /// that can't be opened is an entry, so that its loss is seen.
  func scan() -> [InboxEntry] {
    var entries = [InboxEntry]()
    walk(InboxPath(bytes: []), into: &entries)
    return entries.sorted { $0.path < $1.path }
  }

  /// The absolute path of an entry, as the system takes it.
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
      // A link that dangles has no target to ask: the link's own marks stand for it.
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
  /// Whether the root is a folder that can be listed.
  var isReadableFolder: Bool {
    guard let directory = opendir(systemPath(InboxPath(bytes: []))) else { return false }
    closedir(directory)
    return true
  }
}
