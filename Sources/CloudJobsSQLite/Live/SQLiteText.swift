#if SQLite
import Foundation
import GRDB

/// Conversion between strings and database values.
///
/// GRDB passes strings as C strings, which end at the first NUL; a string with a NUL is stored as a blob.
enum SQLiteText {
  /// Returns the database value of a string.
  static func value(_ text: String) -> DatabaseValue {
    text.utf8.contains(0) ? Data(text.utf8).databaseValue : text.databaseValue
  }

  /// Returns the string of a value; nil if it holds none.
  static func text(_ value: DatabaseValue) -> String? {
    switch value.storage {
    case .string(let text): text
    case .blob(let data): String(decoding: data, as: UTF8.self)
    case .null, .int64, .double: nil
    }
  }
}
#endif
