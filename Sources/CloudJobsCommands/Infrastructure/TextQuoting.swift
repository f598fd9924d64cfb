/// Text as literals of the languages that `infra` prints.
enum TextQuoting {
  /// Returns text that bash takes as it is.
  static func shell(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-_./:@".utf8.contains(byte)
    }
    return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }

  /// Returns a quoted template of Terraform's language without interpolation.
  ///
  /// Source: <https://developer.hashicorp.com/terraform/language/expressions/strings#quoted-strings>.
  static func terraform(_ text: String) -> String {
    quoted(text).replacing("${", with: "$${").replacing("%{", with: "%%{")
  }

  /// Returns a scalar of YAML that every version of it reads as text.
  ///
  /// Source: <https://yaml.org/spec/1.2.2/#double-quoted-style>.
  static func yaml(_ text: String) -> String {
    let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
    let isPlain = text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-_./".utf8.contains(byte)
    }
    let begins = text.utf8.first.map { (65...90).contains($0) || (97...122).contains($0) || $0 == 47 } ?? false
    return isPlain && begins && !words.contains(text.lowercased()) ? text : quoted(text)
  }

  /// Returns text in double quotes, with the escapes that JSON, YAML and Terraform share.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
          let code = String(scalar.value, radix: 16, uppercase: true)
          let width = scalar.value > 0xFFFF ? 8 : 4
          quoted += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - code.count) + code
        default: quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }
}
