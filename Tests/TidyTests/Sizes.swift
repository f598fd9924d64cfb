/// Refuses what is too long to read at once.
enum Sizes {
  static let maxFunctionLines = 70
  static let maxFileLines = 600
  static let maxColumns = 120
  static let maxReadmeLines = 200

  /// Functions, files and lines of a Swift file that are too long.
  static func check(_ file: SourceFile) -> [Finding] {
    var findings = columns(path: file.path, lines: file.lines)
    if lineCount(file) > maxFileLines {
      findings.append(Finding(path: file.path, line: 1, message: "the file has over \(maxFileLines) lines: divide it"))
    }
    for function in Functions.all(in: file) where function.lineCount > maxFunctionLines {
      let message = "\(function.name) has \(function.lineCount) lines, over \(maxFunctionLines): divide it"
      findings.append(Finding(path: file.path, line: function.line, message: message))
    }
    return findings
  }

  /// Lines over 120 columns.
  static func columns(path: String, lines: [String]) -> [Finding] {
    lines.indices.filter { lines[$0].utf8.count > maxColumns && lines[$0].count > maxColumns }.map {
      Finding(path: path, line: $0 + 1, message: "the line has over \(maxColumns) columns: break it")
    }
  }

  /// The README where it has grown too long.
  static func readme(_ file: SourceFile) -> [Finding] {
    lineCount(file) <= maxReadmeLines
      ? [] : [Finding(path: file.path, line: 1, message: "over \(maxReadmeLines) lines: move parts to the guides")]
  }

  /// The lines of a file, without the empty one after the last terminator.
  static func lineCount(_ file: SourceFile) -> Int {
    file.lines.last == "" ? file.lines.count - 1 : file.lines.count
  }

  /// The value below which a share of the values lies, in percent.
  static func percentile(_ percent: Int, of values: [Int]) -> Int {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
  }
}
