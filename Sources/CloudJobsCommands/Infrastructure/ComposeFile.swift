#if Google
import CloudJobsGoogle

/// A file for Docker Compose, pure: the program over the emulator, and over PostgreSQL as a profile.
///
/// Source: <https://github.com/compose-spec/compose-spec/blob/main/spec.md>.
struct ComposeFile {
  /// The port of the emulator.
  static let emulatorPort = 8_123

  /// The project, the location, the default queue and the calling account.
  let tasks: CloudTasksConfiguration
  /// The program, which is a product of its package.
  let product: String
  /// The folder of the program's package, and the recipe of its image there.
  var context = "."
  var dockerfile = "Dockerfile"
  /// The folder of this package, from which the emulator's image is built.
  var package = "../swift-cloud-jobs"

  /// The file.
  var text: String {
    """
    # The program with the emulator of Cloud Tasks, Cloud Scheduler and Firestore: docker compose up --build
    # Over PostgreSQL instead: docker compose --profile postgres up --build postgres workers
    # Made by `infra --format compose`. For this machine only: its credentials are no secrets.

    """ + YAML.stream([document])
  }

  /// The document.
  var document: YAML {
    [
      "name": .text(product.lowercased()),
      "services": ["emulator": emulator, "app": app, "postgres": postgres, "workers": workers],
      "volumes": ["emulator-data": [:], "postgres-data": [:]],
    ]
  }

  // MARK: Services

  private var emulator: YAML {
    let port = Self.emulatorPort
    return service([
      ("build", ["context": value(package), "dockerfile": "infra/Dockerfile", "args": ["PRODUCT": "cloud-jobs"]]),
      (
        "command",
        [
          "emulator", "--host", "0.0.0.0", "--port", "\(port)", "--data", "/data", "--allow-host", "app",
          "--issuer", "http://emulator:\(port)",
        ]
      ),
      ("environment", ["FIRESTORE_EMULATOR_HOST": "127.0.0.1:\(port)"]),
      ("ports", ["127.0.0.1:\(port):\(port)"]),
      ("volumes", ["emulator-data:/data"]),
      (
        "healthcheck",
        check(["CMD", "/usr/local/bin/service", "status", "--json", "--store", value("firestore://\(tasks.project)")])
      ),
    ])
  }

  private var app: YAML {
    let host = YAML.text("emulator:\(Self.emulatorPort)")
    let caller = tasks.serviceAccount ?? "caller@\(tasks.project).iam.gserviceaccount.com"
    return service([
      ("build", build),
      (
        "command",
        [
          "serve", "--location", value(tasks.location), "--service-url", "http://app:8080", "--caller", value(caller),
          "--queue", value(tasks.queue),
        ]
      ),
      (
        "environment",
        [
          "CLOUD_JOBS_STORE": value("firestore://\(tasks.project)"), "FIRESTORE_EMULATOR_HOST": host,
          "CLOUD_TASKS_EMULATOR_HOST": host, "CLOUD_SCHEDULER_EMULATOR_HOST": host,
          "HOST": "0.0.0.0", "PORT": "8080",
        ]
      ),
      ("depends_on", ["emulator": ["condition": "service_healthy"]]),
      ("ports", ["127.0.0.1:8080:8080"]),
      ("healthcheck", ready),
      ("stop_grace_period", "10s"),
    ])
  }

  private var postgres: YAML {
    [
      "profiles": ["postgres"], "image": "postgres:17-bookworm", "user": "999:999",
      "environment": ["POSTGRES_USER": "jobs", "POSTGRES_PASSWORD": "jobs", "POSTGRES_DB": "jobs"],
      "ports": ["127.0.0.1:5432:5432"], "volumes": ["postgres-data:/var/lib/postgresql/data"],
      "tmpfs": ["/tmp", "/var/run/postgresql"], "read_only": true, "cap_drop": ["ALL"],
      "security_opt": ["no-new-privileges:true"], "restart": "unless-stopped",
      "healthcheck": check(["CMD", "pg_isready", "--username", "jobs"]),
    ]
  }

  private var workers: YAML {
    service([
      ("profiles", ["postgres"]), ("build", build), ("command", ["serve"]),
      (
        "environment",
        [
          "CLOUD_JOBS_STORE": "postgres://jobs:jobs@postgres:5432/jobs",
          "CLOUD_JOBS_SERVER_SECRET": "${CLOUD_JOBS_SERVER_SECRET:-for-this-machine-only}", "PORT": "8080",
        ]
      ),
      ("depends_on", ["postgres": ["condition": "service_healthy"]]),
      ("ports", ["127.0.0.1:8081:8080"]),
      ("healthcheck", ready),
      ("stop_grace_period", "10s"),
    ])
  }

  // MARK: Parts

  private var build: YAML {
    ["context": value(context), "dockerfile": value(dockerfile), "args": ["PRODUCT": value(product)]]
  }

  /// Returns a service of an image of ``ImageRecipe``.
  private func service(_ members: [(key: String, value: YAML)]) -> YAML {
    .map(
      members + [
        ("user", "\(ImageRecipe.user):\(ImageRecipe.user)"), ("read_only", true), ("tmpfs", ["/tmp"]),
        ("cap_drop", ["ALL"]), ("security_opt", ["no-new-privileges:true"]), ("restart", "unless-stopped"),
      ])
  }

  /// The image has no HTTP client, but bash.
  private var ready: YAML {
    let request = "GET \(JobCommand.mountPath)/health/ready HTTP/1.0\\r\\nHost: app\\r\\n\\r\\n"
    return check([
      "CMD", "bash", "-c",
      "exec 3<>/dev/tcp/127.0.0.1/8080 && printf '\(request)' >&3 && head -n 1 <&3 | grep -q ' 200 '",
    ])
  }

  private func check(_ command: YAML) -> YAML {
    ["test": command, "interval": "5s", "timeout": "5s", "retries": 12, "start_period": "5s"]
  }

  /// Returns text in which Compose replaces no variable.
  private func value(_ text: String) -> YAML { .text(text.replacing("$", with: "$$")) }
}
#endif
