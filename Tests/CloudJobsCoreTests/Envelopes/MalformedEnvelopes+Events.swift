import CloudJobsCore

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
      .init(.malformedJSON, "body", "an object should begin")),
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
