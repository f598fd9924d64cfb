import Foundation

/// The small inbox of a first visit.
enum DefaultInbox {
  /// Makes the folder with some files, one of them a link that leads nowhere, unless it is there already.
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
