import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Calls over HTTP")
struct HTTPRouterTests {
  private static let queue = "projects/p/locations/l/queues/q"
  private static let documents = "projects/p/databases/d/documents"

  /// The method and the request of a call, or its refusal.
  private static func call(_ method: String, _ target: String, _ body: String = "") -> (method: String, text: String) {
    switch HTTPRouter.google.call(for: RESTRequest(method: method, target: target, body: Array(body.utf8))) {
    case .success(let call): (call.call.entry.method.name, JSONMessageWriter().json(call.call.request).text)
    case .failure(let fault): (fault.fault.code.name, fault.fault.message)
    }
  }

  @Test(
    "paths, bodies and queries make a request",
    arguments: [
      ("GET", "/v2/\(queue)", "", "GetQueue", #"{"name":"\#(queue)"}"#),
      ("GET", "/\(queue)", "", "GetQueue", #"{"name":"\#(queue)"}"#),
      (
        "PATCH", "/v2/\(queue)?updateMask=rateLimits,%20retry_config&updateMask=name", #"{"name":"other"}"#,
        "UpdateQueue", #"{"queue":{"name":"\#(queue)"},"updateMask":"rateLimits,retryConfig,name"}"#
      ),
      (
        "POST", "/v2/\(queue)/tasks", #"{"parent":"other","task":{}}"#, "CreateTask",
        #"{"parent":"\#(queue)","task":{}}"#
      ),
      ("GET", "/v1/\(documents)/c/a", "ignored", "GetDocument", #"{"name":"\#(documents)/c/a"}"#),
      ("GET", "/v1/\(documents)/c/a/b", "", "ListDocuments", #"{"collectionId":"b","parent":"\#(documents)/c/a"}"#),
      (
        "GET", "/v1/\(documents)/c/a?mask.fieldPaths=x&mask.field_paths=y&readTime=2026-01-01T00:00:00Z", "",
        "GetDocument",
        #"{"mask":{"fieldPaths":["x","y"]},"name":"\#(documents)/c/a","readTime":"2026-01-01T00:00:00Z"}"#
      ),
      ("GET", "/v1/\(documents)/c/a:b", "", "GetDocument", #"{"name":"\#(documents)/c/a:b"}"#),
      ("DELETE", "/v2/\(queue)?name=other&$userProject=p&key=k", "", "DeleteQueue", #"{"name":"\#(queue)"}"#),
      (
        "GET", "/v2/projects/p/locations?extraLocationTypes=x", "", "ListLocations",
        #"{"extraLocationTypes":["x"],"name":"projects/p"}"#
      ),
      ("GET", "/v2/\(queue)/tasks?pageSize=1&pageSize=2", "", "ListTasks", #"{"pageSize":2,"parent":"\#(queue)"}"#),
    ])
  func requests(method: String, target: String, body: String, name: String, request: String) {
    let call = Self.call(method, target, body)
    #expect(call.method == name && call.text == request, "\(call)")
  }

  @Test(
    "what can't be bound is refused",
    arguments: [
      ("GET", "/v2/\(queue)?x=1", "Unknown name \"x\": Cannot bind query parameter. Field 'x' could not be found"),
      ("GET", "/v1/\(documents)/c/a?mask=x", "'mask' is a message type. Parameters can only be bound to primitive"),
      ("GET", "/v1/\(documents)/c/a?mask.x=1", "Unknown name \"mask.x\": Cannot bind query parameter. Field 'x'"),
      ("POST", "/v2/\(queue)/tasks?parent=other", "Unknown name \"parent\": Cannot bind query parameter."),
      ("GET", "/v2/\(queue)/tasks?pageSize=x", #"Invalid value at 'page_size' (TYPE_INT32), "x""#),
      ("GET", "/v2/\(queue)?alt=media", "Invalid value \"media\" for query parameter 'alt'"),
      ("GET", "/v1/\(documents)/c/%FF", "The path is not UTF-8"),
      ("GET", "/v2/\(queue)?fields=" + String(repeating: "a/", count: 5_000), "Request contains an invalid argument."),
      ("GET", "/v2/\(queue)?fields=" + String(repeating: "a(", count: 5_000), "Request contains an invalid argument."),
      ("GET", "/v2/\(queue)?fields=nothing", "Request contains an invalid argument."),
    ])
  func refusals(method: String, target: String, message: String) {
    let call = Self.call(method, target)
    #expect(call.method == "INVALID_ARGUMENT" && call.text.contains(message), "\(call)")
  }

  @Test(
    "an answer is cut to the fields that are asked for",
    arguments: [
      ("name", #"{"name":"n"}"#), ("rateLimits(maxBurstSize)", #"{"rateLimits":{"maxBurstSize":3}}"#),
      ("rate_limits/max_burst_size,name", #"{"name":"n","rateLimits":{"maxBurstSize":3}}"#),
      (
        "rateLimits.maxBurstSize,rateLimits.maxConcurrentDispatches",
        #"{"rateLimits":{"maxBurstSize":3,"maxConcurrentDispatches":4}}"#
      ),
      ("rateLimits,rateLimits/maxBurstSize", #"{"rateLimits":{"maxBurstSize":3,"maxConcurrentDispatches":4}}"#),
      ("*", #"{"name":"n","rateLimits":{"maxBurstSize":3,"maxConcurrentDispatches":4}}"#),
    ])
  func fields(fields: String, answer: String) throws {
    let encoded = PercentEncoding.encode(fields)
    let request = RESTRequest(method: "GET", target: "/v2/\(Self.queue)?fields=\(encoded)")
    let call = try HTTPRouter.google.call(for: request).get()
    let queue = try JSONMessageReader.read(
      ["name": "n", "rateLimits": ["maxBurstSize": 3, "maxConcurrentDispatches": 4]],
      into: Schema.google.message("google.cloud.tasks.v2.Queue"))
    #expect(HTTPRouter.google.answer(call, .success([queue])).body.text == answer)
  }

  @Test("the names of a map's entries stay as they are")
  func mapFields() throws {
    let request = RESTRequest(method: "GET", target: "/v1/\(Self.documents)/c/a?fields=fields/user_name")
    let call = try HTTPRouter.google.call(for: request).get()
    let document = try JSONMessageReader.read(
      ["fields": ["user_name": ["integerValue": "1"], "x": ["nullValue": nil]]],
      into: Schema.google.message("google.firestore.v1.Document"))
    let answer = HTTPRouter.google.answer(call, .success([document]))
    #expect(answer.body.text == #"{"fields":{"user_name":{"integerValue":"1"}}}"#)
  }

  @Test(
    "a call is stored without a loss",
    arguments: [
      // An empty path, a path with a comma, an unknown type, and nesting that only the binary form has room for.
      ("UpdateQueue", [0x12, 0x02, 0x0A, 0x00]), ("UpdateQueue", [0x12, 0x05, 0x0A, 0x03] + Array("a,b".utf8)),
      ("SetIamPolicy", [0x1A, 0x00]),
    ] as [(String, [UInt8])])
  func storage(method: String, bytes: [UInt8]) throws {
    let entry = try #require(MethodTable.google.entries["google.cloud.tasks.v2.CloudTasks/\(method)"])
    let request = try GRPCRouter().request(bytes, of: entry)
    let json = try JSONValue(parsing: MethodCall(entry, request).json.encoded, limits: .service)
    #expect(MethodCall(json: json, in: .google)?.request == request)
  }
}
