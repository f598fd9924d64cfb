#if Google
import CloudJobsCore
import CloudJobsHTTP
import Testing

@testable import CloudJobsGoogle

/// An invalid credential file, and what the error must name.
struct BadFile: CustomTestStringConvertible, Sendable {
  let name: String
  let text: String
  let mentions: String

  init(_ name: String, _ text: String, mentions: String) {
    (self.name, self.text, self.mentions) = (name, text, mentions)
  }

  init(_ name: String, _ value: JSONValue, mentions: String) {
    self.init(name, value.text, mentions: mentions)
  }

  var testDescription: String { name }

  private static let account = KeyFile.serviceAccount()
  private static let user = KeyFile.authorizedUser

  static let all = [
    BadFile("empty", "", mentions: "JSON"), BadFile("no object", "[]", mentions: "JSON"),
    BadFile("cut off", String(account.text.dropLast(20)), mentions: "JSON"),
    BadFile("nested", "{\"a\":" + String(repeating: "[", count: 20), mentions: "JSON"),
    BadFile("no type", account.without("type"), mentions: "type"),
    BadFile("external account", account.with("type", "external_account"), mentions: "service_account"),
    BadFile("type of another kind", account.with("type", 1), mentions: "type"),
    BadFile("no address", account.without("client_email"), mentions: "client_email"),
    BadFile("no key", account.without("private_key"), mentions: "private_key"),
    BadFile("an empty key", account.with("private_key", ""), mentions: "private_key"),
    BadFile("a key that is no PEM", account.with("private_key", "SECRETSECRET"), mentions: "private_key"),
    BadFile(
      "a key that is damaged",
      account.with("private_key", "-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n"),
      mentions: "private_key"),
    BadFile("a token address in clear text", account.with("token_uri", "http://evil.example/"), mentions: "token_uri"),
    BadFile("a token address that looks local", account.with("token_uri", "http://localhost.evil/"), mentions: "https"),
    BadFile("no client", user.without("client_id"), mentions: "client_id"),
    BadFile("no client secret", user.without("client_secret"), mentions: "client_secret"),
    BadFile("no refresh token", user.with("refresh_token", .null), mentions: "refresh_token"),
    BadFile("a project that is a number", user.with("quota_project_id", 7), mentions: "quota_project_id"),
  ]
}

@Suite("Credential files")
struct CredentialFileTests {
  @Test("An invalid file is rejected by name, without revealing secrets", arguments: BadFile.all)
  func refused(file: BadFile) async throws {
    let bytes = Array(file.text.utf8)
    let environment = CredentialEnvironment(variables: ["GOOGLE_APPLICATION_CREDENTIALS": "/keys/a.json"]) {
      (path) throws(JobError) in path == "/keys/a.json" ? bytes : nil
    }
    let error = await #expect(throws: JobError.self) {
      try await GoogleCredentials.applicationDefault(
        environment: environment, client: FakeExchange(HTTPExchangeResponse(status: 500)), clock: .system)
    }
    #expect(error?.code == .invalidCredentials)
    let text = try #require(error?.description)
    #expect(text.contains("GOOGLE_APPLICATION_CREDENTIALS") && text.contains("/keys/a.json"))
    #expect(text.contains(file.mentions))
    #expect(!text.contains("SECRET") && !text.contains("BEGIN"))
  }

  @Test("Values with secrets reveal none when printed or dumped")
  func redaction() throws {
    var dumped = ""
    for value in [KeyFile.serviceAccount(), KeyFile.authorizedUser] {
      let file = try CredentialFile(parsing: value.encoded, from: "file")
      dump(file, to: &dumped)
      dumped += "\(file) \(file.identity) \(String(reflecting: file))"
    }
    let token = try #require(
      AccessToken(answer: ["access_token": "SECRET-token", "expires_in": 3_600], sentAt: .epoch))
    dump(token, to: &dumped)
    dumped += "\(token) \(String(reflecting: token))"
    #expect(dumped.contains("robot@p.iam.gserviceaccount.com"), "something is dumped")
    #expect(!dumped.contains("SECRET") && !dumped.contains("BEGIN"))
  }

  @Test(
    "A token must fit a header field and have a lifetime",
    arguments: [
      (["access_token": "t", "expires_in": 3_599, "token_type": "Bearer"], 3_599),
      (["access_token": "t", "expires_in": 3_599], 3_599), (["access_token": "t", "expires_in": 999_999], 86_400),
      (["access_token": "t"], nil), (["expires_in": 60], nil), (["access_token": "", "expires_in": 60], nil),
      (["access_token": "a\r\nb", "expires_in": 60], nil), (["access_token": "t", "expires_in": 0], nil),
      (["access_token": "t", "expires_in": "60"], nil),
      (["access_token": "t", "expires_in": 60, "token_type": "MAC"], nil), ([], nil),
    ] as [(JSONValue, Int?)])
  func token(answer: JSONValue, seconds: Int?) {
    let token = AccessToken(answer: answer, sentAt: Timestamp(seconds: 1_000))
    #expect(token?.expiresAt == seconds.map { Timestamp(seconds: 1_000 + Int64($0)) })
  }

  @Test(
    "Only a host with an optional port is accepted",
    arguments: [
      ("127.0.0.1:8085", "127.0.0.1:8085"), ("localhost", "localhost"), ("[::1]:8085", "[::1]:8085"),
      ("http://emulator:1", "emulator:1"), ("a_b-c.d:65535", "a_b-c.d:65535"), ("[::1]", "[::1]"),
      ("", nil), (":80", nil), ("a:", nil), ("a:0", nil), ("a:65536", nil), ("a:b", nil), ("a/b", nil), ("a?b", nil),
      ("u@h", nil), ("a b", nil), ("https://a", nil), ("[::1", nil), ("[]:80", nil), ("[g]:80", nil), ("a:1:2", nil),
      ("::1", nil), ("a:+1", nil), ("é", nil),
    ] as [(String, String?)])
  func hostAndPort(text: String, expected: String?) {
    #expect(HostAndPort(text)?.text == expected)
  }

  @Test("Form fields are percent-encoded byte by byte")
  func form() {
    let body = FormBody.encode(["grant_type": "urn:x:y", "a b": "ä&=+~"])
    #expect(String(decoding: body, as: UTF8.self) == "grant_type=urn%3Ax%3Ay&a%20b=%C3%A4%26%3D%2B~")
  }
}
#endif
