import CloudJobsCore
import CloudJobsEmulator

extension JournalRecord {
  /// The record as JSON; times are in microseconds since 1970.
  var json: JSONValue {
    var object: [String: JSONValue] = ["at": .integer(time.microseconds)]
    switch change {
    case .request(let request): object["request"] = request
    case .moved(let span): object["aheadMicroseconds"] = .integer(span.microseconds)
    case .reset: object["event"] = "reset"
    case .event(.wake): object["event"] = "wake"
    case .event(.resumed): object["event"] = "resumed"
    case .event(.completed(let id, let outcome)):
      object["event"] = "completed"
      object["service"] = .string(id.service.rawValue)
      object["number"] = .integer(Int64(clamping: id.number))
      switch outcome {
      case .timedOut: object["outcome"] = "timedOut"
      case .connectionFailed(let reason): object["failure"] = .string(reason)
      case .response(let status, let headers):
        object["status"] = .integer(Int64(status))
        object["headers"] = .array(headers.map { [.string($0.name), .string($0.value)] })
      }
    }
    return .object(object)
  }

  /// The record of a JSON value, or nil where it is none.
  init?(json: JSONValue) {
    guard let micros = json["at"]?.integer else { return nil }
    let time = Timestamp(microseconds: micros)
    if let request = json["request"] {
      self.init(time: time, change: .request(request))
    } else if let span = json["aheadMicroseconds"]?.integer {
      self.init(time: time, change: .moved(.microseconds(span)))
    } else if json["event"] == "reset" {
      self.init(time: time, change: .reset)
    } else {
      guard let event = Self.event(json) else { return nil }
      self.init(time: time, change: .event(event))
    }
  }

  private static func event(_ json: JSONValue) -> ServiceEvent? {
    switch json["event"]?.string {
    case "wake": return .wake
    case "resumed": return .resumed
    case "completed":
      guard let service = json["service"]?.string.flatMap({ DispatchID.Service(rawValue: $0) }),
        let number = json["number"]?.integer.flatMap({ UInt64(exactly: $0) }), let outcome = outcome(json)
      else { return nil }
      return .completed(DispatchID(service, number), outcome)
    default: return nil
    }
  }

  private static func outcome(_ json: JSONValue) -> DispatchOutcome? {
    if json["outcome"] == "timedOut" { return .timedOut }
    if let reason = json["failure"]?.string { return .connectionFailed(reason) }
    guard let status = json["status"]?.integer, let headers = json["headers"]?.array else { return nil }
    let fields = headers.compactMap { pair -> HeaderField? in
      guard let parts = pair.array, parts.count == 2, let name = parts[0].string, let value = parts[1].string else {
        return nil
      }
      return HeaderField(name, value)
    }
    guard fields.count == headers.count else { return nil }
    return .response(status: Int(status), headers: fields)
  }
}
