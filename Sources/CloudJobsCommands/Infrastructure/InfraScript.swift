#if Google
import CloudJobsCore
import CloudJobsGoogle

/// A script for bash that sets up a service on Google Cloud: pure.
struct InfraScript {
  /// The address that stands for the one that the script finds out.
  static let unknownURL = "https://service.invalid"

  /// A composite index: the field that is compared, before the time that orders the list.
  struct Index: Hashable {
    var collection: String
    var field: String
    var time: String
    var isAscending = false
    /// Whether the field is a list, of which one element is compared.
    var isList = false
  }

  /// The composite indexes that lists of runs and the pass journal of a job need.
  static let indexes = [
    Index(collection: "runs", field: "job", time: "createdAt"),
    Index(collection: "runs", field: "status", time: "createdAt"),
    Index(collection: "runs", field: "correlationId", time: "createdAt"),
    Index(collection: "journal", field: "jobs", time: "time", isAscending: true, isList: true),
    Index(collection: "journal", field: "jobs", time: "time", isList: true),
  ]
  /// The fields that need no index, by their collections.
  static let plainFields = [
    ("runs", "input"), ("runs", "output"), ("runs", "error"), ("runs", "lease"), ("journal", "lines"),
  ]
  /// The collections whose documents are deleted after their time `expireAt`.
  static let expiring = ["runs", "effects"]

  private let configuration: CloudSyncConfiguration
  private let plan: SyncPlan
  private let service: String
  /// The image to deploy; nil if nothing is deployed.
  var image: String?
  /// The Firestore database.
  var database = "(default)"
  /// Whether the service keeps its queues and Cloud Scheduler jobs itself.
  var syncs = false

  /// Creates a script.
  ///
  /// - Parameters:
  ///   - configuration: the project, the location and the queue.
  ///   - plan: the queues and the jobs of Cloud Scheduler to make.
  ///   - service: the name of the Cloud Run service.
  init(_ configuration: CloudSyncConfiguration, _ plan: SyncPlan, service: String) {
    (self.configuration, self.plan, self.service) = (configuration, plan, service)
  }

