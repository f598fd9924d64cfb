#if SQLite
import Foundation
import GRDB

/// Texts as values of the database.
///
/// GRDB hands texts over as C strings, which end at the first NUL; a text that contains one goes as a blob.
enum SQLiteText {
  /// The value for a text.
  static func value(_ text: String) -> DatabaseValue {
    text.utf8.contains(0) ? Data(text.utf8).databaseValue : text.databaseValue
  }

  /// The text of a value, or nil where the value is none.
  static func text(_ value: DatabaseValue) -> String? {
    switch value.storage {
    case .string(let text): text
    case .blob(let data): String(decoding: data, as: UTF8.self)
    case .null, .int64, .double: nil
    }
  }
}
#endif
