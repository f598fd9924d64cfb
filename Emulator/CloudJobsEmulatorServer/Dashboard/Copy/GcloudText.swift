#if Server
import CloudJobsCore

/// The commands of the Google Cloud CLI that make a queue, task or job again.
///
/// Source: <https://cloud.google.com/sdk/gcloud/reference/tasks> and
/// <https://cloud.google.com/sdk/gcloud/reference/scheduler/jobs/create>.
struct GcloudText {
  private let copy: CopyText

  /// Creates the commands of an object.
  init(_ copy: CopyText) { self.copy = copy }

  /// The commands.
  var text: String {
    let service = copy.kind == .job ? "CLOUDSCHEDULER" : "CLOUDTASKS"
    let ids = copy.ids
    guard ids.count >= 3 else { return "" }
    let words: [String]
    switch copy.kind {
    case .queue: words = ["tasks", "queues", "create", ids[2]] + queueFlags
    case .task: words = ["tasks", taskVerb, ids.count > 3 ? ids[3] : "", "--queue=\(ids[2])"] + taskFlags
    case .job: words = ["scheduler", "jobs", "create", jobVerb, ids[2]] + jobFlags
    }
    let lines = (words + ["--project=\(ids[0])", "--location=\(ids[1])"]).map { Self.word($0) }
    let settings = "CLOUDSDK_API_ENDPOINT_OVERRIDES_\(service)=\(Self.word(copy.origin + "/"))"
    return """
      \(settings) CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true \\
        gcloud \(lines.joined(separator: " \\\n    "))

      """
  }

  private static func word(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_=./:".utf8.contains(byte)
      }
    }
    return isPlain && !text.isEmpty ? text : ShellText.quoted(text)
  }

  private func flags(_ json: JSONValue?, _ names: [(field: String, flag: String)]) -> [String] {
    names.compactMap { field, flag in
      json?[field].flatMap { value in
        value.string.map { "--\(flag)=\($0)" } ?? "--\(flag)=\(value.text)"
      }
    }
  }

  private var queueFlags: [String] {
    flags(
      copy.object["rateLimits"],
      [
        ("maxDispatchesPerSecond", "max-dispatches-per-second"),
        ("maxConcurrentDispatches", "max-concurrent-dispatches"),
      ])
      + flags(
        copy.object["retryConfig"],
        [
          ("maxAttempts", "max-attempts"), ("maxRetryDuration", "max-retry-duration"), ("minBackoff", "min-backoff"),
          ("maxBackoff", "max-backoff"), ("maxDoublings", "max-doublings"),
        ])
  }

  // MARK: Tasks

  private var taskVerb: String {
    copy.object["appEngineHttpRequest"] == nil ? "create-http-task" : "create-app-engine-task"
  }

  private var taskFlags: [String] {
    let top = flags(.object(copy.object), [("scheduleTime", "schedule-time")])
    if let request = copy.object["appEngineHttpRequest"] {
      return flags(request, [("relativeUri", "relative-uri"), ("httpMethod", "method")]) + headers(request, "header")
        + body(request, "body-content") + top
    }
    let request = copy.object["httpRequest"]
    return flags(request, [("url", "url"), ("httpMethod", "method")]) + headers(request, "header")
      + body(request, "body-content") + tokens(request) + top
  }

  // MARK: Jobs

  private var jobVerb: String {
    copy.object["pubsubTarget"] != nil ? "pubsub" : copy.object["appEngineHttpTarget"] != nil ? "app-engine" : "http"
  }

  private var jobFlags: [String] {
    let top =
      flags(
        .object(copy.object),
        [
          ("schedule", "schedule"), ("timeZone", "time-zone"), ("description", "description"),
          ("attemptDeadline", "attempt-deadline"),
        ])
      + flags(
        copy.object["retryConfig"],
        [
          ("retryCount", "max-retry-attempts"), ("maxRetryDuration", "max-retry-duration"),
          ("minBackoffDuration", "min-backoff"), ("maxBackoffDuration", "max-backoff"),
          ("maxDoublings", "max-doublings"),
        ])
    if let target = copy.object["pubsubTarget"] {
      return flags(target, [("topicName", "topic")]) + body(target, "message-body", field: "data")
        + map(target["attributes"], "attributes") + top
    }
    if let target = copy.object["appEngineHttpTarget"] {
      return flags(target, [("relativeUri", "relative-url"), ("httpMethod", "http-method")])
        + map(target["headers"], "headers") + body(target, "message-body") + top
    }
    let target = copy.object["httpTarget"]
    return flags(target, [("uri", "uri"), ("httpMethod", "http-method")]) + map(target?["headers"], "headers")
      + body(target, "message-body") + tokens(target) + top
  }

  // MARK: Parts

  /// The header fields, a flag each, without the agent, which the service sets.
  private func headers(_ request: JSONValue?, _ flag: String) -> [String] {
    let fields = request?["headers"]?.object ?? [:]
    return fields.keys.filter { $0.lowercased() != "user-agent" }.sorted().map { key in
      "--\(flag)=\(key): \(fields[key]?.string ?? "")"
    }
  }

  /// A map in one flag, whose delimiter is a character that it does not have (`gcloud topic escaping`).
  private func map(_ json: JSONValue?, _ flag: String) -> [String] {
    let fields = (json?.object ?? [:]).filter { $0.key.lowercased() != "user-agent" }
    if fields.isEmpty { return [] }
    let pairs = fields.keys.sorted().map { "\($0)=\(fields[$0]?.string ?? "")" }
    let delimiter = [",", ";", "|", "@@", "#&#"].first { mark in !pairs.contains { $0.contains(mark) } } ?? "#~&~#"
    return ["--\(flag)=" + (delimiter == "," ? "" : "^\(delimiter)^") + pairs.joined(separator: delimiter)]
  }

  private func body(_ request: JSONValue?, _ flag: String, field: String = "body") -> [String] {
    guard let bytes = request?[field]?.string.flatMap({ Base64.decode($0) }), !bytes.isEmpty else { return [] }
    return ["--\(flag)=" + String(decoding: bytes, as: UTF8.self)]
  }

  private func tokens(_ request: JSONValue?) -> [String] {
    flags(
      request?["oidcToken"],
      [("serviceAccountEmail", "oidc-service-account-email"), ("audience", "oidc-token-audience")])
      + flags(
        request?["oauthToken"],
        [("serviceAccountEmail", "oauth-service-account-email"), ("scope", "oauth-token-scope")])
  }
}
#endif
