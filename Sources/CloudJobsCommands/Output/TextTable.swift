/// A table of text that fits a width.
struct TextTable {
  /// A column.
  struct Column {
    var title: String
    /// Whether its cells stand at the right, as numbers do.
    var isNumeric = false

    init(_ title: String, isNumeric: Bool = false) {
      self.title = title
      self.isNumeric = isNumeric
    }
  }

  /// The least width to which a column is cut.
  private static let leastWidth = 8
  private static let gap = 2

  var columns: [Column]
  var rows: [[String]]

  /// Returns the lines: the titles, then the rows.
  ///
  /// - Parameter width: the number of columns of a terminal, to which the widest cells are cut; nil for no limit.
  /// - Returns: the lines, without spaces at their ends.
  func lines(width: Int?) -> [String] {
    let cells = [columns.map { $0.title.uppercased() }] + rows.map { $0.map(Self.oneLine) }
    let widths = Self.widths(of: cells, columns: columns.count, total: width)
    return cells.map { row in line(row, widths) }
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, column) in columns.enumerated() {
      let text = Self.cut(row[index], to: widths[index])
      let space = String(repeating: " ", count: widths[index] - text.count)
      if index > 0 { line += String(repeating: " ", count: Self.gap) }
      line += column.isNumeric ? space + text : text + space
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private static func widths(of cells: [[String]], columns: Int, total: Int?) -> [Int] {
    var widths = (0..<columns).map { column in cells.map { $0[column].count }.max() ?? 0 }
    guard let total else { return widths }
    let room = total - gap * (columns - 1)
    while widths.reduce(0, +) > room, let widest = widths.max(), widest > leastWidth,
      let place = widths.firstIndex(of: widest)
    {
      widths[place] -= 1
    }
    return widths
  }

  private static func cut(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
  }

  /// Control characters, which could move a terminal's cursor, become spaces.
  static func oneLine(_ text: String) -> String {
    String(text.map { $0.unicodeScalars.contains { $0.properties.generalCategory == .control } ? " " : $0 })
  }
}
