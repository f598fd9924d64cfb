/// The parts of full names.
enum TypeNames {
  /// The package of the types that are built in, with a point.
  static let builtIn = "google.protobuf."
  /// The message without fields.
  static let empty = "google.protobuf.Empty"

  /// Returns the package of a type: the parts before the first one in upper case.
  static func package(of name: String) -> String {
    name.split(separator: ".").prefix { $0.first?.isUppercase != true }.joined(separator: ".")
  }

  /// Returns the name of a type in its package.
  static func local(_ name: String) -> Substring { name.dropFirst(package(of: name).utf8.count + 1) }

  /// Returns the name of the file that defines a type; the official one for those that are built in.
  static func file(of name: String) -> String {
    guard name.hasPrefix(builtIn) else {
      return package(of: name).replacing(".", with: "/") + ".proto"
    }
    let file =
      switch local(name) {
      case "Timestamp": "timestamp"
      case "Duration": "duration"
      case "FieldMask": "field_mask"
      case "Any": "any"
      case "Empty": "empty"
      case "Struct", "Value", "ListValue", "NullValue": "struct"
      default: "wrappers"
      }
    return "google/protobuf/\(file).proto"
  }
}
