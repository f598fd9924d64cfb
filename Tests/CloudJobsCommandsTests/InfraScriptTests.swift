#if Google
import CloudJobs
import CloudJobsGoogle
import Foundation
import Testing

@testable import CloudJobsCommands

@Suite("The script of a service's infrastructure")
struct InfraScriptTests {
  private func script(
    serviceURL: String = ServiceResources.unknownURL, caller: String? = nil, syncs: Bool = false
  ) throws -> InfraScript {
    let (configuration, plan) = try sync(serviceURL: serviceURL, caller: caller)
    var resources = ServiceResources(configuration, plan, service: "jobs")
    (resources.image, resources.syncs) = ("europe-docker.pkg.dev/my-project/images/jobs", syncs)
    return InfraScript(resources)
  }

  /// Returns the configuration of a sync, and the plan of its first time.
  private func sync(serviceURL: String, caller: String?) throws -> (CloudSyncConfiguration, SyncPlan) {
    let registry = try JobRegistry {
      ScheduledJob("report", cron: "0 9 * * *", in: "Europe/Berlin") { _ in }
      ScheduledJob("off", cron: "0 9 * * 1", in: "Etc/UTC") { _ in }.enabled(false)
      EndpointJob("mail", input: NoInput.self) { _, _ in .done }.queue("mail")
    }
    var tasks = CloudTasksConfiguration(
      project: "my-project", location: "europe-west1", queue: "default", handler: "\(serviceURL)/jobs")
    tasks.serviceAccount = caller
    let configuration = CloudSyncConfiguration(tasks)
    return (configuration, CloudSync.firstPlan(configuration, JobDocuments(definitions: registry.definitions)))
  }

