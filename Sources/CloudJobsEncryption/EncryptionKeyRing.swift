#if Encryption
import CloudJobs
public import CloudJobsCore
import Crypto

/// The keys of an encryption: the current one encrypts, and all of them decrypt.
///
/// To rotate, put a new key first and keep the older ones until no stored run needs them: until the retention of the
/// runs that they encrypted has passed.
public struct EncryptionKeyRing: Sendable {
  /// A key of 256 bits with its id.
  public struct Key: Sendable {
    /// The id, which is stored with each payload.
    public let id: String
    let key: SymmetricKey

    /// Creates a key.
    ///
    /// - Parameters:
    ///   - id: the id: 1 to 64 ASCII letters, digits, `-`, `_` and `.`. An id must never be given to another key.
    ///   - bytes: 32 random bytes.
    /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` for another form of the id or another number of bytes.
    public init(id: String, bytes: [UInt8]) throws(JobError) {
      guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy({ Self.isAllowed($0) }) else {
        throw JobError(.invalidField, "A key's id has 1 to 64 ASCII letters, digits, -, _ or dots.", field: "id")
      }
      guard bytes.count == 32 else {
        throw JobError(
          .invalidField,
          "The key \(id) has \(bytes.count) bytes; AES-256 needs 32. Make one with: openssl rand -base64 32",
          field: "bytes")
      }
      self.id = id
      key = SymmetricKey(data: bytes)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
  }

  /// The key that encrypts.
  public let current: Key
  private let keys: [String: SymmetricKey]

  /// Creates a key ring.
  ///
  /// - Parameters:
  ///   - current: the key that encrypts.
  ///   - older: the keys that only decrypt.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` if two keys have the same id.
  public init(current: Key, older: [Key] = []) throws(JobError) {
    self.current = current
    var keys = [current.id: current.key]
    for key in older {
      guard keys.updateValue(key.key, forKey: key.id) == nil else {
        throw JobError(.invalidField, "Two keys have the id \(key.id). Give each key an id of its own.", field: "id")
      }
    }
    self.keys = keys
  }

  /// Creates the key ring of an environment variable: `id:base64`, separated by commas, the current key first.
  ///
  /// ```sh
  /// PAYLOAD_KEYS="k2:$(openssl rand -base64 32),k1:$OLD_KEY"
  /// ```
  ///
  /// - Parameters:
  ///   - environment: the environment.
  ///   - variable: the name of the variable.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` if it is missing or invalid; the error contains no key.
  public init(environment: [String: String], variable: String = "PAYLOAD_KEYS") throws(JobError) {
    guard let text = environment[variable], !text.isEmpty else {
      throw JobError(
        .invalidField, "The environment has no \(variable). Set it to id:base64, the current key first.",
        field: variable)
    }
    var keys = [Key]()
    for (index, entry) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      let parts = entry.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2, let bytes = Base64.decode(parts[1]) else {
        throw JobError(
          .invalidField, "Entry \(index + 1) of \(variable) is not of the form id:base64.", field: variable)
      }
      keys.append(try Key(id: parts[0], bytes: bytes))
    }
    try self.init(current: keys[0], older: Array(keys.dropFirst()))
  }

  /// Returns the key of an id, or nil.
  func key(_ id: String) -> SymmetricKey? { keys[id] }
}

extension EncryptionKeyRing: CustomStringConvertible, CustomReflectable {
  /// The ids of the keys.
  public var description: String {
    "keys \(keys.keys.sorted().joined(separator: ", ")), current \(current.id)"
  }

  /// A mirror without the keys.
  public var customMirror: Mirror { Mirror(reflecting: description) }
}
#endif
