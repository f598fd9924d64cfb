import CloudJobsEmulator

extension MessageReader {
  /// Reads the `HttpTarget` of a queue to its end.
  consuming func queueTarget() throws(ServiceFault) -> CloudTasks.QueueTarget {
    var reader = self
    var target = CloudTasks.QueueTarget(
      uri: try reader.message("uriOverride")?.uriOverride(),
      method: try reader.choice("httpMethod", { (method: HTTPTarget.Method) in method.name }),
      authorization: try reader.authorization())
    for var override in try reader.messages("headerOverrides") {
      if var header = try override.message("header") {
        target.headers.append(HeaderField(try header.string("key") ?? "", try header.string("value") ?? ""))
        try header.finish()
      }
      try override.finish()
    }
    try reader.finish()
    return target
  }

  private consuming func uriOverride() throws(ServiceFault) -> CloudTasks.URIOverride {
    var reader = self
    var uri = CloudTasks.URIOverride(
      scheme: try reader.choice("scheme", { (scheme: CloudTasks.URIOverride.Scheme) in scheme.name }),
      host: try reader.string("host"), port: try reader.wideInteger("port"),
      mode: try reader.choice("uriOverrideEnforceMode", { (mode: CloudTasks.URIOverride.Mode) in mode.name }))
    if var path = try reader.message("pathOverride") {
      uri.path = try path.string("path") ?? ""
      try path.finish()
    }
    if var query = try reader.message("queryOverride") {
      uri.query = try query.string("queryParams") ?? ""
      try query.finish()
    }
    try reader.finish()
    return uri
  }
}
