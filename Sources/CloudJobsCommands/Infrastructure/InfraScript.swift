#if Google
import CloudJobsCore
import CloudJobsGoogle

/// A script for bash that sets up a service on Google Cloud: pure.
struct InfraScript {
  private let resources: ServiceResources

  /// Creates a script that makes the resources.
  init(_ resources: ServiceResources) {
    self.resources = resources
  }

  /// The script.
  var text: String {
    let parts = [head, accounts, firestore, queues, scheduler, deployment].filter { !$0.isEmpty }
    return parts.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  // MARK: Parts

  private var head: [String] {
    let tasks = resources.tasks
    let caller =
      tasks.serviceAccount.map { TextQuoting.shell($0) } ?? "\"$SERVICE-caller@$PROJECT.iam.gserviceaccount.com\""
    let address =
      resources.url.map { ["URL=\(TextQuoting.shell($0))"] }
      ?? [
        "NUMBER=$(gcloud projects describe \"$PROJECT\" --format 'value(projectNumber)')",
        "URL=\"https://$SERVICE-$NUMBER.$LOCATION.run.app\"",
      ]
    return [
      "#!/usr/bin/env bash", "# Sets up a service of swift-cloud-jobs on Google Cloud. It may be run again.",
      "# Made by `infra --format gcloud`: change the jobs or the options, and print it again.",
      "set -euo pipefail",
      "PROJECT=\(TextQuoting.shell(tasks.project)) LOCATION=\(TextQuoting.shell(tasks.location))",
      "SERVICE=\(TextQuoting.shell(resources.service)) DATABASE=\(TextQuoting.shell(resources.database))",
      "RUNTIME=\"$SERVICE-runtime@$PROJECT.iam.gserviceaccount.com\"", "CALLER=\(caller)",
      "export CLOUDSDK_CORE_PROJECT=\"$PROJECT\" CLOUDSDK_CORE_DISABLE_PROMPTS=1", "",
      "# Runs a command whose resource may be there already.", "once() {", "  local output",
      "  if output=$(\"$@\" 2>&1); then return; fi",
      "  if grep -qiE 'already.exists|ALREADY_EXISTS' <<<\"$output\"; then return; fi",
      "  echo \"$output\" >&2", "  return 1", "}", "",
      "gcloud services enable \(ServiceResources.services.joined(separator: " \\\n  "))",
    ] + address
  }

  private var accounts: [String] {
    let makesCaller = resources.tasks.serviceAccount == nil
    return [
      "# The service runs as one account, and Cloud Tasks and Cloud Scheduler call it as another.",
      "once gcloud iam service-accounts create \"$SERVICE-runtime\" --display-name \"$SERVICE: runs the jobs\"",
    ]
      + (makesCaller
        ? [
          "once gcloud iam service-accounts create \"$SERVICE-caller\" \\",
          "  --display-name \"$SERVICE: calls the service\"",
        ]
        : []) + [
        "for role in \(resources.roles.joined(separator: " ")); do",
        "  gcloud projects add-iam-policy-binding \"$PROJECT\" --member \"serviceAccount:$RUNTIME\" \\",
        "    --role \"$role\" --condition None >/dev/null", "done", "# Its tasks have the other account's token.",
        "gcloud iam service-accounts add-iam-policy-binding \"$CALLER\" --member \"serviceAccount:$RUNTIME\" \\",
        "  --role roles/iam.serviceAccountUser >/dev/null",
      ]
  }

  private var firestore: [String] {
    ["# The store, the indexes of its lists, and the deletion of what has expired."]
      + [
        "once gcloud firestore databases create --database \"$DATABASE\" --location \"$LOCATION\" \\",
        "  --type firestore-native --delete-protection",
      ]
      + ServiceResources.indexes.map { index in
        let field = "field-path=\(index.field),\(index.isList ? "array-config=contains" : "order=ascending")"
        let time = "field-path=\(index.time),order=\(index.isAscending ? "ascending" : "descending")"
        return "once gcloud firestore indexes composite create --database \"$DATABASE\" --async \\\n"
          + "  --collection-group \(index.collection) --field-config \(field) \\\n  --field-config \(time)"
      }
      + ServiceResources.plainFields.map { collection, field in
        "gcloud firestore indexes fields update \(field) --database \"$DATABASE\" --collection-group \(collection) \\\n"
          + "  --disable-indexes --async"
      }
      + ServiceResources.expiring.map {
        "gcloud firestore indexes fields update expireAt --database \"$DATABASE\" --collection-group \($0) \\\n"
          + "  --index order=ascending\n"
          + "gcloud firestore fields ttls update expireAt --database \"$DATABASE\" --collection-group \($0) \\\n"
          + "  --enable-ttl --async"
      }
  }

  private var queues: [String] {
    if resources.queues.isEmpty { return [] }
    return ["# The runtime repeats failed attempts; a queue repeats deliveries that could not be processed."]
      + resources.queues.map { Self.createOrUpdate("tasks queues", kind: "", $0.name, Self.flags($0)) }
  }

  private var scheduler: [String] {
    if resources.schedules.isEmpty { return [] }
    return ["# The master pass once a minute, and the jobs with schedules of their own."]
      + resources.schedules.map { job in
        let flags =
          Self.flags(job) + [
            "--http-method POST", "--uri \"$URL\"\(TextQuoting.shell(job.path))",
            "--oidc-service-account-email \"$CALLER\"", "--oidc-token-audience \"$URL\"",
          ]
        let command = Self.createOrUpdate("scheduler jobs", kind: "http ", job.name, flags)
        let pause = "\ngcloud scheduler jobs pause \(TextQuoting.shell(job.name)) --location \"$LOCATION\""
        return command + (job.isPaused ? pause : "")
      } + resources.notes.map { "# \($0.split(whereSeparator: \.isNewline).joined(separator: " "))" }
  }

  private var deployment: [String] {
    guard let image = resources.image else { return [] }
    let store = resources.database == "(default)" ? "firestore://$PROJECT" : "firestore://$PROJECT/$DATABASE"
    let (sync, queue) = (resources.syncs ? "" : "--no-sync,", resources.tasks.queue)
    let (timeout, concurrency) = (ServiceResources.timeout, ServiceResources.concurrency)
    let ingress = resources.isInternal ? "internal" : "all"
    return [
      "# The service is not public: Cloud Run checks the caller's token before the container sees a request.",
      "gcloud run deploy \"$SERVICE\" --image \(TextQuoting.shell(image)) --region \"$LOCATION\" \\",
      "  --service-account \"$RUNTIME\" --no-allow-unauthenticated --ingress \(ingress) \\",
      "  --timeout \(timeout) --concurrency \(concurrency) --cpu-throttling \\",
      "  --cpu \(ServiceResources.cpu) --memory \(ServiceResources.memory) \\",
      "  --min-instances \(ServiceResources.minInstances) --max-instances \(ServiceResources.maxInstances) \\",
      "  --startup-probe httpGet.path=/jobs/health/started,httpGet.port=8080,periodSeconds=2,failureThreshold=60 \\",
      "  --set-env-vars \"CLOUD_JOBS_STORE=\(store),GOOGLE_CLOUD_PROJECT=$PROJECT\" \\",
      "  --args \"serve,\(sync)--location,$LOCATION,--service-url,$URL,--caller,$CALLER,--queue,\(queue)\"",
      "gcloud run services add-iam-policy-binding \"$SERVICE\" --region \"$LOCATION\" \\",
      "  --member \"serviceAccount:$CALLER\" --role roles/run.invoker >/dev/null",
    ]
  }

  // MARK: Text

  /// Returns a command that creates a resource, or updates it if it is there.
  private static func createOrUpdate(_ group: String, kind: String, _ name: String, _ flags: [String]) -> String {
    let place = "\(TextQuoting.shell(name)) --location \"$LOCATION\""
    return """
      verb=create
      if gcloud \(group) describe \(place) >/dev/null 2>&1; then verb=update; fi
      gcloud \(group) "$verb" \(kind)\(place) \\
        \(flags.joined(separator: " \\\n  "))
      """
  }

  /// Returns the options of the settings.
  private static func flags(_ resource: ServiceResources.Resource) -> [String] {
    resource.settings.map { "--\($0.setting.flag) \(TextQuoting.shell($0.value.string ?? $0.value.text))" }
  }
}
#endif
