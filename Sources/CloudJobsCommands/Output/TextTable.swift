/// A table of text that fits a width.
struct TextTable {
  /// A column.
  struct Column {
    /// What its cells are, which decides their short form.
    enum Kind {
      /// Text, which may be cut.
      case text
      /// A number, which stands at the right.
      case number
      /// A time of ``TimeText``, which loses its year and its offset first.
      case time
      /// A run id, of which the first 12 digits are enough.
      case runID
      /// A status, which has a colour.
      case status
    }

    var title: String
    var kind: Kind
    /// The place in the order in which columns are left out where a terminal is narrow; nil for one that stays.
    var drop: Int?

    init(_ title: String, isNumeric: Bool = false) {
      self.init(title, as: isNumeric ? .number : .text)
    }

    init(_ title: String, as kind: Kind, drop: Int? = nil) {
      (self.title, self.kind, self.drop) = (title, kind, drop)
    }

    /// Returns the short form of a cell.
    func short(_ cell: String) -> String {
      switch kind {
      case .runID: String(cell.prefix(12))
      case .time where cell.count >= 19: String(cell.dropFirst(5).prefix(14))
      case .text, .number, .time, .status: cell
      }
    }
  }

  /// The least width to which a column is cut.
  private static let leastWidth = 8
  /// The width of a text column below which others are left out instead.
  private static let readableWidth = 12
  private static let gap = 2

  var columns: [Column]
  var rows: [[String]]

  /// Returns the lines: the titles, then the rows.
  ///
  /// - Parameter width: the number of columns of a terminal; nil for no limit. Times and ids are shortened first, then
  ///   columns are left out, and then the widest cells are cut.
  /// - Returns: the lines, without spaces at their ends.
  func lines(width: Int?) -> [String] {
    let titles = columns.map { $0.title.uppercased() }
    var (columns, cells) = (columns, [titles] + rows.map { $0.map(Self.oneLine) })
    if let width {
      if !Self.fits(columns, cells, width) {
        cells = [titles] + cells.dropFirst().map { row in zip(columns, row).map { $0.short($1) } }
      }
      while !Self.fits(columns, cells, width),
        let place = columns.indices.filter({ columns[$0].drop != nil }).min(by: {
          columns[$0].drop ?? 0 < columns[$1].drop ?? 0
        })
      {
        columns.remove(at: place)
        for row in cells.indices { cells[row].remove(at: place) }
      }
    }
    let widths = Self.widths(of: cells, columns, total: width)
    return cells.enumerated().map { number, row in Self.line(row, columns, widths, isTitle: number == 0) }
  }

  private static func line(_ row: [String], _ columns: [Column], _ widths: [Int], isTitle: Bool) -> String {
    var line = ""
    for (index, column) in columns.enumerated() {
      let text = cut(row[index], to: widths[index])
      let space = String(repeating: " ", count: widths[index] - text.count)
      if index > 0 { line += String(repeating: " ", count: gap) }
      let shown = column.kind == .status && !isTitle ? Colours.paint(text) : text
      line += column.kind == .number ? space + shown : shown + space
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private static func natural(_ cells: [[String]], _ column: Int) -> Int { cells.map { $0[column].count }.max() ?? 0 }

  /// Returns whether everything can be read: text to a part, all else whole.
  private static func fits(_ columns: [Column], _ cells: [[String]], _ total: Int) -> Bool {
    let widths = columns.indices.map { index in
      columns[index].kind == .text ? min(natural(cells, index), readableWidth) : natural(cells, index)
    }
    return widths.reduce(0, +) + gap * (columns.count - 1) <= total
  }

  private static func widths(of cells: [[String]], _ columns: [Column], total: Int?) -> [Int] {
    var widths = columns.indices.map { natural(cells, $0) }
    guard let total else { return widths }
    let room = total - gap * (columns.count - 1)
    let isText = columns.map { $0.kind == .text }
    while widths.reduce(0, +) > room {
      // Text is cut first; the rest only where no text is left to cut.
      let texts = widths.indices.filter { isText[$0] && widths[$0] > leastWidth }
      let all = widths.indices.filter { widths[$0] > leastWidth }
      guard let widest = (texts.isEmpty ? all : texts).max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
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

  /// Returns text behind a label, in lines of a width.
  ///
  /// - Parameters:
  ///   - label: the label, which takes up 10 columns.
  ///   - text: the text.
  ///   - width: the number of columns; nil for one line.
  /// - Returns: the lines.
  static func labelled(_ label: String, _ text: String, width: Int?) -> [String] {
    let space = String(repeating: " ", count: 10)
    let lines = wrapped(text, width: width.map { $0 - space.count })
    return lines.enumerated().map { ($0 == 0 ? label + space.dropFirst(label.count) : space) + $1 }
  }

  /// Returns text in lines of a width, broken at spaces.
  ///
  /// - Parameters:
  ///   - text: the text.
  ///   - width: the number of columns, at least 12; nil for one line.
  /// - Returns: the lines.
  static func wrapped(_ text: String, width: Int?) -> [String] {
    guard let width = width.map({ max(12, $0) }), text.count > width else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " \(word)"
    }
    return lines + [line]
  }
}
