import CloudJobsCore
import CloudJobsEmulator

extension MessageWriter {
  /// The `HttpTarget` of a queue.
  mutating func write(_ target: CloudTasks.QueueTarget) {
    if let uri = target.uri { set("uriOverride", nested { $0.write(uri) }) }
    if let method = target.method { set("httpMethod", choice: method.name, number: method.rawValue) }
    if !target.headers.isEmpty {
      let headers = target.headers.map { field -> JSONValue in
        ["header": ["key": .string(field.name), "value": .string(field.value)]]
      }
      set("headerOverrides", .array(headers))
    }
    write(target.authorization, url: nil)
  }

  private mutating func write(_ uri: CloudTasks.URIOverride) {
    if let scheme = uri.scheme { set("scheme", choice: scheme.name, number: scheme.rawValue) }
    set("host", uri.host)
    if let port = uri.port { set("port", "\(port)") }
    if let path = uri.path { set("pathOverride", ["path": .string(path)]) }
    if let query = uri.query { set("queryOverride", ["queryParams": .string(query)]) }
    let mode = uri.mode ?? .always
    set("uriOverrideEnforceMode", choice: mode.name, number: mode.rawValue)
  }
}
