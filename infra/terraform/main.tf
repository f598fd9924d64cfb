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

provider "google" {
  project = var.project
  region  = var.location
}

variable "project" {
  description = "The id of the Google Cloud project."
  type        = string
  default     = "my-project"
  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]*$", var.project))
    error_message = "A project's id has lower-case letters, digits and hyphens, such as my-project."
  }
}

variable "location" {
  description = "The location of all resources, such as europe-west1."
  type        = string
  default     = "europe-west1"
  validation {
    condition     = can(regex("^[a-z]+(-[a-z0-9]+)*$", var.location))
    error_message = "A location is a region, such as europe-west1."
  }
}

variable "service" {
  description = "The name of the Cloud Run service, and the beginning of its accounts' names."
  type        = string
  default     = "jobs"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.service))
    error_message = "A service's name has at most 20 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "image" {
  description = "The image to deploy, which has the program with the jobs."
  type        = string
  default     = "europe-docker.pkg.dev/my-project/jobs/jobs"
  validation {
    condition     = can(regex("^[^[:space:]]+$", var.image))
    error_message = "Name an image, such as europe-docker.pkg.dev/my-project/images/jobs."
  }
}

variable "database" {
  description = "The Firestore database."
  type        = string
  default     = "(default)"
  validation {
    condition     = can(regex("^(\\(default\\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$", var.database))
    error_message = "A database is (default), or has 4 to 63 lower-case letters, digits and hyphens."
  }
}

variable "ingress" {
  description = "Where requests may come from. Cloud Tasks and Cloud Scheduler are internal to the project at the address run.app; callers outside need \"all\"."
  type        = string
  default     = "internal"
  validation {
    condition     = contains(["internal", "all", "internal-and-cloud-load-balancing"], var.ingress)
    error_message = "One of internal, all and internal-and-cloud-load-balancing."
  }
}

variable "timeout" {
  description = "The time limit of a request in seconds, above that of every job."
  type        = number
  default     = 900
  validation {
    condition     = var.timeout >= 1 && var.timeout <= 3600 && floor(var.timeout) == var.timeout
    error_message = "A whole number from 1 to 3600."
  }
}

variable "concurrency" {
  description = "The requests that an instance serves at once."
  type        = number
  default     = 20
  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "A whole number from 1 to 1000."
  }
}

variable "min_instances" {
  description = "The least number of instances."
  type        = number
  default     = 0
  validation {
    condition     = var.min_instances >= 0 && var.min_instances <= 1000 && floor(var.min_instances) == var.min_instances
    error_message = "A whole number from 0 to 1000."
  }
}

variable "max_instances" {
  description = "The largest number of instances."
  type        = number
  default     = 20
  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 1000 && floor(var.max_instances) == var.max_instances
    error_message = "A whole number from 1 to 1000."
  }
}

variable "cpu" {
  description = "The processors of an instance."
  type        = string
  default     = "1"
  validation {
    condition     = can(regex("^(1|2|4|6|8)$", var.cpu))
    error_message = "One of 1, 2, 4, 6 and 8."
  }
}

variable "memory" {
  description = "The memory of an instance."
  type        = string
  default     = "512Mi"
  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.memory))
    error_message = "A number with Mi or Gi, such as 512Mi."
  }
}

variable "deletion_protection" {
  description = "Whether the service and the database are kept from being destroyed."
  type        = bool
  default     = true
}

data "google_project" "project" {
  project_id = var.project
  depends_on = [google_project_service.api]
}

locals {
  url    = "https://${var.service}-${data.google_project.project.number}.${var.location}.run.app"
  caller = google_service_account.caller.email
  store  = "firestore://${var.project}${var.database == "(default)" ? "" : "/${var.database}"}"
  ingress = {
    "internal"                          = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    "all"                               = "INGRESS_TRAFFIC_ALL"
    "internal-and-cloud-load-balancing" = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  }
}

resource "google_project_service" "api" {
  for_each           = toset(["cloudresourcemanager.googleapis.com", "cloudscheduler.googleapis.com", "cloudtasks.googleapis.com", "firestore.googleapis.com", "iam.googleapis.com", "run.googleapis.com"])
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}

# The service runs as one account, and Cloud Tasks and Cloud Scheduler call it as another.
resource "google_service_account" "runtime" {
  project      = var.project
  account_id   = "${var.service}-runtime"
  display_name = "${var.service}: runs the jobs"
  depends_on   = [google_project_service.api]
}

resource "google_service_account" "caller" {
  project      = var.project
  account_id   = "${var.service}-caller"
  display_name = "${var.service}: calls the service"
  depends_on   = [google_project_service.api]
}

