import CloudJobsCore

/// Invalid requests with their expected errors.
enum MalformedEnvelopes {
  static let all =
    json + native + starts + misspelt + misspeltDescriptors + descriptors + paths + pushes + events + headers

  private static let long = String(repeating: "x", count: 257)
  private static let deep = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)

  static let starts: [EnvelopeCase<Refusal>] = [
    .init("delay as words", "{\"jobId\":\"a\",\"delay\":\"soon\"}", .init(.invalidField, "delay", "90s")),
    .init("delay below zero", "{\"jobId\":\"a\",\"delay\":-1}", .init(.invalidField, "delay", "seconds")),
    .init("delay with a fraction", "{\"jobId\":\"a\",\"delay\":1.5}", .init(.invalidField, "delay", "seconds")),
    .init("delay too long", "{\"jobId\":\"a\",\"delay\":\"367d\"}", .init(.invalidField, "delay", "366 days")),
    .init("delay an object", "{\"jobId\":\"a\",\"delay\":{}}", .init(.invalidField, "delay", "seconds")),
    .init("start no time", "{\"jobId\":\"a\",\"notBefore\":\"tomorrow\"}", .init(.invalidField, "notBefore", "RFC")),
    .init("start a number", "{\"jobId\":\"a\",\"notBefore\":7}", .init(.invalidField, "notBefore", "a string")),
    .init(
      "two starts", "{\"jobId\":\"a\",\"delay\":1,\"notBefore\":\"2026-11-21T02:54:00Z\"}",
      .init(.invalidField, "delay", "twice")),
    .init(
      "two names of the work", "{\"jobId\":\"a\",\"key\":\"k\",\"runId\":\"r\"}", .init(.invalidField, "key", "twice")),
    .init("empty key", "{\"jobId\":\"a\",\"key\":\"\"}", .init(.invalidField, "key", "empty")),
    .init("long key", "{\"jobId\":\"a\",\"key\":\"\(long)\"}", .init(.tooLarge, "key", "256")),
    .init("key a number", "{\"jobId\":\"a\",\"key\":7}", .init(.invalidField, "key", "a string")),
  ]

  /// Misnamed members with their correct names.
  static let misspelt: [EnvelopeCase<Refusal>] = [
    ("input", "payload"), ("Payload", "payload"), ("data", "payload"), ("args", "payload"), ("id", "key"),
    ("Key", "key"), ("idempotency_key", "key"), ("uniqueKey", "key"), ("delaySeconds", "delay"), ("dely", "delay"),
    ("paylaod", "payload"), ("notBefor", "notBefore"), ("Delay", "delay"),
    ("in", "delay"), ("eta", "notBefore"), ("not_before", "notBefore"), ("scheduledFor", "notBefore"),
    ("runID", "runId"), ("correlationID", "correlationId"), ("attempts", "attempt"), ("JobId", "jobId"),
  ].map { name, right in
    .init(
      "misspelt \(name)", "{\"jobId\":\"a\",\"\(name)\":1}",
      .init(.malformedEnvelope, name, "the name is \(right)"))
  }

  static let misspeltDescriptors: [EnvelopeCase<Refusal>] = [
    ("input", "payload"), ("key", "metadata.id"), ("id", "metadata.id"), ("delay", "native form"),
    ("eta", "native form"), ("correlationID", "correlationId"),
  ].map { name, remedy in
    .init(
      "descriptor's \(name)", "{\"taskType\":\"a\",\"\(name)\":1}", .init(.malformedEnvelope, name, remedy))
  }

  static let json: [EnvelopeCase<Refusal>] = [
    .init("empty", "", .init(.malformedEnvelope, "body", "empty")),
    .init("blank", " \r\n\t", .init(.malformedEnvelope, "body", "jobId")),
    .init("null", "null", .init(.malformedEnvelope, "body", "null")),
    .init("number", "42", .init(.malformedEnvelope, "body", "a number")),
    .init("string", "\"send_email\"", .init(.malformedEnvelope, "body", "a string")),
    .init("array", "[{\"jobId\":\"a\"}]", .init(.malformedEnvelope, "body", "an array")),
    .init("boolean", "true", .init(.malformedEnvelope, "body", "a boolean")),
    .init("form data", "jobId=a&x=1", .init(.malformedJSON, "body", "byte 0")),
    .init("XML", "<jobId>a</jobId>", .init(.malformedJSON, "body", "byte 0")),
    .init("truncated", "{\"jobId\":\"a\"", .init(.malformedJSON, "body", "byte 12")),
    .init("trailing comma", "{\"jobId\":\"a\",}", .init(.malformedJSON, "body", "byte 13")),
    .init("two values", "{\"jobId\":\"a\"}{}", .init(.malformedJSON, "body", "byte 13")),
    .init("byte-order mark", "\u{FEFF}{\"jobId\":\"a\"}", .init(.malformedJSON, "body", "byte 0")),
    .init("job twice", "{\"jobId\":\"a\",\"jobId\":\"b\"}", .init(.malformedJSON, "body", "twice")),
    .init("job twice, once escaped", "{\"jobId\":\"a\",\"job\\u0049d\":\"b\"}", .init(.malformedJSON, "body", "twice")),
    .init("single quotes", "{'jobId':'a'}", .init(.malformedJSON, "body", "name in quotes")),
    .init("lone surrogate", "{\"jobId\":\"a\",\"payload\":\"\\ud800\"}", .init(.malformedJSON, "body", "surrogate")),
    .init("raw control character", "{\"jobId\":\"a\",\"payload\":\"\u{1}\"}", .init(.malformedJSON, "body", "control")),
    .init("number out of range", "{\"jobId\":\"a\",\"payload\":1e999}", .init(.malformedJSON, "body", "out of range")),
    .init("not a number", "{\"jobId\":\"a\",\"payload\":NaN}", .init(.malformedJSON, "body", "byte 23")),
    .init("too deep", "{\"jobId\":\"a\",\"payload\":\(deep)}", .init(.tooLarge, "body", "32 levels")),
    .init(
      "too deep where unknown", "{\"jobId\":\"a\",\"x\":{\"y\":\(deep)}}", .init(.tooLarge, "body", "flatten")),
    .init(
      "too long", "{\"jobId\":\"a\",\"payload\":\"\(String(repeating: "x", count: 1_048_576))\"}",
      .init(.tooLarge, "body", "1048576")),
    .init(
      "payload too long", "{\"jobId\":\"a\",\"payload\":\"\(String(repeating: "x", count: 1_045_000))\"}",
      .init(.tooLarge, "payload", "1044480")),
  ]

  static let native: [EnvelopeCase<Refusal>] = [
    .init("no member", "{}", .init(.malformedEnvelope, "jobId", "names no job")),
    .init("null job", "{\"jobId\":null}", .init(.malformedEnvelope, "jobId", "names no job")),
    .init("jobID", "{\"jobID\":\"a\"}", .init(.malformedEnvelope, "jobId", "\"jobID\" is not read")),
    .init("job_id", "{\"job_id\":\"a\"}", .init(.malformedEnvelope, "jobId", "\"job_id\" is not read")),
    .init("job-id", "{\"payload\":1,\"job-id\":\"a\"}", .init(.malformedEnvelope, "jobId", "\"job-id\" is not read")),
    .init("job", "{\"job\":\"a\"}", .init(.malformedEnvelope, "jobId", "\"job\" is not read")),
    .init("JobName", "{\"JobName\":\"a\"}", .init(.malformedEnvelope, "jobId", "\"JobName\" is not read")),
    .init("task_type", "{\"task_type\":\"a\"}", .init(.malformedEnvelope, "jobId", "taskType in a task descriptor")),
    .init("number for a job", "{\"jobId\":7}", .init(.invalidField, "jobId", "is a number; send a string")),
    .init("object for a job", "{\"jobId\":{}}", .init(.invalidField, "jobId", "is an object; send a string")),
    .init("array for a job", "{\"jobId\":[\"a\"]}", .init(.invalidField, "jobId", "is an array; send a string")),
    .init("boolean for a job", "{\"jobId\":false}", .init(.invalidField, "jobId", "is a boolean; send a string")),
    .init("empty job", "{\"jobId\":\"\"}", .init(.invalidField, "jobId", "empty")),
    .init("job with a slash", "{\"jobId\":\"a/b\"}", .init(.invalidField, "jobId", "letters")),
    .init("job with a space", "{\"jobId\":\"a b\"}", .init(.invalidField, "jobId", "letters")),
    .init("job with a zero byte", "{\"jobId\":\"a\\u0000\"}", .init(.invalidField, "jobId", "letters")),
    .init("reserved job", "{\"jobId\":\"__name__\"}", .init(.invalidField, "jobId", "reserved")),
    .init("long job", "{\"jobId\":\"\(long)\"}", .init(.tooLarge, "jobId", "128")),
    .init("number for a run", "{\"jobId\":\"a\",\"runId\":12}", .init(.invalidField, "runId", "send a string")),
    .init("empty run", "{\"jobId\":\"a\",\"runId\":\"\"}", .init(.invalidField, "runId", "omit it")),
    .init("long run", "{\"jobId\":\"a\",\"runId\":\"\(long)\"}", .init(.tooLarge, "runId", "hash")),
    .init("control in a run", "{\"jobId\":\"a\",\"runId\":\"a\\nb\"}", .init(.invalidField, "runId", "control")),
    .init("attempt 0", "{\"jobId\":\"a\",\"attempt\":0}", .init(.invalidField, "attempt", "from 1 to 1000000")),
    .init("attempt -1", "{\"jobId\":\"a\",\"attempt\":-1}", .init(.invalidField, "attempt", "from 1")),
    .init("attempt 1000001", "{\"jobId\":\"a\",\"attempt\":1000001}", .init(.invalidField, "attempt", "1000000")),
    .init("attempt 1.5", "{\"jobId\":\"a\",\"attempt\":1.5}", .init(.invalidField, "attempt", "integer")),
    .init("attempt 1e300", "{\"jobId\":\"a\",\"attempt\":1e300}", .init(.invalidField, "attempt", "integer")),
    .init(
      "attempt in quotes", "{\"jobId\":\"a\",\"attempt\":\"1\"}", .init(.invalidField, "attempt", "without quotes")),
    .init(
      "attempt of 100 digits", "{\"jobId\":\"a\",\"attempt\":1\(String(repeating: "0", count: 99))}",
      .init(.invalidField, "attempt", "integer")),
    .init(
      "number for a correlation", "{\"jobId\":\"a\",\"correlationId\":1}",
      .init(.invalidField, "correlationId", "send a string")),
    .init(
      "empty correlation", "{\"jobId\":\"a\",\"correlationId\":\"\"}",
      .init(.invalidField, "correlationId", "printable")),
    .init(
      "long correlation", "{\"jobId\":\"a\",\"correlationId\":\"\(long)\"}", .init(.tooLarge, "correlationId", "256")),
    .init(
      "line break in a correlation", "{\"jobId\":\"a\",\"correlationId\":\"a\\r\\nX: y\"}",
      .init(.invalidField, "correlationId", "printable")),
    .init("both forms", "{\"jobId\":\"a\",\"taskType\":\"b\"}", .init(.malformedEnvelope, "taskType", "twice")),
  ]

  static let descriptors: [EnvelopeCase<Refusal>] = [
    .init("number for a type", "{\"taskType\":1}", .init(.invalidField, "taskType", "send a string")),
    .init("bad type", "{\"taskType\":\"a b\"}", .init(.invalidField, "taskType", "letters")),
    .init(
      "text for metadata", "{\"taskType\":\"a\",\"metadata\":\"x\"}", .init(.invalidField, "metadata", "an object")),
    .init(
      "array for metadata", "{\"taskType\":\"a\",\"metadata\":[]}", .init(.invalidField, "metadata", "is an array")),
    .init(
      "number for an id", "{\"taskType\":\"a\",\"metadata\":{\"id\":7}}",
      .init(.invalidField, "metadata.id", "send a string")),
    .init(
      "empty id", "{\"taskType\":\"a\",\"metadata\":{\"id\":\"\"}}", .init(.invalidField, "metadata.id", "omit it")
    ),
    .init(
      "long id", "{\"taskType\":\"a\",\"metadata\":{\"id\":\"\(long)\"}}", .init(.tooLarge, "metadata.id", "256")),
    .init(
      "unknown weight", "{\"taskType\":\"a\",\"metadata\":{\"weight\":\"huge\"}}",
      .init(.invalidField, "metadata.weight", "light, medium or heavy")),
    .init(
      "weight in capitals", "{\"taskType\":\"a\",\"metadata\":{\"weight\":\"Light\"}}",
      .init(.invalidField, "metadata.weight", "light, medium or heavy")),
    .init(
      "number for a weight", "{\"taskType\":\"a\",\"metadata\":{\"weight\":1}}",
      .init(.invalidField, "metadata.weight", "send a string")),
    .init(
      "version 2", "{\"taskType\":\"a\",\"metadata\":{\"schemaVersion\":2}}",
      .init(.invalidField, "metadata.schemaVersion", "must be 1")),
    .init(
      "version in quotes", "{\"taskType\":\"a\",\"metadata\":{\"schemaVersion\":\"1\"}}",
      .init(.invalidField, "metadata.schemaVersion", "must be 1")),
    .init(
      "version an object", "{\"taskType\":\"a\",\"metadata\":{\"schemaVersion\":{}}}",
      .init(.invalidField, "metadata.schemaVersion", "must be 1")),
  ]

  static let paths: [EnvelopeCase<Refusal>] = [
    .init("empty job in the path", path: .scheduled(""), .init(.invalidField, "path", "empty")),
    .init("bad job in the path", path: .scheduled("../x"), .init(.invalidField, "path", "letters")),
    .init("long job in the path", path: .scheduled(long), .init(.tooLarge, "path", "128")),
    .init("payload that is no JSON", "tick", path: .scheduled("a"), .init(.malformedJSON, "body", "byte 0")),
    .init("payload cut off", "{\"a\":", path: .scheduled("a"), .init(.malformedJSON, "body", "byte 5")),
    .init("payload too deep", deep, path: .scheduled("a"), .init(.tooLarge, "body", "31 levels")),
    .init("tick that is no JSON", "go", path: .master, .init(.malformedJSON, "body", "byte 0")),
  ]

  static let pushes: [EnvelopeCase<Refusal>] = [
    .init("text for a message", "{\"message\":\"x\"}", .init(.invalidField, "message", "send an object")),
    .init("empty message", "{\"message\":{}}", .init(.malformedEnvelope, "subscription", "missing")),
    .init(
      "no subscription", "{\"message\":{\"messageId\":\"1\"}}", .init(.malformedEnvelope, "subscription", "missing")),
    .init(
      "no message id", "{\"message\":{\"data\":\"\"},\"subscription\":\"s\"}",
      .init(.malformedEnvelope, "message.messageId", "missing")),
    .init("number for a message id", push("x", id: "136"), .init(.invalidField, "message.messageId", "send a string")),
    .init(
      "data that is no base64", "{\"message\":{\"data\":\"a b\",\"messageId\":\"1\"},\"subscription\":\"s\"}",
      .init(.invalidField, "message.data", "base64")),
    .init(
      "data of five characters", "{\"message\":{\"data\":\"abcde\",\"messageId\":\"1\"},\"subscription\":\"s\"}",
      .init(.invalidField, "message.data", "base64")),
    .init(
      "data that is an object", "{\"message\":{\"data\":{},\"messageId\":\"1\"},\"subscription\":\"s\"}",
      .init(.invalidField, "message.data", "send a string")),
    .init("message without a job", push(nil), .init(.malformedEnvelope, "message.data.jobId", "attributes.jobId")),
    .init("message of another kind", push("[1]"), .init(.malformedEnvelope, "message.data.jobId", "names no job")),
    .init("message that is no JSON", push("tick"), .init(.malformedJSON, "message.data", "byte 0")),
    .init(
      "message that is no JSON, with a job", push("tick", attributes: "{\"jobId\":\"a\"}"),
      .init(.malformedJSON, "message.data", "byte 0")),
    .init(
      "misspelt in a message", push("{\"job_id\":\"a\"}"), .init(.malformedEnvelope, "message.data.jobId", "job_id")),
    .init("bad job in a message", push("{\"jobId\":\"a b\"}"), .init(.invalidField, "message.data.jobId", "letters")),
    .init(
      "bad attempt in a message", push("{\"jobId\":\"a\",\"attempt\":0}"),
      .init(.invalidField, "message.data.attempt", "from 1")),
    .init(
      "bad weight in a message", push("{\"taskType\":\"a\",\"metadata\":{\"weight\":\"\"}}"),
      .init(.invalidField, "message.data.metadata.weight", "light")),
    .init(
      "bad job in an attribute", push("{}", attributes: "{\"jobId\":\"\"}"),
      .init(.invalidField, "message.attributes.jobId", "empty")),
    .init(
      "number in an attribute", push("{}", attributes: "{\"jobId\":7}"),
      .init(.invalidField, "message.attributes.jobId", "send a string")),
    .init(
      "attributes in an array", push("{}", attributes: "[]"), .init(.invalidField, "message.attributes", "an object")),
    .init(
      "two jobs", push("{\"jobId\":\"b\"}", attributes: "{\"jobId\":\"a\"}"),
      .init(.malformedEnvelope, "message.attributes.jobId", "another job")),
    .init("push in a push", push(push("{\"jobId\":\"a\"}")), .init(.malformedEnvelope, "message.data", "do not nest")),
    .init("event in a push", push(event("")), .init(.malformedEnvelope, "message.data", "do not nest")),
    .init("data too deep", push("{\"x\":\(deep)}"), .init(.tooLarge, "message.data", "32 levels")),
    .init(
      "payload in a message too deep", push(deep, attributes: "{\"jobId\":\"a\"}"),
      .init(.tooLarge, "message.data", "31 levels")),
  ]
}

