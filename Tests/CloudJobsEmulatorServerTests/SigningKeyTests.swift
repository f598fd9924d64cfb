#if Google
import CloudJobsCore
import CloudJobsEmulator
import Testing

import CloudJobsEmulatorWire
@testable import CloudJobsEmulatorServer

@Suite("The key of the emulator's tokens")
struct SigningKeyTests {
  @Test("a folder's key is created once and atomically, and loaded again")
  func kept() throws {
    let folder = MemoryFolder()
    let key = try SigningKey.kept(in: folder)
    #expect(
      folder.steps == [
        "append signing-key.pem.tmp", "sync signing-key.pem.tmp",
        "rename signing-key.pem.tmp to signing-key.pem", "sync names",
      ])
    let again = try SigningKey.kept(in: folder)
    #expect(again.id == key.id && again.document == key.document)
    #expect(folder.steps.count == 4)
    #expect(try SigningKey.kept(in: MemoryFolder()).id != key.id)
  }

  @Test("an incompletely written key is generated again")
  func unfinished() throws {
    let folder = MemoryFolder(["signing-key.pem.tmp": Array("-----BEGIN".utf8)])
    let key = try SigningKey.kept(in: folder)
    #expect(try SigningKey.kept(in: folder).id == key.id)
  }

  @Test(
    "a damaged key is rejected by name and left unchanged", arguments: ["", "x", "-----BEGIN PRIVATE KEY-----\nAA"])
  func damaged(text: String) throws {
    let folder = MemoryFolder(["signing-key.pem": Array(text.utf8)])
    let error = #expect(throws: JobError.self) { try SigningKey.kept(in: folder) }
    #expect(
      error?.code == .invalidField && error?.message.contains("signing-key.pem is not an RSA private key") == true)
    #expect(folder.steps.isEmpty)
  }

  @Test("the documents are cacheable for a minute, or an hour if the key is stored")
  func lifetimes() throws {
    #expect(TokenClaims.cacheControl(isKeyKept: false).value == "public, max-age=60, must-revalidate")
    #expect(TokenClaims.cacheControl(isKeyKept: true).value == "public, max-age=3600, must-revalidate")
    let identity = EmulatorIdentity(issuer: nil, origin: EmulatorOrigin("http://127.0.0.1:1"))
    #expect(identity.document(at: ["oauth2", "v3", "certs"]) == nil, "there is no key yet")
    try identity.takeKey(from: nil)
    for path in [["oauth2", "v3", "certs"], [".well-known", "openid-configuration"]] {
      let answer = try #require(identity.document(at: path))
      #expect(answer.headers == [TokenClaims.cacheControl(isKeyKept: false)])
    }
    #expect(identity.document(at: ["oauth2", "v3", "other"]) == nil)
  }
}
#endif
