#if Google
import CloudJobsCore
import CloudJobsGoogle

/// A configuration for Terraform that sets up a service on Google Cloud: pure.
///
/// It has the resources of ``InfraScript``, with the same names and settings. Arguments:
/// <https://registry.terraform.io/providers/hashicorp/google/latest/docs>.
struct TerraformFile {
  private let resources: ServiceResources

  /// Creates a configuration that makes the resources.
  init(_ resources: ServiceResources) {
    self.resources = resources
  }

  /// The configuration, formatted as `terraform fmt` does.
  var text: String {
    let parts = [head] + variables + [[address], accounts, firestore, fields]
    let rest = resources.queues.map(queue) + resources.schedules.map(schedule) + [notes, deployment, outputs]
    return (parts.map { $0.joined(separator: "\n\n") } + rest.map { $0.joined(separator: "\n\n") })
      .filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  // MARK: Parts

  private var head: [String] {
    [
      """
      # Sets up a service of swift-cloud-jobs on Google Cloud.
      # Made by `infra --format terraform`: change the jobs or the options, and print it again. A file terraform.tfvars
      # sets variables.
      terraform {
        required_version = ">= 1.5"
        required_providers {
          google = {
            source  = "hashicorp/google"
            version = ">= 6.0, < 9.0"
          }
        }
      }
      """,
      """
      provider "google" {
        project = var.project
        region  = var.location
      }
      """,
    ]
  }

  /// A variable.
  private struct Variable {
    var name: String
    var type = "string"
    var description: String
    /// The default as an expression; nil for a variable that must be set.
    var value: String?
    /// A condition that holds for valid values, and what to say of others.
    var rule: (condition: String, message: String)?

    var text: String {
      var lines = [
        "variable \(TextQuoting.terraform(name)) {",
        "  description = \(TextQuoting.terraform(description))", "  type        = \(type)",
      ]
      if let value { lines.append("  default     = \(value)") }
      if let rule {
        lines += [
          "  validation {", "    condition     = \(rule.condition)",
          "    error_message = \(TextQuoting.terraform(rule.message))", "  }",
        ]
      }
      return (lines + ["}"]).joined(separator: "\n")
    }

    static func number(_ name: String, _ description: String, _ value: Int, _ range: ClosedRange<Int>) -> Variable {
      let condition =
        "var.\(name) >= \(range.lowerBound) && var.\(name) <= \(range.upperBound) "
        + "&& floor(var.\(name)) == var.\(name)"
      return Variable(
        name: name, type: "number", description: description, value: "\(value)",
        rule: (condition, "A whole number from \(range.lowerBound) to \(range.upperBound)."))
    }

    static func matching(
      _ name: String, _ description: String, _ value: String?, _ pattern: String, _ message: String
    ) -> Variable {
      Variable(
        name: name, description: description, value: value.map { TextQuoting.terraform($0) },
        rule: ("can(regex(\(TextQuoting.terraform(pattern)), var.\(name)))", message))
    }
  }

  private var variables: [[String]] {
    let tasks = resources.tasks
    var variables = [
      Variable.matching(
        "project", "The id of the Google Cloud project.", tasks.project, "^([a-z0-9.-]+:)?[a-z][a-z0-9-]*$",
        "A project's id has lower-case letters, digits and hyphens, such as my-project."),
      .matching(
        "location", "The location of all resources, such as europe-west1.", tasks.location, "^[a-z]+(-[a-z0-9]+)*$",
        "A location is a region, such as europe-west1."),
      .matching(
        "service", "The name of the Cloud Run service, and the beginning of its accounts' names.", resources.service,
        "^[a-z][a-z0-9-]{0,19}$",
        "A service's name has at most 20 lower-case letters, digits and hyphens, and begins with a letter."),
      .matching(
        "image", "The image to deploy, which has the program with the jobs.", resources.image, "^[^[:space:]]+$",
        "Name an image, such as europe-docker.pkg.dev/my-project/images/jobs."),
      .matching(
        "database", "The Firestore database.", resources.database,
        "^(\\(default\\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$",
        "A database is (default), or has 4 to 63 lower-case letters, digits and hyphens."),
    ]
    if let caller = tasks.serviceAccount {
      variables.append(
        .matching(
          "caller", "The account whose tokens Cloud Tasks and Cloud Scheduler send to the service.", caller, "^.+@.+$",
          "An account is an email address, such as caller@my-project.iam.gserviceaccount.com."))
    }
    if let url = resources.url {
      variables.append(
        .matching(
          "service_url", "The address of the service, without a path.", url, "^https?://[^/]+$",
          "An address has no path, such as https://jobs.example."))
    }
    let ingress = ["internal", "all", "internal-and-cloud-load-balancing"].map { "\"\($0)\"" }.joined(separator: ", ")
    variables += [
      Variable(
        name: "ingress",
        description: "Where requests may come from. Cloud Tasks and Cloud Scheduler are internal to the project at the "
          + "address run.app; callers outside need \"all\".",
        value: resources.isInternal ? "\"internal\"" : "\"all\"",
        rule: ("contains([\(ingress)], var.ingress)", "One of internal, all and internal-and-cloud-load-balancing.")),
      .number(
        "timeout", "The time limit of a request in seconds, above that of every job.", ServiceResources.timeout,
        1...3_600
      ),
      .number("concurrency", "The requests that an instance serves at once.", ServiceResources.concurrency, 1...1_000),
      .number("min_instances", "The least number of instances.", ServiceResources.minInstances, 0...1_000),
      .number("max_instances", "The largest number of instances.", ServiceResources.maxInstances, 1...1_000),
      .matching(
        "cpu", "The processors of an instance.", ServiceResources.cpu, "^(1|2|4|6|8)$", "One of 1, 2, 4, 6 and 8."),
      .matching(
        "memory", "The memory of an instance.", ServiceResources.memory, "^[0-9]+(Mi|Gi)$",
        "A number with Mi or Gi, such as 512Mi."),
      Variable(
        name: "deletion_protection", type: "bool",
        description: "Whether the service and the database are kept from being destroyed.", value: "true"),
    ]
    return [variables.map(\.text)]
  }

  private var address: String {
    let caller = resources.tasks.serviceAccount == nil ? "google_service_account.caller.email" : "var.caller"
    let own = "\"https://${var.service}-${data.google_project.project.number}.${var.location}.run.app\""
    let locals = """
      locals {
        url    = \(resources.url == nil ? own : "var.service_url")
        caller = \(caller)
        store  = "firestore://${var.project}${var.database == "(default)" ? "" : "/${var.database}"}"
        ingress = {
          "internal"                          = "INGRESS_TRAFFIC_INTERNAL_ONLY"
          "all"                               = "INGRESS_TRAFFIC_ALL"
          "internal-and-cloud-load-balancing" = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
        }
      }
      """
    guard resources.url == nil else { return locals }
    return """
      data "google_project" "project" {
        project_id = var.project
        depends_on = [google_project_service.api]
      }

      \(locals)
      """
  }

  private var accounts: [String] {
    let makesCaller = resources.tasks.serviceAccount == nil
    return [
      """
      resource "google_project_service" "api" {
        for_each           = toset(\(list(ServiceResources.services)))
        project            = var.project
        service            = each.key
        disable_on_destroy = false
      }
      """,
      """
      # The service runs as one account, and Cloud Tasks and Cloud Scheduler call it as another.
      resource "google_service_account" "runtime" {
        project      = var.project
        account_id   = "${var.service}-runtime"
        display_name = "${var.service}: runs the jobs"
        depends_on   = [google_project_service.api]
      }
      """,
      makesCaller
        ? """
        resource "google_service_account" "caller" {
          project      = var.project
          account_id   = "${var.service}-caller"
          display_name = "${var.service}: calls the service"
          depends_on   = [google_project_service.api]
        }
        """ : nil,
      """
      resource "google_project_iam_member" "runtime" {
        for_each = toset(\(list(resources.roles)))
        project  = var.project
        role     = each.key
        member   = "serviceAccount:${google_service_account.runtime.email}"
      }
      """,
      """
      # Its tasks have the other account's token.
      resource "google_service_account_iam_member" "runtime_uses_caller" {
        service_account_id = "projects/-/serviceAccounts/${local.caller}"
        role               = "roles/iam.serviceAccountUser"
        member             = "serviceAccount:${google_service_account.runtime.email}"
      }
      """,
    ].compactMap { $0 }
  }

  private var firestore: [String] {
    let indexes = ServiceResources.indexes.map { index in
      let order = index.isList ? "array = \"CONTAINS\", order = null" : "array = null, order = \"ASCENDING\""
      let direction = index.isAscending ? "ASCENDING" : "DESCENDING"
      return "    \"\(index.collection)-\(index.field)-\(index.time)-\(direction.lowercased())\" = "
        + "{ collection = \"\(index.collection)\", field = \"\(index.field)\", \(order), time = \"\(index.time)\", "
        + "direction = \"\(direction)\" }"
    }
    return [
      """
      # The store, the indexes of its lists, and the deletion of what has expired.
      resource "google_firestore_database" "store" {
        project                 = var.project
        name                    = var.database
        location_id             = var.location
        type                    = "FIRESTORE_NATIVE"
        delete_protection_state = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
        depends_on              = [google_project_service.api]
      }
      """,
      """
      resource "google_firestore_index" "list" {
        for_each = {
      \(aligned(indexes).joined(separator: "\n"))
        }
        project    = var.project
        database   = google_firestore_database.store.name
        collection = each.value.collection
        fields {
          field_path   = each.value.field
          order        = each.value.order
          array_config = each.value.array
        }
        fields {
          field_path = each.value.time
          order      = each.value.direction
        }
      }
      """,
    ]
  }

  private var fields: [String] {
    let plain = ServiceResources.plainFields.map { collection, field in
      "    \"\(collection)-\(field)\" = { collection = \"\(collection)\", field = \"\(field)\" }"
    }
    return [
      """
      # Fields that nothing searches have no index.
      resource "google_firestore_field" "plain" {
        for_each = {
      \(aligned(plain).joined(separator: "\n"))
        }
        project    = var.project
        database   = google_firestore_database.store.name
        collection = each.value.collection
        field      = each.value.field
        index_config {}
      }
      """,
      """
      resource "google_firestore_field" "expiry" {
        for_each   = toset(\(list(ServiceResources.expiring)))
        project    = var.project
        database   = google_firestore_database.store.name
        collection = each.key
        field      = "expireAt"
        ttl_config {}
        index_config {
          indexes {
            order       = "ASCENDING"
            query_scope = "COLLECTION"
          }
        }
      }
      """,
    ]
  }

  private func queue(_ queue: ServiceResources.Resource) -> [String] {
    let plain = [("project", "var.project"), ("location", "var.location"), ("name", TextQuoting.terraform(queue.name))]
    return [
      "resource \"google_cloud_tasks_queue\" \"\(Self.label(queue.name))\" {\n"
        + (Self.settings(queue, after: plain) + ["  depends_on = [google_project_service.api]", "}"])
        .joined(separator: "\n")
    ]
  }

  private func schedule(_ job: ServiceResources.Resource) -> [String] {
    let plain = [
      ("project", "var.project"), ("region", "var.location"), ("name", TextQuoting.terraform(job.name)),
      ("paused", "\(job.isPaused)"),
    ]
    let target = """
        http_target {
          http_method = "POST"
          uri         = "${local.url}\(TextQuoting.terraform(job.path).dropFirst().dropLast())"
          oidc_token {
            service_account_email = local.caller
            audience              = local.url
          }
        }
        depends_on = [google_project_service.api]
      }
      """
    return [
      "resource \"google_cloud_scheduler_job\" \"\(Self.label(job.name))\" {\n"
        + (Self.settings(job, after: plain) + [target]).joined(separator: "\n")
    ]
  }

  private var notes: [String] {
    let notes = resources.notes.map { "# \($0.split(whereSeparator: \.isNewline).joined(separator: " "))" }
    return notes.isEmpty ? [] : [notes.joined(separator: "\n")]
  }

  private var deployment: [String] {
    let sync = resources.syncs ? "" : "\"--no-sync\", "
    return [
      """
      # The service is not public: Cloud Run checks the caller's token before the container sees a request.
      resource "google_cloud_run_v2_service" "service" {
        project             = var.project
        location            = var.location
        name                = var.service
        ingress             = local.ingress[var.ingress]
        deletion_protection = var.deletion_protection
        template {
          service_account                  = google_service_account.runtime.email
          timeout                          = "${var.timeout}s"
          max_instance_request_concurrency = var.concurrency
          scaling {
            min_instance_count = var.min_instances
            max_instance_count = var.max_instances
          }
          containers {
            image = var.image
            args = [
              "serve", \(sync)"--location", var.location, "--service-url", local.url, "--caller", local.caller,
              "--queue", \(TextQuoting.terraform(resources.tasks.queue)),
            ]
            env {
              name  = "CLOUD_JOBS_STORE"
              value = local.store
            }
            env {
              name  = "GOOGLE_CLOUD_PROJECT"
              value = var.project
            }
            resources {
              limits = {
                cpu    = var.cpu
                memory = var.memory
              }
              cpu_idle = true
            }
            startup_probe {
              period_seconds    = 2
              failure_threshold = 60
              http_get {
                path = "/jobs/health/started"
                port = 8080
              }
            }
          }
        }
        # The container reads the store when it starts.
        depends_on = [google_firestore_database.store, google_project_iam_member.runtime]
      }
      """,
      """
      resource "google_cloud_run_v2_service_iam_member" "caller" {
        project  = var.project
        location = var.location
        name     = google_cloud_run_v2_service.service.name
        role     = "roles/run.invoker"
        member   = "serviceAccount:${local.caller}"
      }
      """,
    ]
  }

  private var outputs: [String] {
    let outputs = [
      ("url", "The address of the service.", "local.url"),
      ("runtime", "The account that the service runs as.", "google_service_account.runtime.email"),
      ("caller", "The account that calls the service.", "local.caller"),
    ]
    return outputs.map { name, description, value in
      "output \"\(name)\" {\n  description = \"\(description)\"\n  value       = \(value)\n}"
    }
  }

  // MARK: Text

  private func list(_ texts: [String]) -> String {
    "[\(texts.map { TextQuoting.terraform($0) }.joined(separator: ", "))]"
  }

  /// Returns members of a map with their equals signs in one column, as `terraform fmt` puts them.
  private func aligned(_ members: [String]) -> [String] {
    let parts = members.map { member in
      let range = member.firstRange(of: " = ")
      guard let range else { return (member, "") }
      return (String(member[..<range.lowerBound]), String(member[range.lowerBound...]))
    }
    let width = parts.map(\.0.count).max() ?? 0
    return parts.map { $0 + String(repeating: " ", count: width - $0.count) + $1 }
  }

  /// Returns a name as the label of a resource: what it can't have becomes `_`.
  static func label(_ name: String) -> String {
    let plain = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" || $0 == "_" ? $0 : "_" })
    return plain.first.map { $0.isLetter || $0 == "_" } == true ? plain : "_" + plain
  }

  /// Returns the lines of arguments, and of settings by their blocks.
  private static func settings(_ resource: ServiceResources.Resource, after plain: [(String, String)]) -> [String] {
    var groups: [(block: String?, members: [(String, String)])] = [(nil, plain)]
    for (setting, value) in resource.settings {
      let member = (setting.argument, value.string.map { TextQuoting.terraform($0) } ?? value.text)
      if let index = groups.firstIndex(where: { $0.block == setting.block }) {
        groups[index].members.append(member)
      } else {
        groups.append((setting.block, [member]))
      }
    }
    return groups.flatMap { block, members in
      let width = members.map(\.0.count).max() ?? 0
      let indent = block == nil ? "  " : "    "
      let lines = members.map { "\(indent)\($0)\(String(repeating: " ", count: width - $0.count)) = \($1)" }
      return block.map { ["  \($0) {"] + lines + ["  }"] } ?? lines
    }
  }
}
#endif
