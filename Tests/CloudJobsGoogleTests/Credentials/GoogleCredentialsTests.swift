#if Google
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Testing

@testable import CloudJobsGoogle

@Suite("Application Default Credentials")
struct GoogleCredentialsTests {
  private let clock = VirtualClock(start: TestToken.now, sleep: .moves)
  private static let answer = #"{"access_token":"ya29.one","expires_in":3599,"token_type":"Bearer"}"#
  private static let genuine: HTTPFields = HTTPField.Name("Metadata-Flavor").map { [$0: "Google"] } ?? [:]

  private static func environment(
    _ variables: [String: String] = [:], _ files: [String: JSONValue] = [:]
  ) -> CredentialEnvironment {
    CredentialEnvironment(variables: variables) { (path) throws(JobError) in files[path]?.encoded }
  }

  private func find(
    _ environment: CredentialEnvironment, _ exchange: FakeExchange
  ) async throws(JobError) -> GoogleCredentials {
    try await GoogleCredentials.applicationDefault(environment: environment, client: exchange, clock: clock)
  }

  /// Returns the fields of a form.
  private static func form(_ request: HTTPExchangeRequest?) -> [String: String] {
    let text = String(decoding: request?.body ?? [], as: UTF8.self)
    return Dictionary(
      text.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1)
        return (String(parts[0]), String(parts.last ?? "").replacing("%3A", with: ":").replacing("%2F", with: "/"))
      }
    ) { first, _ in first }
  }

  @Test("A service account's key signs a grant, which is exchanged for a token")
  func serviceAccount() async throws {
    let exchange = FakeExchange(.json(Self.answer))
    let environment = Self.environment(
      ["GOOGLE_APPLICATION_CREDENTIALS": "/k.json"], ["/k.json": KeyFile.serviceAccount()])
    let credentials = try await find(environment, exchange)
    #expect(credentials.kind == .serviceAccount)
    #expect(exchange.requests.isEmpty, "nothing is sent before a token is needed")
    #expect(try await credentials.headers() == [.authorization: "Bearer ya29.one"])
    let request = try #require(exchange.requests.first)
    #expect((request.method, request.url) == (.post, "https://oauth2.googleapis.com/token"))
    #expect(request.headers[.contentType] == "application/x-www-form-urlencoded")
    let form = Self.form(request)
    #expect(form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
    let parts = try #require(form["assertion"]).split(separator: ".")
    let signature = try #require(Base64URL.decode(Array(parts[2].utf8)))
    #expect(SigningKey.issuer.verifies(signature, of: "\(parts[0]).\(parts[1])"))
    let header = try JSONValue(parsing: Base64URL.decode(Array(parts[0].utf8)) ?? [])
    let claims = try JSONValue(parsing: Base64URL.decode(Array(parts[1].utf8)) ?? [])
    #expect(header == ["alg": "RS256", "kid": "key-1", "typ": "JWT"])
    #expect(
      claims == [
        "iss": "robot@p.iam.gserviceaccount.com", "aud": "https://oauth2.googleapis.com/token",
        "scope": "https://www.googleapis.com/auth/cloud-platform", "iat": .integer(TestToken.now.seconds),
        "exp": .integer(TestToken.now.seconds + 3_600),
      ])
    #expect(try await credentials.projectID() == "key-project")
  }

  @Test("A user's refresh token is exchanged, and the billed project is named")
  func authorizedUser() async throws {
    for folder in [["CLOUDSDK_CONFIG": "/cfg"], ["HOME": "/u"], ["HOME": "/x", "CLOUDSDK_CONFIG": "/cfg"]] {
      let exchange = FakeExchange(.json(Self.answer))
      let path = "\(folder["CLOUDSDK_CONFIG"] ?? "/u/.config/gcloud")/application_default_credentials.json"
      let credentials = try await find(Self.environment(folder, [path: KeyFile.authorizedUser]), exchange)
      #expect((credentials.kind, credentials.quotaProject) == (.authorizedUser, "quota-project"))
      let project = try #require(HTTPField.Name("X-Goog-User-Project"))
      #expect(try await credentials.headers() == [.authorization: "Bearer ya29.one", project: "quota-project"])
      #expect(
        Self.form(exchange.requests.first) == [
          "grant_type": "refresh_token", "client_id": "id.apps.googleusercontent.com",
          "client_secret": "SECRET-client", "refresh_token": "SECRET-refresh",
        ])
      await #expect(throws: JobError.self) { try await credentials.projectID() }
    }
  }

  @Test("The metadata server is asked if there is no file, and must identify itself")
  func metadata() async throws {
    let exchange = FakeExchange { (request, _) throws(HTTPExchangeError) in
      let path = request.url.split(separator: "/", maxSplits: 2).last.map { String($0) } ?? ""
      if path.hasSuffix("/project/project-id") { return .json("cloud-project", Self.genuine) }
      return .json(path.contains("token") ? Self.answer : "ok", Self.genuine)
    }
    for (variables, host) in [
      ([:], "metadata.google.internal"), (["GCE_METADATA_HOST": "127.0.0.1:9"], "127.0.0.1:9"),
    ] as [([String: String], String)] {
      let credentials = try await find(Self.environment(variables), exchange)
      #expect(credentials.kind == .metadataServer)
      #expect(try await credentials.headers()[.authorization] == "Bearer ya29.one")
      #expect(try await credentials.projectID() == "cloud-project")
      #expect(try await credentials.projectID() == "cloud-project")
      let requests = Array(exchange.requests.suffix(3))
      let base = "http://\(host)/computeMetadata/v1"
      let scopes = "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
      #expect(
        requests.map(\.url) == [
          "http://\(host)/",
          "\(base)/instance/service-accounts/default/token?scopes=\(scopes)",
          "\(base)/project/project-id",
        ])
      #expect(requests.allSatisfy { request in Self.genuine.allSatisfy { request.headers[$0.name] == $0.value } })
    }
  }

  @Test("A server that does not identify itself as the metadata server is not trusted")
  func falseMetadata() async throws {
    let plain = FakeExchange(.json(Self.answer))
    let error = await #expect(throws: JobError.self) { try await find(Self.environment(), plain) }
    #expect(error?.code == .credentialsUnavailable)
    let turning = FakeExchange { (_, number) throws(HTTPExchangeError) in
      .json(Self.answer, number == 1 ? Self.genuine : [:])
    }
    let credentials = try await find(Self.environment(), turning)
    let refusal = await #expect(throws: JobError.self) { try await credentials.headers() }
    #expect(refusal?.message.contains("Metadata-Flavor") == true)
  }

  @Test("If nothing is found, the error says where was searched and what to do")
  func nothing() async throws {
    let exchange = FakeExchange { (_, _) throws(HTTPExchangeError) in throw HTTPExchangeError(.couldNotResolve, "No.") }
    let error = await #expect(throws: JobError.self) {
      try await find(Self.environment(["HOME": "/h"]), exchange)
    }
    #expect(error?.code == .credentialsUnavailable)
    for part in ["GOOGLE_APPLICATION_CREDENTIALS", "/h/.config/gcloud", "metadata", "gcloud auth"] {
      #expect(error?.message.contains(part) == true)
    }
    #expect(exchange.requests.count == 1)
    let slow = FakeExchange { (_, _) throws(HTTPExchangeError) in throw HTTPExchangeError(.timedOut, "Slow.") }
    await #expect(throws: JobError.self) { try await find(Self.environment(), slow) }
    #expect(slow.requests.count == 3)
    await #expect(throws: JobError.self) { try await find(Self.environment(["NO_GCE_CHECK": "true"]), slow) }
    #expect(slow.requests.count == 3, "the server is not looked for")
  }

  @Test("The variable takes precedence over gcloud's file, and a missing file is an error")
  func order() async throws {
    let exchange = FakeExchange(.json(Self.answer))
    let files = [
      "/k.json": KeyFile.serviceAccount(), "/cfg/application_default_credentials.json": KeyFile.authorizedUser,
    ]
    let both = Self.environment(["GOOGLE_APPLICATION_CREDENTIALS": "/k.json", "CLOUDSDK_CONFIG": "/cfg"], files)
    #expect(try await find(both, exchange).kind == .serviceAccount)
    let empty = Self.environment(["GOOGLE_APPLICATION_CREDENTIALS": "", "CLOUDSDK_CONFIG": "/cfg"], files)
    #expect(try await find(empty, exchange).kind == .authorizedUser)
    let missing = Self.environment(["GOOGLE_APPLICATION_CREDENTIALS": "/no.json", "CLOUDSDK_CONFIG": "/cfg"], files)
    let error = await #expect(throws: JobError.self) { try await find(missing, exchange) }
    #expect(error?.code == .invalidCredentials)
    #expect(error?.message.contains("/no.json") == true)
  }

  @Test("Variables override the project and the billed project")
  func projects() async throws {
    let variables = [
      "CLOUDSDK_CONFIG": "/cfg", "GOOGLE_CLOUD_PROJECT": "env-project", "GOOGLE_CLOUD_QUOTA_PROJECT": "env-quota",
    ]
    let files = ["/cfg/application_default_credentials.json": KeyFile.authorizedUser]
    let credentials = try await find(Self.environment(variables, files), FakeExchange(.json(Self.answer)))
    #expect(try await credentials.projectID() == "env-project")
    #expect(credentials.quotaProject == "env-quota")
    #expect("\(credentials)" == "Google credentials (authorizedUser)")
  }

  @Test("A transient failure is retried with growing delays, and a permanent one is not")
  func retries() async throws {
    let environment = Self.environment(
      ["CLOUDSDK_CONFIG": "/c"], ["/c/application_default_credentials.json": KeyFile.authorizedUser])
    let table: [(answers: [HTTPExchangeResponse], requests: Int, succeeds: Bool)] = [
      ([HTTPExchangeResponse(status: 503), HTTPExchangeResponse(status: 429), .json(Self.answer)], 3, true),
      ([HTTPExchangeResponse(status: 500)], 4, false),
      ([.json(#"{"error":"invalid_grant","error_description":"SECRET"}"#, status: 400)], 1, false),
      ([HTTPExchangeResponse(status: 403)], 1, false), ([HTTPExchangeResponse(status: 302)], 1, false),
      ([.json("{}")], 1, false),
    ]
    for row in table {
      let exchange = FakeExchange { (_, number) throws(HTTPExchangeError) in
        row.answers[min(number, row.answers.count) - 1]
      }
      let start = clock.now()
      let credentials = try await find(environment, exchange)
      do throws(JobError) {
        _ = try await credentials.headers()
        #expect(row.succeeds)
      } catch {
        #expect(!row.succeeds)
        #expect(error.code == .credentialsUnavailable)
        #expect(error.message.contains("/c/application_default_credentials.json"))
        #expect(!error.description.contains("SECRET"))
      }
      #expect(exchange.requests.count == row.requests)
      let pauses: [Duration] = [.zero, .milliseconds(500), .milliseconds(1_500), .milliseconds(3_500)]
      let longest = pauses[row.requests - 1]
      #expect((longest / 2...longest).contains(clock.now() - start))
    }
  }

  @Test("A rejected grant names OAuth's error code and the remedy")
  func refusedGrant() async throws {
    let environment = Self.environment(
      ["CLOUDSDK_CONFIG": "/c"], ["/c/application_default_credentials.json": KeyFile.authorizedUser])
    let exchange = FakeExchange(.json(#"{"error":"invalid_grant"}"#, status: 400))
    let credentials = try await find(environment, exchange)
    let error = await #expect(throws: JobError.self) { try await credentials.headers() }
    #expect(error?.message.contains("(invalid_grant)") == true)
    #expect(error?.message.contains("gcloud auth application-default login") == true)
    #expect(error?.nativeCode == "HTTP 400")
  }

  @Test("An emulator's variable sets the endpoint, and Firestore's emulator gets the owner token")
  func emulators() async throws {
    let exchange = FakeExchange(HTTPExchangeResponse(status: 500))
    let variables = [
      "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8085", "CLOUD_TASKS_EMULATOR_HOST": "http://tasks:1",
      "CLOUD_SCHEDULER_EMULATOR_HOST": "[::1]:2",
    ]
    var environment = Self.environment(variables)
    let nameless = await #expect(throws: JobError.self) {
      try await GoogleCloud.applicationDefault(environment: environment, client: exchange, clock: clock)
    }
    #expect(nameless?.message.contains("GOOGLE_CLOUD_PROJECT") == true)
    environment.variables["GCLOUD_PROJECT"] = "mine"
    let google = try await GoogleCloud.applicationDefault(environment: environment, client: exchange, clock: clock)
    #expect(google.project == "mine")
    let table: [(GoogleAccess, String, HTTPFields)] = [
      (google.firestore, "http://127.0.0.1:8085", [.authorization: "Bearer owner"]),
      (google.cloudTasks, "http://tasks:1", [:]), (google.cloudScheduler, "http://[::1]:2", [:]),
    ]
    for (access, endpoint, fields) in table {
      #expect((access.endpoint, access.isEmulator) == (endpoint, true))
      #expect(try await access.credentials.headers() == fields)
    }
    #expect(exchange.requests.isEmpty)
    let bad = Self.environment(["CLOUD_TASKS_EMULATOR_HOST": "http://x/y"])
    let error = #expect(throws: JobError.self) { try GoogleAccess.emulator(of: .cloudTasks, in: bad) }
    #expect(error?.message.contains("CLOUD_TASKS_EMULATOR_HOST") == true)
  }

  @Test("Without an emulator's variable the service is Google's own")
  func production() async throws {
    let environment = Self.environment(
      ["GOOGLE_APPLICATION_CREDENTIALS": "/k.json"], ["/k.json": KeyFile.serviceAccount()])
    let exchange = FakeExchange(.json(Self.answer))
    let google = try await GoogleCloud.applicationDefault(environment: environment, client: exchange, clock: clock)
    #expect(google.project == KeyFile.serviceAccount()["project_id"]?.string)
    for (access, host) in [
      (google.firestore, "firestore"), (google.cloudTasks, "cloudtasks"), (google.cloudScheduler, "cloudscheduler"),
    ] {
      #expect((access.endpoint, access.isEmulator) == ("https://\(host).googleapis.com", false))
      #expect(try await access.credentials.headers()[.authorization] == "Bearer ya29.one")
    }
    #expect(exchange.requests.count == 1, "one token for all services")
  }

  @Test("A service with an emulator needs no credentials; the others use Google's")
  func partly() async throws {
    var environment = Self.environment(
      ["GOOGLE_APPLICATION_CREDENTIALS": "/k.json", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"],
      ["/k.json": KeyFile.serviceAccount()])
    environment.variables["GOOGLE_CLOUD_PROJECT"] = "other"
    let exchange = FakeExchange(.json(Self.answer))
    let google = try await GoogleCloud.applicationDefault(environment: environment, client: exchange, clock: clock)
    #expect(google.project == "other")
    #expect(google.firestore.isEmulator && google.firestore.endpoint == "http://127.0.0.1:1")
    #expect(!google.cloudTasks.isEmulator && google.cloudTasks.endpoint == "https://cloudtasks.googleapis.com")
  }

  @Test("The process environment has variables and reads existing files")
  func process() throws {
    let environment = CredentialEnvironment.process
    #expect(environment.variables["PATH"]?.isEmpty == false)
    #expect(try environment.readFile("/nowhere/at/all.json") == nil)
    #expect(try environment.readFile(#filePath)?.isEmpty == false)
    #expect(throws: JobError.self) { try environment.readFile("/") }
  }
}
#endif
