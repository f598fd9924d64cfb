import CloudJobsCore

/// Valid requests with their expected deliveries.
enum GoodEnvelopes {
  static let all = native + descriptors + paths + messages + headers

  private static let hex = String(repeating: "0123456789abcdef", count: 4)
  private static let time = Timestamp(seconds: 1_795_229_640)  // 2026-11-21T02:54:00Z
  private static let tasks: [(name: String, value: String)] = [
    ("User-Agent", "Google-Cloud-Tasks"), ("x-cloudtasks-queuename", "mail"), ("X-CLOUDTASKS-TASKNAME", "t-1"),
    ("X-CloudTasks-TaskRetryCount", "2"), ("X-CloudTasks-TaskExecutionCount", "1"),
    ("X-CloudTasks-TaskETA", "1795229640.2500019"), ("X-CloudTasks-TaskRetryReason", ""),
  ]
  private static let transport = DeliveryTransport(
    queueName: "mail", taskName: "t-1", retryCount: 2, executionCount: 1)
  private static let scheduler: EnvelopeHeaders = [
    "User-Agent": "Google-Cloud-Scheduler", "X-CloudScheduler": "true", "X-CloudScheduler-JobName": "nightly",
    "X-CloudScheduler-ScheduleTime": "2026-11-21T02:54:00Z", "Content-Type": "application/octet-stream",
  ]

  private static func json(_ text: String) -> JSONText? {
    try? JSONText(checking: Array(text.utf8))
  }

  private static func run() -> RunID? {
    try? RunID(hex)
  }

  private static func starting(_ start: DeliveryStart?) -> Delivery {
    var delivery = Delivery(job: "a", trigger: .manual)
    delivery.start = start
    return delivery
  }

  static let native: [EnvelopeCase<Delivery>] = [
    .init("job alone", "{\"jobId\":\"a\"}", Delivery(job: "a", trigger: .manual)),
    .init("space and unknown members", " {\"x\":[{}], \"jobId\" : \"a\" }\n", Delivery(job: "a", trigger: .manual)),
    .init(
      "payload as it came", "{\"jobId\":\"a\",\"payload\": {\"b\" : 1.00,\"a\":[ ]} }",
      Delivery(job: "a", trigger: .manual, payload: json("{\"b\" : 1.00,\"a\":[ ]}"))),
    .init("payload null", "{\"payload\":null,\"jobId\":\"a\"}", Delivery(job: "a", trigger: .manual, payload: .null)),
    .init(
      "payload a number", "{\"payload\":123456789012345678901234567890,\"jobId\":\"a\"}",
      Delivery(job: "a", trigger: .manual, payload: json("123456789012345678901234567890"))),
    .init(
      "run by its id", "{\"jobId\":\"a\",\"runId\":\"\(hex)\"}", Delivery(job: "a", trigger: .manual, runID: run())),
    .init(
      "run by a key", "{\"jobId\":\"a\",\"runId\":\"user-42 é\"}",
      Delivery(job: "a", trigger: .manual, occurrence: .key("user-42 é"))),
    .init(
      "upper-case digits are a key", "{\"jobId\":\"a\",\"runId\":\"\(hex.uppercased())\"}",
      Delivery(job: "a", trigger: .manual, occurrence: .key(hex.uppercased()))),
    .init("attempt", "{\"jobId\":\"a\",\"attempt\":1000000}", Delivery(job: "a", trigger: .manual, attempt: 1_000_000)),
    .init(
      "correlation", "{\"jobId\":\"a\",\"correlationId\":\"c 1\"}",
      Delivery(job: "a", trigger: .manual, correlationID: "c 1")),
    .init(
      "nulls count as absent", "{\"jobId\":\"a\",\"runId\":null,\"attempt\":null,\"correlationId\":null}",
      Delivery(job: "a", trigger: .manual)),
    .init(
      "key", "{\"jobId\":\"a\",\"key\":\"user-42\"}",
      Delivery(job: "a", trigger: .manual, occurrence: .key("user-42"))),
    .init(
      "a key that looks like a run id is a key", "{\"jobId\":\"a\",\"key\":\"\(hex)\"}",
      Delivery(job: "a", trigger: .manual, occurrence: .key(hex))),
    .init("delay", "{\"jobId\":\"a\",\"delay\":\"1h30m\"}", starting(.after(.seconds(5_400)))),
    .init("delay in seconds", "{\"jobId\":\"a\",\"delay\":90}", starting(.after(.seconds(90)))),
    .init("no delay", "{\"jobId\":\"a\",\"delay\":0}", starting(.after(.zero))),
    .init("the longest delay", "{\"jobId\":\"a\",\"delay\":\"366d\"}", starting(.after(.days(366)))),
    .init("a start", "{\"jobId\":\"a\",\"notBefore\":\"2026-11-21T02:54:00Z\"}", starting(.at(time))),
    .init("null delay", "{\"jobId\":\"a\",\"delay\":null,\"notBefore\":null,\"key\":null}", starting(nil)),
    .init("a member of a newer sender", "{\"jobId\":\"a\",\"tenant\":1}", starting(nil)),
    .init("escaped", "{\"job\\u0049d\":\"\\u0061\"}", Delivery(job: "a", trigger: .manual)),
    .init(
      "native goes before a message", "{\"jobId\":\"a\",\"message\":{},\"specversion\":\"1.0\"}",
      Delivery(job: "a", trigger: .manual)),
    .init("master", "{\"jobId\":\"cloud_jobs_master\"}", Delivery(job: .master, trigger: .manual)),
    .init("master by its other name", "{\"jobId\":\"zen_master_scheduler\"}", Delivery(job: .master, trigger: .manual)),
  ]

