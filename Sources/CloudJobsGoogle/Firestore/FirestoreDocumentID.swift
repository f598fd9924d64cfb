#if HTTP
/// Document ids for names of any form, such as those of journal entries.
///
/// A document's id has no `/`, is neither `.` nor `..`, and is not of the form `__…__`
/// (<https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields>). What would break this, and
/// control characters, are percent-encoded; all else stays as it is, so that ids keep the order of their names.
enum FirestoreDocumentID {
  /// The id of a name.
  static func encode(_ name: String) -> String {
    if name.isEmpty { return "%" }
    let isDots = name == "." || name == ".."
    let isReserved = name.utf8.starts(with: "__".utf8)
    var bytes = [UInt8]()
    for (index, byte) in name.utf8.enumerated() {
      let isSpecial = byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%")
      if isSpecial || isDots || (isReserved && index == 0) {
        bytes.append(UInt8(ascii: "%"))
        bytes += [byte >> 4, byte & 15].map { digits[Int($0)] }
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The name of an id; an id that another program chose is its own name.
  static func decode(_ id: String) -> String {
    if id == "%" { return "" }
    let bytes = Array(id.utf8)
    var name = [UInt8]()
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = digits.firstIndex(of: bytes[index + 1]), let low = digits.firstIndex(of: bytes[index + 2])
      {
        name.append(UInt8(high << 4 | low))
        index += 3
      } else {
        name.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: name, as: UTF8.self)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)
}
#endif
