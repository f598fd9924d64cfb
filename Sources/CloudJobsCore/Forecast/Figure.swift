/// Numbers as people read them.
package enum Figure {
  /// Returns a whole number with groups of three digits, such as `43,200`.
  package static func count(_ value: Double) -> String {
    let digits = Array(String(Int64(min(max(value.rounded(), -9e15), 9e15)).magnitude))
    var text = value.rounded() < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }

  /// Returns a number in at most five characters, such as `1440` or `12.3k`.
  package static func short(_ value: Double) -> String {
    if value.rounded() < 10_000 { return "\(Int64(max(0, value).rounded()))" }
    for (unit, name) in [(1e3, "k"), (1e6, "M"), (1e9, "G")] where value / unit < 999.5 {
      return decimal(value / unit, places: value / unit < 99.95 ? 1 : 0) + name
    }
    return "many"
  }

  /// Returns an amount of money: cents, or more places if it is smaller than that.
  package static func money(_ value: Double) -> String {
    decimal(value, places: value != 0 && abs(value) < 0.1 ? 4 : 2)
  }

  private static func decimal(_ value: Double, places: Int) -> String {
    var factor = 1.0
    for _ in 0..<places { factor *= 10 }
    let whole = Int64(min(abs(value) * factor, 9e15).rounded())
    let unit = Int64(factor)
    let digits = String(whole % unit)
    let fraction = places == 0 ? "" : "." + String(repeating: "0", count: places - digits.count) + digits
    return (value < 0 && whole > 0 ? "-" : "") + count(Double(whole / unit)) + fraction
  }
}
