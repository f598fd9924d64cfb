import CloudJobsCore

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

/// Draws requests that change every kind of state that the services have.
struct RequestDraw {
  private static let location = "projects/p/locations/l"
  private static let documents = "projects/p/databases/(default)/documents"
  private static let other = "projects/p/databases/other/documents"
  private var transactions: [String] = []

  /// Reads that together show all that clients can see.
  static var reads: [String] {
    var targets = [
      "/v2/\(location)/queues", "/v1/\(location)/jobs", "/v2/\(location)/operations", "/v1/\(location)/cmekConfig",
      "/v1/\(documents)/c?pageSize=300", "/v1/\(other)/c?pageSize=300", "/v1/\(documents)/c/d1/c?pageSize=300",
    ]
    for queue in ["q0", "q1"] {
      targets.append("/v2/\(location)/queues/\(queue)/tasks?pageSize=1000&responseView=FULL")
    }
    return targets
  }

  /// Keeps what later requests name.
  mutating func note(_ answer: JSONValue) {
    let named = answer["transaction"] ?? answer.array?.first?["transaction"]
    if let id = named?.string { transactions = transactions.suffix(5) + [id] }
  }

  /// The next request.
  mutating func next(_ random: inout SplitMix64, at now: Timestamp) -> RESTRequest {
    let calls =
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4: tasks(&random, at: now)
      case 4..<6: jobs(&random)
      case 6..<9: documents(&random, at: now)
      default: administration(&random)
      }
    let call = calls[Int.random(in: 0..<calls.count, using: &random)]
    return RESTRequest(method: call.0, target: call.1, body: Array(call.2.utf8))
  }

  private typealias Call = (String, String, String)

  private func tasks(_ random: inout SplitMix64, at now: Timestamp) -> [Call] {
    let queue = "\(Self.location)/queues/q\(Int.random(in: 0..<2, using: &random))"
    let task = "\(queue)/tasks/t\(Int.random(in: 0..<8, using: &random))"
    let later = now + .seconds(Int.random(in: 1...100, using: &random))
    let target = #""httpRequest":{"url":"http://h/é","body":"AP8=","headers":{"A":"b"},"oidcToken":{}}"#
    let new = #"{"task":{"name":"\#(task)",\#(target),"dispatchDeadline":"15s"}}"#
    let limits = #""rateLimits":{"maxDispatchesPerSecond":2.5,"maxConcurrentDispatches":2}"#
    let retry = #""retryConfig":{"maxAttempts":5,"minBackoff":"1s","maxBackoff":"20s","maxDoublings":2}"#
    return [
      ("POST", "/v2/\(Self.location)/queues", #"{"name":"\#(queue)",\#(limits),\#(retry)}"#),
      ("PATCH", "/v2/\(queue)", #"{"rateLimits":{"maxDispatchesPerSecond":1}}"#),
      ("POST", "/v2/\(queue)/tasks", new), ("POST", "/v2/\(queue)/tasks", new), ("POST", "/v2/\(queue)/tasks", new),
      ("POST", "/v2/\(queue)/tasks", "{\"task\":{\(target)}}"),
      ("POST", "/v2/\(queue)/tasks", #"{"task":{\#(target),"scheduleTime":"\#(later)"}}"#),
      ("DELETE", "/v2/\(task)", ""), ("POST", "/v2/\(task):run", ""), ("POST", "/v2/\(task):run", ""),
      ("POST", "/v2/\(queue):pause", ""),
      ("POST", "/v2/\(queue):resume", ""), ("POST", "/v2/\(queue):resume", ""), ("POST", "/v2/\(queue):purge", ""),
      ("DELETE", "/v2/\(queue)", ""),
    ]
  }

  private func jobs(_ random: inout SplitMix64) -> [Call] {
    let job = "\(Self.location)/jobs/j\(Int.random(in: 0..<3, using: &random))"
    let schedule = ["* * * * *", "every 7 minutes", "*/5 * * * *"].randomElement(using: &random) ?? ""
    let common = #""schedule":"\#(schedule)","retryConfig":{"retryCount":3,"maxRetryDuration":"60s"}"#
    let http = #""httpTarget":{"uri":"http://h/","body":"AP8=","headers":{"A":"b"}}"#
    let topic = #""pubsubTarget":{"topicName":"projects/p/topics/t","data":"AP8=","attributes":{"a":"b"}}"#
    return [
      ("POST", "/v1/\(Self.location)/jobs", #"{"name":"\#(job)",\#(common),\#(http),"attemptDeadline":"20s"}"#),
      ("POST", "/v1/\(Self.location)/jobs", #"{"name":"\#(job)",\#(common),\#(topic)}"#),
      ("POST", "/v1/\(Self.location)/jobs", "{\(common),\(topic)}"),
      ("PATCH", "/v1/\(job)?updateMask=description", #"{"description":"new"}"#),
      ("POST", "/v1/\(job):run", ""), ("POST", "/v1/\(job):run", ""), ("POST", "/v1/\(job):pause", ""),
      ("POST", "/v1/\(job):resume", ""), ("DELETE", "/v1/\(job)", ""),
    ]
  }

  private func documents(_ random: inout SplitMix64, at now: Timestamp) -> [Call] {
    let root = Int.random(in: 0..<4, using: &random) == 0 ? Self.other : Self.documents
    let collection = ["c", "c/d1/c"].randomElement(using: &random) ?? "c"
    let name = "\(root)/\(collection)/d\(Int.random(in: 0..<4, using: &random))"
    let number = Int.random(in: 0..<5, using: &random)
    let fields = #"{"n":{"integerValue":"\#(number)"},"x":{"doubleValue":"NaN"},"e":{"stringValue":"é\u0000"}}"#
    let write = #"{"update":{"name":"\#(name)","fields":\#(fields)}}"#
    let id = transactions.randomElement(using: &random) ?? ""
    let filter = #"{"fieldFilter":{"field":{"fieldPath":"n"},"op":"GREATER_THAN","value":{"integerValue":"2"}}}"#
    let query = #""structuredQuery":{"from":[{"collectionId":"c","allDescendants":true}],"where":\#(filter)}"#
    let earlier = now + .seconds(-Int.random(in: 0...60, using: &random))
    return [
      ("POST", "/v1/\(root)/c", #"{"fields":\#(fields)}"#),
      ("PATCH", "/v1/\(name)", #"{"fields":\#(fields)}"#), ("PATCH", "/v1/\(name)", #"{"fields":\#(fields)}"#),
      ("DELETE", "/v1/\(name)", ""),
      ("POST", "/v1/\(root):commit", #"{"writes":[\#(write)],"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):commit", #"{"writes":[\#(write)],"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):beginTransaction", "{}"),
      ("POST", "/v1/\(root):beginTransaction", #"{"options":{"readOnly":{}}}"#),
      ("POST", "/v1/\(root):rollback", #"{"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):batchGet", #"{"documents":["\#(name)"],"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):batchGet", #"{"documents":["\#(name)"],"newTransaction":{"readWrite":{}}}"#),
      ("POST", "/v1/\(root):batchGet", #"{"documents":["\#(name)"],"readTime":"\#(earlier)"}"#),
      ("POST", "/v1/\(root):runQuery", #"{\#(query),"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):runQuery", #"{\#(query),"readTime":"\#(earlier)"}"#),
    ]
  }

  private func administration(_ random: inout SplitMix64) -> [Call] {
    let queue = "\(Self.location)/queues/q\(Int.random(in: 0..<2, using: &random))"
    let role = #"{"policy":{"bindings":[{"role":"r","members":["user:é"]}]}}"#
    let task = #"{"task":{"httpRequest":{"url":"http://h/"}}}"#
    return [
      ("POST", "/v2/\(queue):setIamPolicy", role), ("POST", "/v2/\(queue):getIamPolicy", ""),
      ("PATCH", "/v1/\(Self.location)/cmekConfig", #"{"kmsKeyName":"k"}"#),
      ("POST", "/v2/\(queue)/tasks:batchCreate", #"{"requests":[\#(task)]}"#),
      ("POST", "/v2/\(queue)/tasks:batchCreate", #"{"requests":[\#(task)],"requestId":"one"}"#),
    ]
  }
}
