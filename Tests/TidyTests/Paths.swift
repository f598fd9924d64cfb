/// Refuses names of files that say nothing, and texts that name one person's machine.
enum Paths {
  /// The folders of machines, put together so that this file does not name them.
  private static let machines = ["work", "root", "home"].map { "/" + $0 + "/" }

  /// Paths of a machine in a file's text.
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

  /// A file or folder whose name says nothing about what is in it.
  static func name(_ path: String) -> [Finding] {
    let empty = ["utils", "util", "utilities", "helpers", "helper", "misc"]
    let isEmpty = path.split(separator: "/").contains { part in
      let stem = part.split(separator: ".").first.map { $0.lowercased() } ?? ""
      return empty.contains { stem == $0 || stem.hasSuffix("+" + $0) || (stem.hasSuffix($0) && $0.count > 4) }
    }
    return isEmpty ? [Finding(path: path, line: 1, message: "the name says nothing: call it by what it holds")] : []
  }
}
