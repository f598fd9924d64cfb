import Foundation

/// The columns and queries of `Documentation/tables.md`, for the tests of the stores.
package struct TablesGuide: Sendable {
  /// The columns of one store as `table.column type`, in order.
  package let columns: [String]
  /// The queries of that store, without their comments.
  package let queries: [String]

  /// Reads the page.
  ///
  /// - Parameter store: the name of the store's column and section.
  /// - Throws: if the page can't be read.
  package init(_ store: String) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "Documentation/tables.md"), encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let cells = lines.map { line in line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    let head = cells.first { $0.contains(store) } ?? []
    let place = head.firstIndex(of: store) ?? 0
    columns = cells.compactMap { row in
      guard row.count == head.count, row[0].hasPrefix("`"), row[0].contains("."), row[place] != "–" else { return nil }
      return "\(row[0].filter { $0 != "`" }) \(row[place])"
    }.sorted()
    let section = lines.drop { $0 != "## \(store)" }
    let block = section.drop { $0 != "```sql" }.dropFirst().prefix { $0 != "```" }
    queries = block.filter { !$0.hasPrefix("--") }.joined(separator: "\n").split(separator: ";").map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }.filter { !$0.isEmpty }
  }
}
