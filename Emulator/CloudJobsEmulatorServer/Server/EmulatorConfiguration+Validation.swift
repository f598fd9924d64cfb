#if Server && HTTP
package import CloudJobsCore
import CloudJobsEmulator

extension EmulatorConfiguration {
  /// The longest time for which a name may stay taken: one year, in seconds.
  private static let longestTombstone = 31_536_000

  /// Refuses values that would fail later, or have no effect; each error names the command line's option.
  ///
  /// - Throws: ``JobError`` `invalidField` with the remedy.
  package func validate() throws(JobError) {
    guard HostName.isNameOrAddress(host) else {
      throw Self.refusal("--host", "\(Self.quoted(host)) is no address. Give an IP address or a name: 127.0.0.1")
    }
    guard (0...65_535).contains(port) else {
      throw Self.refusal("--port", "\(port) is no port. Give a number from 0 to 65535")
    }
    for (option, span) in [("--task-tombstone", tasks.taskTombstone), ("--queue-tombstone", tasks.queueTombstone)] {
      guard (Duration.zero...Duration.seconds(Self.longestTombstone)).contains(span) else {
        throw Self.refusal(option, "A span can't be negative or longer than a year. Give 0 to \(Self.longestTombstone)")
      }
    }
    for host in allowedHosts where host != "*" && !HostName.isName(host) {
      if case .v4 = IPAddress(host) { continue }
      throw Self.refusal(
        "--allow-host", "\(Self.quoted(host)) is no host name, IPv4 address or *. Give a host without scheme and port")
    }
    for (place, address) in hostAddresses.sorted(by: { $0.key < $1.key }) { try Self.checkAddress(address, of: place) }
    for (topic, url) in scheduler.pushEndpoints.sorted(by: { $0.key < $1.key }) {
      try Self.checkPush(of: topic, to: url)
    }
    for origin in [tasks.appEngineOrigin, scheduler.appEngineOrigin].compactMap(\.self) {
      guard let path = Self.pathOfHTTPURL(origin), path.isEmpty else {
        throw Self.refusal(
          "--app-engine-origin",
          "\(Self.quoted(origin)) is no origin. Give scheme, host and port: http://127.0.0.1:8080")
      }
    }
    if let issuer, issuer.isEmpty || issuer.utf8.count > 2_048 || !Self.isVisible(issuer) {
      throw Self.refusal(
        "--issuer",
        "An issuer is a URL or a name without spaces. Leave it out, or give one: https://accounts.google.com")
    }
  }

  private static func checkAddress(_ address: String, of place: String) throws(JobError) {
    guard let parts = HostName.split(place), let port = parts.port, port > 0 else {
      throw refusal(
        "--resolve", "\(quoted(place)) is no host and port. Give host:port=address: worker.test:80=127.0.0.1")
    }
    guard IPAddress(address) != nil else {
      throw refusal(
        "--resolve", "\(quoted(address)) is no IP address. Give host:port=address: worker.test:80=127.0.0.1")
    }
  }

  private static func checkPush(of topic: String, to url: String) throws(JobError) {
    let example = "projects/P/topics/T=http://127.0.0.1:8080/push"
    let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "projects", parts[2] == "topics", !parts[1].isEmpty, !parts[3].isEmpty,
      isVisible(topic)
    else { throw refusal("--push", "\(quoted(topic)) is no topic's name. Give topic=URL: \(example)") }
    guard pathOfHTTPURL(url) != nil else {
      throw refusal("--push", "\(quoted(url)) is no http or https URL. Give topic=URL: \(example)")
    }
  }

  /// What follows the authority of an `http` or `https` URL; nil for any other text.
  private static func pathOfHTTPURL(_ text: String) -> Substring? {
    guard isVisible(text),
      let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) })
    else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { !"/?#".contains($0) }
    guard let parts = HostName.split(authority), parts.port != 0 else { return nil }
    return rest[authority.endIndex...]
  }

  private static func isVisible(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  private static func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : String($0) }
    return "\"\(shown.joined())\""
  }

  private static func refusal(_ option: String, _ message: String) -> JobError {
    JobError(.invalidField, message + ".", field: option)
  }
}
#endif