extension MalformedEnvelopes {
  static let events: [EnvelopeCase<Refusal>] = [
    .init(
      "old version", "{}", headers: eventHeaders(["ce-specversion": "0.3"]),
      .init(.invalidField, "ce-specversion", "must be 1.0")),
    .init("no id", "{}", headers: eventHeaders(["ce-id": nil]), .init(.malformedEnvelope, "ce-id", "missing")),
    .init(
      "no source", "{}", headers: eventHeaders(["ce-source": nil]),
      .init(.malformedEnvelope, "ce-source", "missing")),
    .init(
      "no type", "{}", headers: eventHeaders(["ce-type": nil]), .init(.malformedEnvelope, "ce-type", "missing")),
    .init("no job", "{\"x\":1}", headers: eventHeaders(), .init(.malformedEnvelope, "jobId", "ce-jobid")),
    .init("no data", "", headers: eventHeaders(), .init(.malformedEnvelope, "jobId", "ce-jobid")),
    .init(
      "bad job", "{}", headers: eventHeaders(["ce-jobid": "a b"]), .init(.invalidField, "ce-jobid", "letters")),
    .init(
      "data that is no JSON", "<a/>", headers: eventHeaders(["ce-jobid": "a"]),
      .init(.malformedJSON, "body", "byte 0")),
    .init(
      "batch", "[]", headers: ["content-type": "application/cloudevents-batch+json; charset=utf-8"],
      .init(.malformedEnvelope, "Content-Type", "Batches")),
    .init(
      "other format", "x", headers: ["content-type": "application/cloudevents+avro"],
      .init(.malformedEnvelope, "Content-Type", "cloudevents+json")),
    .init(
      "structured array", "[]", headers: ["content-type": "application/cloudevents+json"],
      .init(.malformedJSON, "body", "expected an object")),
    .init(
      "structured without version", "{\"id\":\"1\"}", headers: ["content-type": "application/cloudevents+json"],
      .init(.invalidField, "specversion", "1.0")),
    .init(
      "structured with a number for a version", "{\"specversion\":1.0}", .init(.invalidField, "specversion", "a string")
    ),
    .init(
      "structured without id", "{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\"}",
      .init(.malformedEnvelope, "id", "missing")),
    .init(
      "structured without source", "{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"t\"}",
      .init(.malformedEnvelope, "source", "missing")),
    .init(
      "structured with an empty type", "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"\"}",
      .init(.malformedEnvelope, "type", "missing")),
    .init("structured without job", event(",\"data\":{}"), .init(.malformedEnvelope, "data.jobId", "jobid")),
    .init("structured with bad job", event(",\"jobid\":\"/\""), .init(.invalidField, "jobid", "begin with")),
    .init(
      "structured with both data", event(",\"data\":{},\"data_base64\":\"e30=\""),
      .init(.malformedEnvelope, "data_base64", "both")),
    .init("structured with bad base64", event(",\"data_base64\":\"*\""), .init(.invalidField, "data_base64", "base64")),
    .init(
      "bad run in structured data", event(",\"data\":{\"jobId\":\"a\",\"runId\":[]}"),
      .init(.invalidField, "data.runId", "is an array")),
    .init("event in an event", event(",\"data\":\(event(""))"), .init(.malformedEnvelope, "data", "do not nest")),
    .init("push in an event", event(",\"data\":\(push("{}"))"), .init(.malformedEnvelope, "data", "do not nest")),
    .init(
      "published without a message", "{}", headers: eventHeaders(["ce-type": publishedType]),
      .init(.malformedEnvelope, "message", "missing")),
    .init(
      "published without an object", "7", headers: eventHeaders(["ce-type": publishedType]),
      .init(.malformedEnvelope, "body", "an object")),
    .init(
      "published without a job", event(",\"data\":\(push("{}"))", type: publishedType),
      .init(.malformedEnvelope, "data.message.data.jobId", "names no job")),
    .init(
      "long source", "{}", headers: eventHeaders(["ce-source": String(repeating: "s", count: 1_025)]),
      .init(.tooLarge, "ce-source", "1024")),
  ]

