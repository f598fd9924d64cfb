/// The names of months and weekdays, in lower case.
enum CalendarWords {
  static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
  ]

  static let weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

  /// The number of a month, 1 to 12, by its full name or its first three letters.
  static func month(_ word: String) -> Int? {
    index(of: word, in: months).map { $0 + 1 }
  }

  /// The number of a weekday, 0 (Sunday) to 6, by its full name or its first three letters.
  static func weekday(_ word: String) -> Int? {
    index(of: word, in: weekdays)
  }

  private static func index(of word: String, in names: [String]) -> Int? {
    names.firstIndex { $0 == word || (word.utf8.count == 3 && $0.hasPrefix(word)) }
  }

  /// A name with a capital.
  static func capitalized(_ name: String) -> String {
    name.prefix(1).uppercased() + name.dropFirst()
  }
}
