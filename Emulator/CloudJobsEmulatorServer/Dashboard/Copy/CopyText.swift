#if Server
import CloudJobsCore

/// Commands that make a queue, task or job again, in several languages.
///
/// They are of ASCII alone, with everything else as escapes, so that copying changes nothing.
struct CopyText: Sendable {
  /// What is made.
  enum Kind: Sendable {
    case queue, task, job
  }

  /// A language of the commands.
  enum Form: String, Sendable, CaseIterable {
    case curl, python, gcloud

    /// The name.
    var label: String {
      switch self {
      case .curl: "curl"
      case .python: "Python"
      case .gcloud: "gcloud"
      }
    }

    /// What they need.
    var hint: String {
      switch self {
      case .curl: "For a POSIX shell."
      case .python: "For Google's official client: pip install google-cloud-tasks google-cloud-scheduler."
      case .gcloud: "For bash and the Google Cloud CLI, without a login. It has no flags for some rare fields."
      }
    }
  }

  let kind: Kind
  /// The object as it is created: without what the service adds.
  let object: [String: JSONValue]
  /// Scheme, host and port of the emulator.
  let origin: String

  /// Creates the commands of an object.
  ///
  /// - Parameters:
  ///   - kind: the kind of the object.
  ///   - json: the object as the API shows it.
  ///   - origin: scheme, host and port of the emulator.
  init(_ kind: Kind, _ json: JSONValue, origin: String) {
    (self.kind, self.origin) = (kind, origin)
    var object = json.object ?? [:]
    let added: [String]
    switch kind {
    case .queue: added = ["state", "purgeTime"]
    case .task: added = ["createTime", "dispatchCount", "responseCount", "firstAttempt", "lastAttempt", "view"]
    case .job: added = ["state", "status", "userUpdateTime", "scheduleTime", "lastAttemptTime"]
    }
    for name in added { object[name] = nil }
    if var limits = object["rateLimits"]?.object {
      limits["maxBurstSize"] = nil
      object["rateLimits"] = .object(limits)
    }
    self.object = object
  }

  /// The full name of the object.
  var name: String { object["name"]?.string ?? "" }

  /// The parts of the name: project, location, and the IDs of the queue and the task, or of the job.
  var ids: [String] {
    let parts = name.split(separator: "/").map(String.init)
    return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
  }

  /// The full name of the parent.
  var parent: String { name.split(separator: "/").dropLast(2).joined(separator: "/") }

  /// Whether a header field of the object is a credential.
  var hasSecrets: Bool {
    let headers = (object["httpRequest"] ?? object["httpTarget"])?["headers"]?.object ?? [:]
    return headers.keys.contains { SecretHeaders.contains($0) }
  }

  /// Returns the commands.
  func text(_ form: Form) -> String {
    switch form {
    case .curl: curl
    case .python: python
    case .gcloud: GcloudText(self).text
    }
  }

  private var curl: String {
    let path =
      switch kind {
      case .queue: "v2/\(parent)/queues"
      case .task: "v2/\(parent)/tasks"
      case .job: "v1/\(parent)/jobs"
      }
    let body = kind == .task ? JSONValue.object(["task": .object(object)]) : .object(object)
    let json = Self.ascii(PrettyJSON.text(body, limit: .max))
    return """
      curl --fail-with-body -X POST \(ShellText.quoted("\(origin)/\(path)")) \\
        -H 'Content-Type: application/json' \\
        --data-binary \(ShellText.quoted(json))

      """
  }

  private var python: String {
    let (module, client, method, field) =
      switch kind {
      case .queue: ("tasks_v2", "CloudTasksClient", "create_queue", "queue")
      case .task: ("tasks_v2", "CloudTasksClient", "create_task", "task")
      case .job: ("scheduler_v1", "CloudSchedulerClient", "create_job", "job")
      }
    let value = PythonText.literal(.object(object), indent: "")
    let imports = ["Duration": "duration_pb2", "Timestamp": "timestamp_pb2"].filter { value.contains("\($0.key)(") }
      .sorted { $0.key < $1.key }.map { "from google.protobuf.\($0.value) import \($0.key)\n" }.joined()
    let address = origin.split(separator: "/").last.map(String.init) ?? ""
    return """
      import grpc
      from google.cloud import \(module)
      \(imports)
      channel = grpc.insecure_channel(\(PythonText.string(address)))
      transport = \(module).\(client).get_transport_class("grpc")(channel=channel)
      client = \(module).\(client)(transport=transport)
      \(field) = \(value)
      print(client.\(method)(parent=\(PythonText.string(parent)), \(field)=\(field)).name)

      """
  }