  /// Runs bash with a text on its input, and returns its status and its output.
  private func bash(_ arguments: [String], _ text: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["bash"] + arguments
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try input.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test("It is valid bash, and calls gcloud with the values of the jobs, whether or not resources exist")
  func runs() throws {
    for exists in [false, true] {
      for (url, caller) in [(ServiceResources.unknownURL, nil), ("https://jobs.example", "c@p.iam")]
        as [(String, String?)]
      {
        let script = try script(serviceURL: url, caller: caller, syncs: exists)
        #expect(try bash(["-n"], script.text).status == 0)
        // A stand-in tells each call, and what exists.
        let stub = """
          gcloud() {
            if [[ "$*" == *describe* ]]; then
              if [[ "$*" == *projects* ]]; then echo 42; fi
              return \(exists ? 0 : 1)
            fi
            printf '%s|' gcloud "$@" >>/dev/fd/3; echo >>/dev/fd/3
            if [[ "$*" == *" create "* && \(exists ? 1 : 0) == 1 ]]; then echo 'ALREADY_EXISTS: it'; return 1; fi
          }
          exec 3>&1

          """
        // The project's number is always known.
        let text = script.text.replacing("gcloud projects describe \"$PROJECT\" --format", with: "echo 42; : --format")
        let result = try bash([], stub + text)
        #expect(result.status == 0, "\(result.output)")
        let address = url == ServiceResources.unknownURL ? "https://jobs-42.europe-west1.run.app" : url
        let verb = exists ? "update" : "create"
        #expect(result.output.contains("gcloud|tasks|queues|\(verb)|mail|--location|europe-west1|--max-attempts|100|"))
        #expect(result.output.contains("|\(verb)|http|cloud-jobs-report|") && result.output.contains("|0 9 * * *|"))
        #expect(result.output.contains("|--uri|\(address)/jobs/scheduled/report|"))
        #expect(result.output.contains("|jobs|pause|cloud-jobs-off|"))
        let account = caller ?? "jobs-caller@my-project.iam.gserviceaccount.com"
        #expect(result.output.contains("|--oidc-service-account-email|\(account)|--oidc-token-audience|\(address)|"))
        #expect(result.output.contains("roles/cloudscheduler.admin") == exists)
        #expect(result.output.contains("serve,--no-sync,") == !exists)
        #expect(result.output.contains("service-accounts|create|jobs-caller|") == (caller == nil))
        // Google's callers are internal only at Cloud Run's own address.
        let ingress = url == ServiceResources.unknownURL ? "internal" : "all"
        #expect(result.output.contains("|--ingress|\(ingress)|"))
      }
    }
  }

  @Test(
    "Values reach gcloud and Terraform as they are, whatever they hold",
    arguments: [
      "it's $HOME `id` $(id)", "a \" b \\ c", "${var.project} %{ if true }", "two\nlines", "; exit 3 #", "-- --flag",
      "ü🚀",
    ])
  func hostile(text: String) throws {
    let (configuration, first) = try sync(serviceURL: "https://jobs.example", caller: "c@p.iam")
    var plan = first
    let index = try #require(plan.changes.firstIndex { $0.name.hasSuffix("-report") })
    var fields = try #require(plan.changes[index].fields.object)
    for name in ["schedule", "timeZone", "description"] { fields[name] = .string("\(name) \(text)") }
    plan.changes[index].fields = .object(fields)
    plan.changes[index].name += " \(text)"
    plan.notes = [text]
    let resources = ServiceResources(configuration, plan, service: "jobs")
    let stub = """
      gcloud() {
        if [[ "$*" == *describe* ]]; then return 1; fi
        printf '%s\u{1}' "$@" >/dev/fd/3
      }
      exec 3>&1

      """
    let result = try bash([], stub + InfraScript(resources).text)
    #expect(result.status == 0, "\(result.output.suffix(200))")
    for part in ["--schedule\u{1}schedule ", "--time-zone\u{1}timeZone ", "--description\u{1}description "] {
      #expect(result.output.contains("\u{1}\(part)\(text)\u{1}"), "\(part)")
    }
    #expect(result.output.contains("\u{1}http\u{1}cloud-jobs-report \(text)\u{1}"))
    let terraform = TerraformFile(resources).text
    for part in ["schedule", "timeZone", "description"] {
      #expect(terraform.contains("= \(TextQuoting.terraform("\(part) \(text)"))\n"))
    }
    #expect(!terraform.split(separator: "\n").contains("lines"), "A note stays a comment.")
  }

  @Test("Another error than that a resource exists ends it")
  func failure() throws {
    let stub = "gcloud() { if [[ \"$*\" == *services* ]]; then return 0; fi; echo 'PERMISSION_DENIED'; return 1; }\n"
    let result = try bash([], stub + (try script(serviceURL: "https://jobs.example").text))
    #expect(result.status == 1 && result.output.contains("PERMISSION_DENIED"))
  }

  @Test("Its indexes and time-to-live policies are those of the file for the Firebase tool")
  func indexes() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "infra/firestore.indexes.json")
    let value = try JSONValue(parsing: Array(try Data(contentsOf: file)))
    let composite = value["indexes"]?.array?.compactMap { index -> ServiceResources.Index? in
      guard let fields = index["fields"]?.array, fields.count == 2 else { return nil }
      return ServiceResources.Index(
        collection: index["collectionGroup"]?.string ?? "", field: fields[0]["fieldPath"]?.string ?? "",
        time: fields[1]["fieldPath"]?.string ?? "", isAscending: fields[1]["order"] == "ASCENDING",
        isList: fields[0]["arrayConfig"] == "CONTAINS")
    }
    #expect(composite == ServiceResources.indexes)
    let overrides = value["fieldOverrides"]?.array ?? []
    let expiring = overrides.filter { $0["ttl"]?.bool == true }.compactMap { $0["collectionGroup"]?.string }
    #expect(expiring == ServiceResources.expiring)
    let plain = overrides.filter { $0["indexes"]?.array?.isEmpty == true }.map {
      "\($0["collectionGroup"]?.string ?? "")/\($0["fieldPath"]?.string ?? "")"
    }
    #expect(plain == ServiceResources.plainFields.map { "\($0)/\($1)" })
  }
}
#endif
