extension JobError {
  /// An `invalidSchedule` error.
  static func schedule(_ message: String, field: String? = nil) -> JobError {
    JobError(.invalidSchedule, message, field: field)
  }

  /// A piece of a schedule's text as a message may repeat it: short, and printable.
  static func excerpt(_ text: some StringProtocol) -> String {
    let bytes = text.utf8.prefix(24).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: bytes, as: UTF8.self) + (text.utf8.count > 24 ? "…" : "")
  }
}
