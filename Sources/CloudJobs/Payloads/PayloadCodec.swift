public import CloudJobsCore

/// A coding of payloads for the store, such as encryption: stores and queues only see encoded payloads.
///
/// A runtime encodes a run's input before it records the run and its output before it commits the result, and decodes
/// them right before the handler and for the callers of ``JobClient/run(_:)``. `AESGCMPayloadCodec` of the product
/// `CloudJobsEncryption` encrypts.
public protocol PayloadCodec: Sendable {
  /// Encodes a payload.
  ///
  /// - Parameters:
  ///   - payload: the payload.
  ///   - place: the run and the field that hold it.
  /// - Returns: the stored form.
  /// - Throws: ``/CloudJobsCore/JobError``; the run is not recorded, or its attempt ends as a dead letter.
  func encode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText

  /// Decodes a payload.
  ///
  /// - Parameters:
  ///   - payload: the stored form.
  ///   - place: the run and the field that hold it.
  /// - Returns: the payload.
  /// - Throws: ``/CloudJobsCore/JobError``: `payloadKeyUnavailable` keeps the run until the key is there, without
  ///   counting a failure; after any other error the retry policy applies.
  func decode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText
}

/// The place of a stored payload, to which an encryption can bind it.
public struct PayloadPlace: Hashable, Sendable {
  /// The job.
  public var jobID: JobID
  /// The run.
  public var runID: RunID
  /// The field of the run: `input`, `output`, `checkpoint`, or `effect` and its name.
  public var field: String

  /// Creates a place.
  public init(jobID: JobID, runID: RunID, field: String) {
    self.jobID = jobID
    self.runID = runID
    self.field = field
  }
}

/// The stored form of an encrypted payload: `{"encrypted": {"data": …, "key": …, "nonce": …}}`, bytes in base64.
package struct EncryptedPayload: Hashable, Sendable {
  /// The id of the key.
  package var keyID: String
  /// The nonce.
  package var nonce: [UInt8]
  /// The encrypted bytes, followed by their authentication tag.
  package var data: [UInt8]

  /// Creates the stored form of encrypted bytes.
  package init(keyID: String, nonce: [UInt8], data: [UInt8]) {
    self.keyID = keyID
    self.nonce = nonce
    self.data = data
  }

  /// Parses a stored payload; nil if it is not encrypted.
  package init?(_ payload: JSONText) {
    // Any other payload is told apart without being parsed.
    guard payload.bytes.starts(with: Self.start), let outer = payload.value.object, outer.count == 1,
      let members = outer["encrypted"]?.object, members.count == 3, let key = members["key"]?.string,
      let nonce = members["nonce"]?.string.flatMap({ Base64.decode($0) }),
      let data = members["data"]?.string.flatMap({ Base64.decode($0) })
    else { return nil }
    self.init(keyID: key, nonce: nonce, data: data)
  }

  private static let start = Array(#"{"encrypted":{"data":""#.utf8)

  /// The stored form.
  package var payload: JSONText {
    JSONText([
      "encrypted": [
        "data": .string(Base64.encode(data)), "key": .string(keyID), "nonce": .string(Base64.encode(nonce)),
      ]
    ])
  }
}
