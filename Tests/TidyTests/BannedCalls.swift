/// Refuses calls that make a decision depend on the machine, that crash, or that escape structured concurrency.
enum BannedCalls {
  /// The calls, and what to use in their place.
  static let table: [(call: String, remedy: String)] = [
    ("Date()", "take the time from a JobClock"),
    ("Date.now", "take the time from a JobClock"),
    ("ContinuousClock", "take the time from a JobClock"),
    ("SuspendingClock", "take the time from a JobClock"),
    ("Task.sleep", "use JobClock.sleep(until:)"),
    ("UUID()", "take a random source as a value"),
    (".random(", "pass a generator: using: &generator"),
    (".randomElement(", "pass a generator: using: &generator"),
    (".shuffled(", "pass a generator: using: &generator"),
    ("SystemRandomNumberGenerator", "take a random source as a value"),
    ("print(", "log, or return the text"),
    ("debugPrint(", "log, or return the text"),
    ("try!", "throw, or test for the condition"),
    ("fatalError", "throw, or state the condition as a precondition"),
    ("Task.detached", "use a task group"),
    ("Task {", "use a task group"),
    ("ProcessInfo", "take the value as an option"),
    ("getenv", "take the value as an option"),
  ]

  /// The banned calls of a file that no allowance covers.
  static func check(_ file: SourceFile, allowances: [Allowance] = Allowance.all) -> [Finding] {
    guard !file.isLive else { return [] }
    let allowed = Set(allowances.filter { file.path.hasPrefix($0.path) }.flatMap(\.calls))
    return table.filter { !allowed.contains($0.call) }.flatMap { call, remedy in
      file.code.indices.filter { contains(call, in: file.code, at: $0) }.map {
        Finding(path: file.path, line: $0 + 1, message: "\(call) is banned: \(remedy)")
      }
    }
  }

  private static func contains(_ call: String, in code: [String], at index: Int) -> Bool {
    let line = code[index]
    if call == "Task {" { return line.contains("Task") && startsTask(line) }
    guard line.contains(call) else { return false }
    return line.ranges(of: call).contains { range in
      if call.hasPrefix(".") { return !takesGenerator(code, from: index, after: range.upperBound) }
      let before = line[..<range.lowerBound].last
      return !(before.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false)
        && !line[..<range.lowerBound].hasSuffix("func ")
    }
  }

  /// Whether a call that may draw from the system's generator is given one, on its line or the next.
  private static func takesGenerator(_ code: [String], from index: Int, after place: String.Index) -> Bool {
    code[index][place...].contains("using:") || (index + 1 < code.count && code[index + 1].contains("using:"))
  }

  /// Whether a line starts an unstructured task: `Task {` or `Task(priority: …) {`, but neither a type of that name nor
  /// a function that returns one.
  private static func startsTask(_ line: String) -> Bool {
    let others = ["struct", "class", "enum", "actor", "extension", "protocol", "as", "is", "any", "some", "->", ":"]
    return line.ranges(of: "Task").contains { range in
      let before = line[..<range.lowerBound]
      if let last = before.last, last.isLetter || last.isNumber || last == "_" || last == "." { return false }
      let words = before.split(whereSeparator: \.isWhitespace)
      if let word = words.last, others.contains(where: { word == $0 || ($0 == ":" && word.hasSuffix(":")) }) {
        // A labelled argument may be a task; a type annotation ends the line with an opening brace.
        return false
      }
      var rest = line[range.upperBound...].drop(while: \.isWhitespace)
      if rest.first == "(" { rest = (rest.firstIndex(of: ")").map { rest[$0...].dropFirst() } ?? "") }
      return rest.drop(while: \.isWhitespace).first == "{"
    }
  }
}
