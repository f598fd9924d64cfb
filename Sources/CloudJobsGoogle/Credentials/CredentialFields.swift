#if HTTP
import CloudJobsCore

/// Reads the text fields of a credential file; its errors name the field and never its value.
struct CredentialFields {
  let members: [String: JSONValue]
  /// What to call the file in an error.
  let place: String

  /// A field that must be there.
  func required(_ name: String) throws(JobError) -> String {
    guard let text = try optional(name) else {
      throw CredentialFile.fault(place, "lacks the field \(name); download the file again")
    }
    return text
  }

  /// A field that may be missing; an empty one counts as missing.
  func optional(_ name: String) throws(JobError) -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .string(let text): return text.isEmpty ? nil : text
    default: throw CredentialFile.fault(place, "has a field \(name) that is no text; download the file again")
    }
  }
}
#endif