  static let descriptors: [EnvelopeCase<Delivery>] = [
    .init("type alone", "{\"taskType\":\"a\"}", Delivery(job: "a", trigger: .manual)),
    .init(
      "empty metadata", "{\"taskType\":\"a\",\"metadata\":{}}", Delivery(job: "a", trigger: .manual)),
    .init(
      "null metadata", "{\"taskType\":\"a\",\"metadata\":null}",
      Delivery(job: "a", trigger: .manual)),
    .init(
      "whole",
      "{\"taskType\":\"a\",\"metadata\":{\"id\":\"m\",\"weight\":\"heavy\",\"schemaVersion\":1,\"x\":0},"
        + "\"payload\":[]}",
      Delivery(job: "a", trigger: .manual, occurrence: .key("m"), payload: json("[]"))),
    .init(
      "medium", "{\"taskType\":\"a\",\"metadata\":{\"weight\":\"medium\"}}",
      Delivery(job: "a", trigger: .manual)),
    .init(
      "id that looks like a run id is a key", "{\"taskType\":\"a\",\"metadata\":{\"id\":\"\(hex)\"}}",
      Delivery(job: "a", trigger: .manual, occurrence: .key(hex))),
    .init(
      "master", "{\"taskType\":\"zen_master_scheduler\"}",
      Delivery(job: .master, trigger: .manual)),
  ]

