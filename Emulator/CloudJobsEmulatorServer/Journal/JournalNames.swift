/// The names of the files that make up a journal in a data folder.
///
/// The journal comes in generations. Generation 0 begins with services that have nothing, each later one with what its
/// snapshot tells.
enum JournalNames {
  /// The file of a generation's records.
  static func journal(_ generation: Int) -> String {
    generation == 0 ? "journal.jsonl" : "journal-\(generation).jsonl"
  }

  /// The file of the snapshot that a generation begins with.
  static func snapshot(_ generation: Int) -> String { "snapshot-\(generation).jsonl" }

  /// The generation that a file belongs to, complete or not; nil for another file.
  static func generation(of name: String) -> Int? {
    let name = name.hasSuffix(".tmp") ? name.dropLast(4) : name[...]
    if name == journal(0) { return 0 }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].hasSuffix(".jsonl"), let number = Int(parts[1].dropLast(6)),
      name == journal(number) || name == snapshot(number)
    else { return nil }
    return number
  }
}
