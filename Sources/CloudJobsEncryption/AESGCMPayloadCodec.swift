#if Encryption
public import CloudJobs
public import CloudJobsCore
import Crypto

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A codec that encrypts payloads at rest with AES-256-GCM.
///
/// ```swift
/// var options = RuntimeOptions()
/// options.payloadCodec = AESGCMPayloadCodec(try EncryptionKeyRing(environment: environment))
/// ```
///
/// Each payload has a random nonce of 96 bits, and is bound to its job, its run and its field: one that is copied to
/// another run does not decrypt. A key should encrypt at most 2³² payloads (NIST SP 800-38D, section 8.3,
/// <https://doi.org/10.6028/NIST.SP.800-38D>). The stored form is a third longer than the payload.
public struct AESGCMPayloadCodec: PayloadCodec {
  private let keys: EncryptionKeyRing
  private let acceptsPlaintext: Bool
  private static let tagLength = 16

  /// Creates a codec.
  ///
  /// - Parameters:
  ///   - keys: the keys.
  ///   - acceptsPlaintext: whether payloads that are not encrypted are taken as they are, such as those that were
  ///     recorded before encryption was switched on. With false, somebody who can write to the store can't add inputs.
  public init(_ keys: EncryptionKeyRing, acceptsPlaintext: Bool = true) {
    self.keys = keys
    self.acceptsPlaintext = acceptsPlaintext
  }

  /// Encrypts a payload with the current key.
  public func encode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText {
    do {
      let box = try AES.GCM.seal(payload.bytes, using: keys.current.key, authenticating: Self.binding(place))
      return EncryptedPayload(
        keyID: keys.current.id, nonce: Array(box.nonce), data: Array(box.ciphertext) + Array(box.tag)
      ).payload
    } catch {
      throw JobError(.internalError, "The payload could not be encrypted with the key \(keys.current.id).")
    }
  }

  /// Decrypts a payload with the key that it names.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `payloadKeyUnavailable` if the key ring has no such key, `payloadDamaged` if
  ///   the payload was changed or belongs elsewhere.
  public func decode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText {
    guard let encrypted = EncryptedPayload(payload) else {
      if acceptsPlaintext { return payload }
      throw JobError(
        .payloadDamaged, "The stored \(place.field) is not encrypted, but this runtime only takes encrypted payloads.")
    }
    guard let key = keys.key(encrypted.keyID) else {
      throw JobError(
        .payloadKeyUnavailable,
        "The \(place.field) is encrypted with the key \(encrypted.keyID), which is not in the key ring. Add the key; "
          + "the run is kept until then.")
    }
    do {
      let length = encrypted.data.count - Self.tagLength
      let box = try AES.GCM.SealedBox(
        nonce: AES.GCM.Nonce(data: encrypted.nonce), ciphertext: encrypted.data.prefix(max(length, 0)),
        tag: encrypted.data.suffix(Self.tagLength))
      let bytes = try AES.GCM.open(box, using: key, authenticating: Self.binding(place))
      return try JSONText(checking: Array(bytes), limits: JSONLimits(bytes: .max, depth: 512))
    } catch {
      throw JobError(
        .payloadDamaged,
        "The \(place.field) does not decrypt with the key \(encrypted.keyID): it was changed, it was copied from "
          + "another run, or the id was given to another key.")
    }
  }

  /// The additional authenticated data of a place.
  private static func binding(_ place: PayloadPlace) -> [UInt8] {
    Array("cloud-jobs/payload/1\n\(place.jobID)\n\(place.runID)\n\(place.field)".utf8)
  }
}
#endif