  /// The script.
  var text: String {
    let parts = [head, accounts, firestore, queues, scheduler, deployment].filter { !$0.isEmpty }
    return parts.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  // MARK: Parts

  private var head: [String] {
    let tasks = configuration.tasks
    let caller = tasks.serviceAccount.map { Self.quoted($0) } ?? "\"$SERVICE-caller@$PROJECT.iam.gserviceaccount.com\""
    let own = tasks.handler.hasPrefix(Self.unknownURL)
    let address =
      own
      ? [
        "NUMBER=$(gcloud projects describe \"$PROJECT\" --format 'value(projectNumber)')",
        "URL=\"https://$SERVICE-$NUMBER.$LOCATION.run.app\"",
      ] : ["URL=\(Self.quoted(TokenOrigin.of(tasks.handler)))"]
    return [
      "#!/usr/bin/env bash", "# Sets up a service of swift-cloud-jobs on Google Cloud. It may be run again.",
      "set -euo pipefail", "PROJECT=\(Self.quoted(tasks.project)) LOCATION=\(Self.quoted(tasks.location))",
      "SERVICE=\(Self.quoted(service)) DATABASE=\(Self.quoted(database))",
      "RUNTIME=\"$SERVICE-runtime@$PROJECT.iam.gserviceaccount.com\"", "CALLER=\(caller)",
      "export CLOUDSDK_CORE_PROJECT=\"$PROJECT\" CLOUDSDK_CORE_DISABLE_PROMPTS=1", "",
      "# Runs a command whose resource may be there already.", "once() {", "  local output",
      "  if output=$(\"$@\" 2>&1); then return; fi",
      "  if grep -qiE 'already.exists|ALREADY_EXISTS' <<<\"$output\"; then return; fi",
      "  echo \"$output\" >&2", "  return 1", "}", "",
      "gcloud services enable run.googleapis.com cloudtasks.googleapis.com cloudscheduler.googleapis.com \\",
      "  firestore.googleapis.com",
    ] + address
  }

  private var accounts: [String] {
    var roles = ["roles/datastore.user", "roles/cloudtasks.enqueuer", "roles/cloudtasks.taskDeleter"]
    if syncs { roles += ["roles/cloudtasks.queueAdmin", "roles/cloudscheduler.admin"] }
    let makesCaller = configuration.tasks.serviceAccount == nil
    return [
      "# The service runs as one account, and Cloud Tasks and Cloud Scheduler call it as another.",
      "once gcloud iam service-accounts create \"$SERVICE-runtime\"",
    ] + (makesCaller ? ["once gcloud iam service-accounts create \"$SERVICE-caller\""] : []) + [
      "for role in \(roles.joined(separator: " ")); do",
      "  gcloud projects add-iam-policy-binding \"$PROJECT\" --member \"serviceAccount:$RUNTIME\" --role \"$role\" \\",
      "    --condition None >/dev/null", "done", "# Its tasks have the other account's token.",
      "gcloud iam service-accounts add-iam-policy-binding \"$CALLER\" --member \"serviceAccount:$RUNTIME\" \\",
      "  --role roles/iam.serviceAccountUser >/dev/null",
    ]
  }

  private var firestore: [String] {
    ["# The store, the indexes of its lists, and the deletion of what has expired."]
      + [
        "once gcloud firestore databases create --database \"$DATABASE\" --location \"$LOCATION\" \\",
        "  --type firestore-native",
      ]
      + Self.indexes.map { index in
        let field = "field-path=\(index.field),\(index.isList ? "array-config=contains" : "order=ascending")"
        let time = "field-path=\(index.time),order=\(index.isAscending ? "ascending" : "descending")"
        return "once gcloud firestore indexes composite create --database \"$DATABASE\" --async \\\n"
          + "  --collection-group \(index.collection) --field-config \(field) --field-config \(time)"
      }
      + Self.plainFields.map { collection, field in
        "gcloud firestore indexes fields update \(field) --database \"$DATABASE\" --collection-group \(collection) \\\n"
          + "  --disable-indexes --async"
      }
      + Self.expiring.map {
        "gcloud firestore fields ttls update expireAt --database \"$DATABASE\" --collection-group \($0) \\\n"
          + "  --enable-ttl --async"
      }
  }

  private var queues: [String] {
    let queues = plan.changes.filter { $0.kind == .queue }
    if queues.isEmpty { return [] }
    return ["# The runtime repeats failed attempts; a queue repeats deliveries that could not be processed."]
      + queues.map { queue in
        let retry = queue.fields["retryConfig"]
        let limits = queue.fields["rateLimits"]
        let flags = Self.flags([
          ("max-attempts", retry?["maxAttempts"]), ("max-retry-duration", retry?["maxRetryDuration"]),
          ("min-backoff", retry?["minBackoff"]), ("max-backoff", retry?["maxBackoff"]),
          ("max-doublings", retry?["maxDoublings"]), ("max-dispatches-per-second", limits?["maxDispatchesPerSecond"]),
          ("max-concurrent-dispatches", limits?["maxConcurrentDispatches"]),
        ])
        return Self.createOrUpdate("tasks queues", kind: "", Self.last(queue.name), flags)
      }
  }

  private var scheduler: [String] {
    let jobs = plan.changes.filter { $0.kind == .schedulerJob }
    if jobs.isEmpty { return [] }
    return ["# The master pass once a minute, and the jobs with schedules of their own."]
      + jobs.map { job in
        let target = job.fields["httpTarget"]
        let retry = job.fields["retryConfig"]
        var flags = Self.flags([
          ("schedule", job.fields["schedule"]), ("time-zone", job.fields["timeZone"]),
          ("description", job.fields["description"]), ("attempt-deadline", job.fields["attemptDeadline"]),
          ("max-retry-attempts", retry?["retryCount"]), ("min-backoff", retry?["minBackoffDuration"]),
          ("max-backoff", retry?["maxBackoffDuration"]), ("max-doublings", retry?["maxDoublings"]),
        ])
        let path = TokenOrigin.path(of: target?["uri"]?.string ?? "")
        flags += ["--http-method POST", "--uri \"$URL\"\(Self.quoted(path))"]
        flags += ["--oidc-service-account-email \"$CALLER\"", "--oidc-token-audience \"$URL\""]
        let name = Self.last(job.name)
        let command = Self.createOrUpdate("scheduler jobs", kind: "http ", name, flags)
        let pause = "\ngcloud scheduler jobs pause \(Self.quoted(name)) --location \"$LOCATION\""
        return command + (job.isPaused ? pause : "")
      } + plan.notes.map { "# \($0.replacing("\n", with: " "))" }
  }

  private var deployment: [String] {
    guard let image else { return [] }
    let store = database == "(default)" ? "firestore://$PROJECT" : "firestore://$PROJECT/$DATABASE"
    let (sync, queue) = (syncs ? "" : "--no-sync,", configuration.tasks.queue)
    return [
      "# The service is not public: Cloud Run checks the caller's token before the container sees a request.",
      "gcloud run deploy \"$SERVICE\" --image \(Self.quoted(image)) --region \"$LOCATION\" \\",
      "  --service-account \"$RUNTIME\" --no-allow-unauthenticated --timeout 900 --concurrency 20 \\",
      "  --set-env-vars \"CLOUD_JOBS_STORE=\(store),GOOGLE_CLOUD_PROJECT=$PROJECT\" \\",
      "  --args \"serve,\(sync)--location,$LOCATION,--service-url,$URL,--caller,$CALLER,--queue,\(queue)\"",
      "gcloud run services add-iam-policy-binding \"$SERVICE\" --region \"$LOCATION\" \\",
      "  --member \"serviceAccount:$CALLER\" --role roles/run.invoker >/dev/null",
    ]
  }

  // MARK: Text

  /// Returns a command that creates a resource, or updates it if it is there.
  private static func createOrUpdate(_ group: String, kind: String, _ name: String, _ flags: [String]) -> String {
    let place = "\(quoted(name)) --location \"$LOCATION\""
    return """
      verb=create
      if gcloud \(group) describe \(place) >/dev/null 2>&1; then verb=update; fi
      gcloud \(group) "$verb" \(kind)\(place) \\
        \(flags.joined(separator: " \\\n  "))
      """
  }

  /// Returns the options of values that are set.
  private static func flags(_ values: [(name: String, value: JSONValue?)]) -> [String] {
    values.compactMap { name, value in
      guard let value, !value.isNull else { return nil }
      return "--\(name) \(quoted(value.string ?? value.text))"
    }
  }

  private static func last(_ name: String) -> String { name.split(separator: "/").last.map { String($0) } ?? name }

  /// Returns text that bash takes as it is.
  static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-_./:@".utf8.contains(byte)
    }
    return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}

/// The parts of a handler's address.
private enum TokenOrigin {
  /// Returns the address without its path.
  static func of(_ url: String) -> String { String(url.dropLast(path(of: url).count)) }

  /// Returns the path.
  static func path(of url: String) -> String {
    guard let scheme = url.firstRange(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/") else {
      return ""
    }
    return String(url[slash...])
  }
}
#endif
