/// Bodies that would cost a careless reader more than their size.
enum HostileBody: CaseIterable {
  case brackets, names, equalNames, escapedNames, members, escapes, surrogates, digits, strings, spaces, base64

  /// A body of about as many bytes, and never more.
  func bytes(_ size: Int) -> [UInt8] {
    switch self {
    case .brackets: Array(repeatElement(UInt8(ascii: "["), count: size))
    case .names: filled(size, "{\"jobId\":\"a\"", "}") { ",\"\($0)\":0" }
    case .equalNames: filled(size, "{\"jobId\":\"a\"", "}") { _ in ",\"x\":0" }
    case .escapedNames: filled(size, "{\"jobId\":\"a\"", "}") { ",\"\\u0041\($0)\":0" }
    case .members: filled(size, "{\"jobId\":\"a\",\"payload\":[0", "]}") { _ in ",{\"a\":{},\"b\":[]}" }
    case .escapes: filled(size, "{\"jobId\":\"a\",\"runId\":\"", "\"}") { _ in "\\u000a" }
    case .surrogates: filled(size, "{\"jobId\":\"a\",\"correlationId\":\"", "\"}") { _ in "\\ud83d\\ude00" }
    case .digits: filled(size, "{\"jobId\":\"a\",\"attempt\":1", "}") { _ in "0123456789" }
    case .strings: filled(size, "{\"jobId\":\"", "\"}") { _ in "é" }
    case .spaces: filled(size, "{\"jobId\":", "7}") { _ in " \n\t\r" }
    case .base64:
      filled(size, "{\"subscription\":\"s\",\"message\":{\"messageId\":\"1\",\"data\":\"", "\"}}") { _ in "W1tb" }
    }
  }

  private func filled(_ size: Int, _ start: String, _ end: String, _ part: (Int) -> String) -> [UInt8] {
    var bytes = Array(start.utf8)
    var index = 0
    while true {
      let next = Array(part(index).utf8)
      guard bytes.count + next.count + end.utf8.count <= size else { return bytes + Array(end.utf8) }
      bytes += next
      index += 1
    }
  }
}