  static let headers: [EnvelopeCase<Refusal>] = [
    .init(
      "bad schedule time", path: .scheduled("a"), headers: ["X-CloudScheduler-ScheduleTime": "yesterday"],
      .init(.invalidField, "X-CloudScheduler-ScheduleTime", "RFC 3339")),
    .init(
      "two schedule times", path: .master,
      headers: [
        "X-CloudScheduler-ScheduleTime": "2026-11-21T02:54:00Z",
        "x-cloudscheduler-scheduletime": "2026-11-21T02:55:00Z",
      ],
      .init(.invalidField, "X-CloudScheduler-ScheduleTime", "two values")),
    .init(
      "two task names", "{\"jobId\":\"a\"}",
      headers: ["X-CloudTasks-QueueName": "q", "X-CloudTasks-TaskName": "t", "X-CLOUDTASKS-TASKNAME": "u"],
      .init(.invalidField, "X-CloudTasks-TaskName", "two values")),
    .init(
      "long task name", "{\"jobId\":\"a\"}",
      headers: ["X-CloudTasks-TaskName": String(repeating: "t", count: 1_025)],
      .init(.tooLarge, "X-CloudTasks-TaskName", "1024")),
    .init(
      "long idempotency key", "{\"jobId\":\"a\"}", headers: ["Idempotency-Key": String(repeating: "k", count: 257)],
      .init(.tooLarge, "Idempotency-Key", "256")),
    .init(
      "idempotency key beyond ASCII", "{\"jobId\":\"a\"}", headers: ["Idempotency-Key": "ключ"],
      .init(.invalidField, "Idempotency-Key", "printable")),
    .init(
      "long correlation header", "{\"jobId\":\"a\"}", headers: ["X-Correlation-ID": String(repeating: "c", count: 257)],
      .init(.tooLarge, "X-Correlation-ID", "256")),
  ]
}