  /// Returns JSON in ASCII.
  static func ascii(_ json: String) -> String {
    var text = ""
    for scalar in json.unicodeScalars {
      if scalar.value < 0x7F {
        text.unicodeScalars.append(scalar)
      } else {
        for unit in UTF16.encode(scalar) ?? .init() { text += "\\u" + hex(UInt32(unit), 4) }
      }
    }
    return text
  }

  /// Returns a number in hexadecimal digits.
  static func hex(_ number: UInt32, _ width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// Words of a shell.
enum ShellText {
  /// Returns a text as one word: in single quotes, or in bash's `$'…'` if it has characters beyond ASCII or controls.
  static func quoted(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) || $0 == "\n" }
    if isPlain {
      return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
    var result = "$'"
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\\"): result += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: result += String(UnicodeScalar(byte))
      default: result += "\\x" + CopyText.hex(UInt32(byte), 2)
      }
    }
    return result + "'"
  }
}

/// Literals of Python.
enum PythonText {
  private static let bytesFields: Set<String> = ["body", "data"]
  private static let mapFields: Set<String> = ["headers", "attributes"]
  private static let durationFields: Set<String> = [
    "dispatchDeadline", "attemptDeadline", "maxRetryDuration", "minBackoff", "maxBackoff", "minBackoffDuration",
    "maxBackoffDuration",
  ]

  /// Returns the literal of a message in JSON, with the names of its fields as Python has them.
  static func literal(_ value: JSONValue, field: String = "", indent: String) -> String {
    switch value {
    case .object(let members):
      if members.isEmpty { return "{}" }
      let inner = indent + "    "
      let isMap = mapFields.contains(field)
      let lines = members.keys.sorted().map { key in
        let text = literal(members[key] ?? .null, field: isMap ? "" : key, indent: inner)
        return "\(inner)\(string(isMap ? key : snake(key))): \(text),\n"
      }
      return "{\n\(lines.joined())\(indent)}"
    case .array(let elements):
      return "[" + elements.map { literal($0, indent: indent) }.joined(separator: ", ") + "]"
    case .string(let text):
      if bytesFields.contains(field), let bytes = Base64.decode(text) { return Self.bytes(bytes) }
      if durationFields.contains(field), let span = WireDuration.parse(text) {
        let parts = span.components
        return call("Duration", parts.seconds, parts.attoseconds / 1_000_000_000)
      }
      if field == "scheduleTime", let time = Timestamp(rfc3339: text) {
        return call("Timestamp", time.seconds, time.fraction * 1_000)
      }
      return string(text)
    case .bool(let truth): return truth ? "True" : "False"
    case .null: return "None"
    default: return value.text
    }
  }

  private static func call(_ type: String, _ seconds: Int64, _ nanoseconds: Int64) -> String {
    "\(type)(seconds=\(seconds)\(nanoseconds == 0 ? "" : ", nanos=\(nanoseconds)"))"
  }

  /// Returns the literal of a text.
  static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case _ where (0x20..<0x7F).contains(scalar.value): result.unicodeScalars.append(scalar)
      case _ where scalar.value > 0xFFFF: result += "\\U" + CopyText.hex(scalar.value, 8)
      default: result += "\\u" + CopyText.hex(scalar.value, 4)
      }
    }
    return result + "\""
  }

  private static func bytes(_ bytes: [UInt8]) -> String {
    var result = "b\""
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: result += String(UnicodeScalar(byte))
      default: result += "\\x" + CopyText.hex(UInt32(byte), 2)
      }
    }
    return result + "\""
  }

  /// Returns the name of a field in Python.
  static func snake(_ name: String) -> String {
    var result = ""
    for character in name {
      if character.isUppercase { result += "_" }
      result += character.lowercased()
    }
    return result
  }
}
#endif
