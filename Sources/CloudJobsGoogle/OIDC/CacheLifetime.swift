#if HTTP
import CloudJobsCore
import HTTPTypes

/// How long an answer may be kept, by its fields (<https://www.rfc-editor.org/rfc/rfc9111#section-4.2>).
enum CacheLifetime {
  /// What keys are kept for at least, so that no field can make each request a fetch.
  static let shortest = Duration.minutes(1)
  /// What they are kept for at most, so that no field can keep a withdrawn key for ever.
  static let longest = Duration.days(1)
  /// What they are kept for where no field says.
  static let usual = Duration.minutes(5)

  /// The time for which an answer is fresh from now on: its `max-age` less its `Age`, within bounds.
  static func fresh(_ fields: HTTPFields) -> Duration {
    let directives = fields[values: .cacheControl].joined(separator: ",").lowercased().split(separator: ",")
      .map { directive in directive.drop { $0 == " " || $0 == "\t" } }
    if directives.contains(where: { $0.hasPrefix("no-store") || $0.hasPrefix("no-cache") }) { return shortest }
    guard let directive = directives.first(where: { $0.hasPrefix("max-age=") }),
      let seconds = number(directive.dropFirst(8))
    else { return usual }
    let age = fields[.age].flatMap { number($0[...]) } ?? 0
    return min(max(.seconds(seconds - min(age, seconds)), shortest), longest)
  }

  private static func number(_ text: Substring) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let value = Int64(digits.prefix(12)), digits.count <= 12, value >= 0 else { return nil }
    return value
  }
}
#endif