  static let paths: [EnvelopeCase<Delivery>] = [
    .init(
      "payload that is not quite a push", "{\"subscription\":\"gold\",\"message\":\"hi\"}", path: .scheduled("a"),
      Delivery(
        job: "a", trigger: .schedule, payload: json("{\"subscription\":\"gold\",\"message\":\"hi\"}"))),
    .init(
      "payload with a message of its own", "{\"subscription\":\"gold\",\"message\":{\"text\":1}}",
      path: .scheduled("a"),
      Delivery(
        job: "a", trigger: .schedule, payload: json("{\"subscription\":\"gold\",\"message\":{\"text\":1}}"))),
    .init("empty body", path: .scheduled("nightly"), Delivery(job: "nightly", trigger: .schedule)),
    .init("blank body", " \n", path: .scheduled("nightly"), Delivery(job: "nightly", trigger: .schedule)),
    .init(
      "scheduler", path: .scheduled("nightly"), headers: scheduler,
      Delivery(
        job: "nightly", trigger: .schedule, occurrence: .scheduledFor(time), scheduledFor: time,
        transport: DeliveryTransport(schedulerJobName: "nightly"))),
    .init(
      "payload", "\r\n [1] \t", path: .scheduled("a"), Delivery(job: "a", trigger: .schedule, payload: json("[1]"))),
    .init(
      "payload an object, even one like an envelope", "{\"jobId\":\"b\"}", path: .scheduled("a"),
      Delivery(job: "a", trigger: .schedule, payload: json("{\"jobId\":\"b\"}"))),
    .init(
      "push", push("{\"jobId\":\"b\"}"), path: .scheduled("a"),
      Delivery(
        job: "a", trigger: .schedule, occurrence: .key("pubsub:projects/p/subscriptions/s/136"),
        payload: json("{\"jobId\":\"b\"}"))),
    .init(
      "event", "1", path: .scheduled("a"), headers: eventHeaders(),
      Delivery(job: "a", trigger: .schedule, occurrence: .key("event://shop/orders/7"), payload: json("1"))),
    .init(
      "master by path", path: .master, headers: scheduler,
      Delivery(
        job: .master, trigger: .schedule, occurrence: .scheduledFor(time), scheduledFor: time,
        transport: DeliveryTransport(schedulerJobName: "nightly"))),
    .init(
      "master by path, with a body", "{}", path: .master,
      Delivery(job: .master, trigger: .schedule, payload: json("{}"))),
    .init(
      "master by its name in the path", path: .scheduled("zen_master_scheduler"),
      Delivery(job: .master, trigger: .schedule)),
    .init(
      "task to a path", path: .scheduled("a"), headers: EnvelopeHeaders(tasks),
      Delivery(
        job: "a", trigger: .task, occurrence: .key("task:mail/t-1"),
        scheduledFor: Timestamp(microseconds: 1_795_229_640_250_001), transport: transport)),
  ]