resource "google_project_iam_member" "runtime" {
  for_each = toset(["roles/datastore.user", "roles/cloudtasks.enqueuer", "roles/cloudtasks.taskDeleter"])
  project  = var.project
  role     = each.key
  member   = "serviceAccount:${google_service_account.runtime.email}"
}

# Its tasks have the other account's token.
resource "google_service_account_iam_member" "runtime_uses_caller" {
  service_account_id = "projects/-/serviceAccounts/${local.caller}"
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${google_service_account.runtime.email}"
}

# The store, the indexes of its lists, and the deletion of what has expired.
resource "google_firestore_database" "store" {
  project                 = var.project
  name                    = var.database
  location_id             = var.location
  type                    = "FIRESTORE_NATIVE"
  delete_protection_state = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  depends_on              = [google_project_service.api]
}

resource "google_firestore_index" "list" {
  for_each = {
    "runs-job-createdAt-descending"           = { collection = "runs", field = "job", array = null, order = "ASCENDING", time = "createdAt", direction = "DESCENDING" }
    "runs-status-createdAt-descending"        = { collection = "runs", field = "status", array = null, order = "ASCENDING", time = "createdAt", direction = "DESCENDING" }
    "runs-correlationId-createdAt-descending" = { collection = "runs", field = "correlationId", array = null, order = "ASCENDING", time = "createdAt", direction = "DESCENDING" }
    "journal-jobs-time-ascending"             = { collection = "journal", field = "jobs", array = "CONTAINS", order = null, time = "time", direction = "ASCENDING" }
    "journal-jobs-time-descending"            = { collection = "journal", field = "jobs", array = "CONTAINS", order = null, time = "time", direction = "DESCENDING" }
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

# Fields that nothing searches have no index.
resource "google_firestore_field" "plain" {
  for_each = {
    "runs-input"    = { collection = "runs", field = "input" }
    "runs-output"   = { collection = "runs", field = "output" }
    "runs-error"    = { collection = "runs", field = "error" }
    "runs-lease"    = { collection = "runs", field = "lease" }
    "journal-lines" = { collection = "journal", field = "lines" }
  }
  project    = var.project
  database   = google_firestore_database.store.name
  collection = each.value.collection
  field      = each.value.field
  index_config {}
}

resource "google_firestore_field" "expiry" {
  for_each   = toset(["runs", "effects"])
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

resource "google_cloud_tasks_queue" "default" {
  project  = var.project
  location = var.location
  name     = "default"
  retry_config {
    max_attempts       = 100
    max_retry_duration = "86400s"
    min_backoff        = "1s"
    max_backoff        = "300s"
    max_doublings      = 8
  }
  depends_on = [google_project_service.api]
}

resource "google_cloud_scheduler_job" "cloud-jobs-cloud_jobs_master" {
  project          = var.project
  region           = var.location
  name             = "cloud-jobs-cloud_jobs_master"
  paused           = false
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  description      = "[cloud-jobs:cloud-jobs] cloud_jobs_master. Kept by sync: edit the job's document, as edits here are undone."
  attempt_deadline = "180s"
  retry_config {
    retry_count          = 0
    min_backoff_duration = "5s"
    max_backoff_duration = "300s"
    max_doublings        = 5
  }
  http_target {
    http_method = "POST"
    uri         = "${local.url}/jobs/master"
    oidc_token {
      service_account_email = local.caller
      audience              = local.url
    }
  }
  depends_on = [google_project_service.api]
}

resource "google_cloud_scheduler_job" "cloud-jobs-good_morning" {
  project          = var.project
  region           = var.location
  name             = "cloud-jobs-good_morning"
  paused           = false
  schedule         = "0 9 * * *"
  time_zone        = "Europe/Berlin"
  description      = "[cloud-jobs:cloud-jobs] good_morning. Kept by sync: edit the job's document, as edits here are undone."
  attempt_deadline = "315s"
  retry_config {
    retry_count          = 5
    min_backoff_duration = "5s"
    max_backoff_duration = "300s"
    max_doublings        = 5
  }
  http_target {
    http_method = "POST"
    uri         = "${local.url}/jobs/scheduled/good_morning"
    oidc_token {
      service_account_email = local.caller
      audience              = local.url
    }
  }
  depends_on = [google_project_service.api]
}

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
        "serve", "--no-sync", "--location", var.location, "--service-url", local.url, "--caller", local.caller,
        "--queue", "default",
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

resource "google_cloud_run_v2_service_iam_member" "caller" {
  project  = var.project
  location = var.location
  name     = google_cloud_run_v2_service.service.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${local.caller}"
}

output "url" {
  description = "The address of the service."
  value       = local.url
}

output "runtime" {
  description = "The account that the service runs as."
  value       = google_service_account.runtime.email
}

output "caller" {
  description = "The account that calls the service."
  value       = local.caller
}
