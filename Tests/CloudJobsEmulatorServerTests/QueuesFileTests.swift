import CloudJobsCore
import CloudJobsEmulatorWire
import Testing

@testable import CloudJobsEmulatorServer

@Suite("A file of queues")
struct QueuesFileTests {
  private static let head = "queue:\n- name: mail\n"
  private static let retry = head + "  retry_parameters:\n    "
  private static let mail = #"{"name":"projects/local/locations/local/queues/mail""#

  /// A file, and its queues as JSON.
  private static let files: [(text: String, queues: String)] = [
    (head, "[\(mail)}]"),
    ("---\n# all\n\nqueue:\n  - name: mail # one\n", "[\(mail)}]"),
    ("queue:\r\n-\r\n  name: 'mail'\r\n", "[\(mail)}]"),
    ("\u{FEFF}queue:\n-   name: \"mail\"   # \"x\"\n    target: a#b\n", "[\(mail)}]"),
    ("queue:\n- rate: 5/s\n  name: mail\n", #"[\#(mail),"rateLimits":{"maxDispatchesPerSecond":5}}]"#),
    (head + "  rate: 30/m\n", #"[\#(mail),"rateLimits":{"maxDispatchesPerSecond":0.5}}]"#),
    (head + "  rate: 1/d\n", #"[\#(mail),"rateLimits":{"maxDispatchesPerSecond":0.000012}}]"#),
    (head + "  rate: 0.25/s\n", #"[\#(mail),"rateLimits":{"maxDispatchesPerSecond":0.25}}]"#),
    (head + "  max_concurrent_requests: 9\n", #"[\#(mail),"rateLimits":{"maxConcurrentDispatches":9}}]"#),
    (head + "  bucket_size: 5\n  mode: push\ntotal_storage_limit: 120M\n", "[\(mail)}]"),
    (retry + "task_retry_limit: 0\n", #"[\#(mail),"retryConfig":{"maxAttempts":1}}]"#),
    (retry + "task_age_limit: 2d\n", #"[\#(mail),"retryConfig":{"maxRetryDuration":"172800s"}}]"#),
    (retry + "task_age_limit: 4h\n", #"[\#(mail),"retryConfig":{"maxRetryDuration":"14400s"}}]"#),
    (retry + "task_age_limit: 30m\n", #"[\#(mail),"retryConfig":{"maxRetryDuration":"1800s"}}]"#),
    (retry + "task_age_limit: 10s\n", #"[\#(mail),"retryConfig":{"maxRetryDuration":"10s"}}]"#),
    (
      retry + "min_backoff_seconds: 0.05\n    max_backoff_seconds: 200\n    max_doublings: 3\n",
      #"[\#(mail),"retryConfig":{"maxBackoff":"200s","maxDoublings":3,"minBackoff":"0.050000s"}}]"#
    ),
    (head + "- name: projects/p/locations/l/queues/q\n", #"[\#(mail)},{"name":"projects/p/locations/l/queues/q"}]"#),
    ("queue:\n", "[]"),
    (#" [{"name": "mail", "state": "RUNNING"}]"#, #"[\#(mail),"state":"RUNNING"}]"#),
    ("[]", "[]"),
  ]

  @Test("both formats give the queues of the REST API", arguments: files)
  func reads(text: String, queues: String) throws {
    let file = try QueuesFile(parsing: text)
    #expect(JSONValue.array(file.queues) == (try JSONValue(parsing: Array(queues.utf8))))
  }

  /// A file and the start of the error message that it causes.
  private static let refusals: [(text: String, message: String)] = [
    ("", "Line 1: The file has no queues."),
    ("cron:\n", "Line 1: The file has no queues."),
    ("queue: mail\n", "Line 1: `queue` needs a list"),
    ("queue: []\n", "Line 1: A value that begins with ["),
    ("queue:\n- mail\n", "Line 2: The line is not an entry."),
    ("queue:\n- rate: 5/s\n", "Line 2: The queue has no name."),
    ("queue:\n- name:\n", "Line 2: `name` needs a value"),
    ("queue:\n- name: a b\n", "Line 2: "),
    (head + "- name: mail\n", "Line 3: projects/local/locations/local/queues/mail is defined twice in the file."),
    (head + "\trate: 5/s\n", "Line 3: The line is indented with a tab."),
    (head + "  rate:5/s\n", "Line 3: The line is not an entry."),
    (head + "   rate: 5/s\n", "Line 3: The indentation matches no line above."),
    (head + " rate: 5/s\n", "Line 3: The indentation matches no line above."),
    (head + "  rate: 5\n", "Line 3: A rate is"),
    (head + "  rate: 5/w\n", "Line 3: A rate is"),
    (head + "  rate: -1/s\n", "Line 3: A rate is"),
    (head + "  rate: 0/s\n", "Line 3: The rate is below the minimum."),
    (head + "  rate: 5/s\n  rate: 6/s\n", "Line 4: `rate` occurs twice."),
    (head + "  rate: &a 5/s\n", "Line 3: A value that begins with &"),
    (head + "  mode: pull\n", "Line 3: Cloud Tasks has push queues only."),
    (head + "  acl:\n  - user_email: a\n", "Line 3: `acl` is unknown."),
    (head + "  target: 'v2\n", "Line 3: The closing quote is missing."),
    (head + "  target: 'v2' x\n", "Line 3: There is text after the closing quote."),
    (head + "  target: \"a\\n\"\n", "Line 3: Escapes are not supported."),
    (head + "  target: a: b\n", "Line 3: The line has two colons."),
    (head + "  bucket_size: many\n", "Line 3: `bucket_size` needs a whole number from 1"),
    (head + "  max_concurrent_requests: 0\n", "Line 3: `max_concurrent_requests` needs a whole number from 1"),
    (head + "  retry_parameters: 7\n", "Line 3: `retry_parameters` needs indented entries"),
    (retry + "task_retry_limit: -1\n", "Line 4: `task_retry_limit` needs a whole number from 0"),
    (retry + "task_age_limit: 2w\n", "Line 4: An age is"),
    (retry + "task_age_limit: 999999999d\n", "Line 4: An age is"),
    (retry + "min_backoff_seconds: 5s\n", "Line 4: `min_backoff_seconds` needs seconds"),
    (retry + "jitter: 1\n", "Line 4: `jitter` is unknown."),
    ("- - - - - - - - - a: 1\n", "Line 1: The nesting is too deep."),
    ("{}", "The JSON file: It is an object."),
    ("[{}]", "Queue 1 of the list: It has no name."),
    (#"[{"name":"a"},{"name":"a"}]"#, "Queue 2 of the list: "),
  ]

  @Test("invalid input is rejected with its line and the remedy", arguments: refusals)
  func refuses(text: String, message: String) {
    let error = #expect(throws: JobError.self) { try QueuesFile(parsing: text) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    #expect(error?.code == .invalidField)
  }

  @Test("entries without effect are reported with their line")
  func notes() throws {
    let file = try QueuesFile(parsing: Self.head + "  target: v2\n  bucket_size: 40\ntotal_storage_limit: 1G\n")
    #expect(
      file.notes.map { String($0.prefix(24)) }.map { $0.split(separator: "`")[0] } == [
        "Line 3: ", "Line 4: ", "Line 5: ",
      ])
  }

  @Test("each queue is a request to its full name in the chosen location")
  func requests() throws {
    let file = try QueuesFile(parsing: Self.head, location: "projects/p/locations/l")
    let name = "projects/p/locations/l/queues/mail"
    let body = JSONValue.object(["name": .string(name)]).encoded
    #expect(file.requests == [RESTRequest(method: "PATCH", target: "/v2/\(name)", body: body)])
  }

  @Test(
    "a location has four parts", arguments: ["", "p/l", "projects/p", "projects//locations/l", "projects/p/zones/l"])
  func location(text: String) {
    #expect(throws: JobError.self) { try QueuesFile(parsing: "[]", location: text) }
  }
}