  static let messages: [EnvelopeCase<Delivery>] = [
    .init(
      "push of the native form", push("{\"jobId\":\"a\",\"payload\":{\"é\":1}}"),
      Delivery(
        job: "a", trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"),
        payload: json("{\"é\":1}"))),
    .init(
      "push with a run", push("{\"jobId\":\"a\",\"runId\":\"\(hex)\"}"),
      Delivery(job: "a", trigger: .task, runID: run())),
    .init(
      "push of a descriptor", push("{\"taskType\":\"a\",\"metadata\":{\"id\":\"m\"}}"),
      Delivery(job: "a", trigger: .task, occurrence: .key("m"))),
    .init(
      "push of a payload", push(" [1,2]", attributes: "{\"jobId\":\"a\",\"x\":\"y\"}"),
      Delivery(
        job: "a", trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"),
        payload: json("[1,2]"))),
    .init(
      "push of nothing", push(nil, attributes: "{\"jobId\":\"zen_master_scheduler\"}"),
      Delivery(job: .master, trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"))),
    .init(
      "push that names its job twice alike", push("{\"jobId\":\"a\"}", attributes: "{\"jobId\":\"a\"}"),
      Delivery(job: "a", trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"))),
    .init(
      "push of old clients, URL-safe base64 without padding",
      "{\"message\":{\"data\":\"eyJqb2JJZCI6ImEiLCJwYXlsb2FkIjoiPz8_fn5-In0\",\"message_id\":\"1\"},"
        + "\"subscription\":\"s\"}",
      Delivery(job: "a", trigger: .task, occurrence: .key("pubsub:s/1"), payload: json("\"???~~~\""))),
    .init(
      "binary event", "{\"jobId\":\"a\"}", headers: eventHeaders(["ce-source": "//shop/a%20b%", "ce-id": "%37"]),
      Delivery(job: "a", trigger: .task, occurrence: .key("event://shop/a%20b%25/7"))),
    .init(
      "binary event with an attribute", "{\"x\":1}", headers: eventHeaders(["Ce-Jobid": "a"]),
      Delivery(job: "a", trigger: .task, occurrence: .key("event://shop/orders/7"), payload: json("{\"x\":1}"))),
    .init(
      "structured event", event(",\"data\":{\"jobId\":\"a\",\"attempt\":2}"),
      headers: ["content-type": "Application/CloudEvents+JSON; charset=utf-8"],
      Delivery(job: "a", trigger: .task, occurrence: .key("event://shop/orders/7"), attempt: 2)),
    .init(
      "structured event with an attribute", event(",\"jobid\":\"a\",\"data\":\"<x/>\""),
      Delivery(job: "a", trigger: .task, occurrence: .key("event://shop/orders/7"), payload: json("\"<x/>\""))),
    .init(
      "structured event without data", event(",\"jobid\":\"a\",\"data\":null"),
      Delivery(job: "a", trigger: .task, occurrence: .key("event://shop/orders/7"))),
    .init(
      "structured event in base64", event(",\"data_base64\":\"\(base64("{\"taskType\":\"a\"}"))\""),
      Delivery(job: "a", trigger: .task, occurrence: .key("event://shop/orders/7"))),
    .init(
      "Eventarc, binary", push("{\"jobId\":\"a\"}"), headers: eventHeaders(["ce-type": publishedType]),
      Delivery(job: "a", trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"))),
    .init(
      "Eventarc, structured",
      event(",\"data\":\(push("{}", attributes: "{\"jobId\":\"a\"}"))", type: publishedType),
      Delivery(job: "a", trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"), payload: json("{}"))
    ),
  ]

  static let headers: [EnvelopeCase<Delivery>] = [
    .init(
      "task goes before the message in it and before an idempotency key", push("{\"jobId\":\"a\"}"),
      headers: ["X-CloudTasks-QueueName": "q", "X-CloudTasks-TaskName": "t", "Idempotency-Key": "k"],
      Delivery(
        job: "a", trigger: .task, occurrence: .key("task:q/t"),
        transport: DeliveryTransport(queueName: "q", taskName: "t"))),
    .init(
      "task goes before a schedule time", "{\"jobId\":\"a\"}",
      headers: [
        "X-CloudTasks-QueueName": "q", "X-CloudTasks-TaskName": "t", "X-CloudTasks-TaskETA": "1",
        "X-CloudScheduler-ScheduleTime": "2026-11-21T02:54:00Z",
      ],
      Delivery(
        job: "a", trigger: .task, occurrence: .key("task:q/t"), scheduledFor: time,
        transport: DeliveryTransport(queueName: "q", taskName: "t"))),
    .init(
      "schedule time goes before an idempotency key", "{\"jobId\":\"a\"}",
      headers: ["X-CloudScheduler-ScheduleTime": "2026-11-21T02:54:00Z", "Idempotency-Key": "k"],
      Delivery(job: "a", trigger: .schedule, occurrence: .scheduledFor(time), scheduledFor: time)),
    .init(
      "a slash in an event's id is not the one before it", "{\"jobId\":\"a\"}",
      headers: eventHeaders(["ce-source": "s", "ce-id": "x/%C3%A9\u{7F}"]),
      Delivery(job: "a", trigger: .task, occurrence: .key("event:s/x%2f%c3%a9%7f"))),
    .init(
      "a slash in an event's source stays", "{\"jobId\":\"a\"}",
      headers: eventHeaders(["ce-source": "s/x", "ce-id": "%C3%A9\u{7F}"]),
      Delivery(job: "a", trigger: .task, occurrence: .key("event:s/x/%c3%a9%7f"))),
    .init(
      "task", "{\"jobId\":\"a\"}", headers: EnvelopeHeaders(tasks),
      Delivery(
        job: "a", trigger: .task, occurrence: .key("task:mail/t-1"),
        scheduledFor: Timestamp(microseconds: 1_795_229_640_250_001), transport: transport)),
    .init(
      "task whose body names the run", "{\"jobId\":\"a\",\"runId\":\"k\"}", headers: EnvelopeHeaders(tasks),
      Delivery(
        job: "a", trigger: .task, occurrence: .key("k"),
        scheduledFor: Timestamp(microseconds: 1_795_229_640_250_001), transport: transport)),
    .init(
      "task with counts that a proxy mangled", "{\"jobId\":\"a\"}",
      headers: ["X-CloudTasks-QueueName": "q", "X-CloudTasks-TaskRetryCount": "-1", "X-CloudTasks-TaskETA": "1e9"],
      Delivery(job: "a", trigger: .task, transport: DeliveryTransport(queueName: "q"))),
    .init(
      "scheduler", "{\"jobId\":\"nightly\"}", headers: scheduler,
      Delivery(
        job: "nightly", trigger: .schedule, occurrence: .scheduledFor(time), scheduledFor: time,
        transport: DeliveryTransport(schedulerJobName: "nightly"))),
    .init(
      "scheduler without a time", "{\"jobId\":\"a\"}", headers: ["X-CloudScheduler": "true"],
      Delivery(job: "a", trigger: .schedule)),
    .init(
      "idempotency key", "{\"jobId\":\"a\"}", headers: ["idempotency-key": " \"8e03\" "],
      Delivery(job: "a", trigger: .manual, occurrence: .key("http:\"8e03\""))),
    .init(
      "message goes before an idempotency key", push("{\"jobId\":\"a\"}"), headers: ["Idempotency-Key": "k"],
      Delivery(job: "a", trigger: .task, occurrence: .key("pubsub:projects/p/subscriptions/s/136"))),
    .init(
      "correlation header", "{\"jobId\":\"a\"}", headers: ["x-correlation-id": "c"],
      Delivery(job: "a", trigger: .manual, correlationID: "c")),
    .init(
      "body's correlation goes first", "{\"jobId\":\"a\",\"correlationId\":\"b\"}", headers: ["x-correlation-id": "c"],
      Delivery(job: "a", trigger: .manual, correlationID: "b")),
    .init(
      "trace", "{\"jobId\":\"a\"}",
      headers: ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
      Delivery(
        job: "a", trigger: .manual, correlationID: "4bf92f3577b34da6a3ce929d0e0e4736",
        trace: TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))),
    .init(
      "bad trace is no reason to refuse", "{\"jobId\":\"a\"}", headers: ["traceparent": "00-x"],
      Delivery(job: "a", trigger: .manual)),
    .init(
      "the same header twice alike", "{\"jobId\":\"a\"}", headers: ["Idempotency-Key": "k", "idempotency-key": "k"],
      Delivery(job: "a", trigger: .manual, occurrence: .key("http:k"))),
    .init(
      "any content type", "{\"jobId\":\"a\"}", headers: ["Content-Type": "application/x-www-form-urlencoded"],
      Delivery(job: "a", trigger: .manual)),
  ]
}

/// Base64 in the standard alphabet, written without the code under test.
func base64(_ text: String) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  let bytes = Array(text.utf8)
  var result = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = (0..<3).map { start + $0 < bytes.count ? Int(bytes[start + $0]) : 0 }
    let bits = group[0] << 16 | group[1] << 8 | group[2]
    for index in 0..<4 {
      result.append(start + index <= bytes.count ? alphabet[bits >> (18 - 6 * index) & 63] : "=")
    }
  }
  return result
}

/// The body of a Pub/Sub push.
func push(_ data: String?, attributes: String = "{}", id: String = "\"136\"") -> String {
  let member = data.map { "\"data\":\"\(base64($0))\"," } ?? ""
  return "{\"message\":{\(member)\"attributes\":\(attributes),\"messageId\":\(id),\"message_id\":\(id),"
    + "\"publishTime\":\"2026-11-21T02:54:00Z\"},\"subscription\":\"projects/p/subscriptions/s\",\"deliveryAttempt\":5}"
}

/// A structured CloudEvent.
func event(_ members: String, type: String = "com.example.done") -> String {
  "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//shop/orders\",\"type\":\"\(type)\"\(members)}"
}

/// The headers of a binary CloudEvent.
func eventHeaders(_ changes: [String: String?] = [:]) -> EnvelopeHeaders {
  var fields = [
    "ce-specversion": "1.0", "ce-id": "7", "ce-source": "//shop/orders", "ce-type": "com.example.done",
    "Content-Type": "application/json",
  ]
  for (name, value) in changes { fields[name] = value }
  return EnvelopeHeaders(fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
}

/// The type of event by which Eventarc delivers Pub/Sub messages.
let publishedType = "google.cloud.pubsub.topic.v1.messagePublished"
