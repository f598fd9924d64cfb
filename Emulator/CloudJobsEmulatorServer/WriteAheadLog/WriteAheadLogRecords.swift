import CloudJobsCore
import CloudJobsEmulator

/// The first line of a log or snapshot file, with the options that the other lines depend on.
struct WriteAheadLogHeader: Hashable {
  /// The kind of a file.
  enum Kind: String {
    /// Records.
    case log = "journal"
    /// A snapshot.
    case snapshot

    /// The name in messages.
    var name: String {
      switch self {
      case .log: "write-ahead log"
      case .snapshot: "snapshot"
      }
    }

    /// The version of the line format.
    var version: Int64 { self == .log ? 3 : 2 }
  }

  private let options: [String: JSONValue]

  /// Creates the header of an emulator with these options.
  init(tasks: CloudTasks.Options, scheduler: CloudScheduler.Options = .init(), seed: UInt64) {
    options = [
      "seed": .string("\(seed)"),
      "taskTombstone": .integer(tasks.taskTombstone.microseconds),
      "queueTombstone": .integer(tasks.queueTombstone.microseconds),
      "retention": .integer(tasks.retention.microseconds),
      "burstSize": tasks.burstSize.map { .integer(Int64($0)) } ?? .null,
      // Whether there are such targets decides about requests; where they are does not.
      "hasAppEngine": .bool(tasks.appEngineOrigin != nil),
      "pushTopics": .array(scheduler.pushEndpoints.keys.sorted().map { .string($0) }),
    ]
  }

  /// Returns the header as a line of a file.
  ///
  /// - Parameters:
  ///   - kind: the kind of the file.
  ///   - generation: the file's generation.
  ///   - chain: the place in the log at which the generation begins.
  /// - Returns: the line without its terminator.
  func line(_ kind: Kind, _ generation: Int, after chain: RecordChain) -> [UInt8] {
    var members = members(kind)
    members["generation"] = .integer(Int64(generation))
    members["after"] = chain.json
    return JSONValue.object(members).encoded
  }

  /// Validates the header of an existing file.
  ///
  /// - Parameters:
  ///   - line: the line.
  ///   - kind: the kind of the file.
  ///   - generation: the generation that the file's name says.
  /// - Returns: the place in the log at which the generation begins.
  /// - Throws: ``JobError`` `invalidField` for a file that was created with other options, `storeUnavailable` for one
  ///   that was changed or has another's name.
  func check(
    _ line: ArraySlice<UInt8>, _ kind: Kind, _ generation: Int
  ) throws(JobError) -> RecordChain {
    let file = kind == .log ? WriteAheadLogFileNames.log(generation) : WriteAheadLogFileNames.snapshot(generation)
    let found = (try? JSONValue(parsing: Array(line))) ?? .null
    let members = members(kind)
    guard found[kind.rawValue] == members[kind.rawValue] else {
      throw JobError(
        .invalidField, "\(file) is not a \(kind.name) of the emulator. Choose another folder.", field: "--data")
    }
    // Another version may have other members.
    for name in ["version"] + members.keys.sorted() where found[name] ?? .null != members[name] {
      throw JobError(
        .invalidField,
        "\(file) was created with another \(name): \(found[name]?.text ?? "none") instead of "
          + "\(members[name]?.text ?? "none"). Start the emulator as before, or choose another folder.",
        field: "--data")
    }
    guard let chain = RecordChain(json: found["after"]), self.line(kind, generation, after: chain) == Array(line) else {
      throw WriteAheadLogReader.damage("Line 1 of \(file) was changed, or is that of another file.")
    }
    return chain
  }

  private func members(_ kind: Kind) -> [String: JSONValue] {
    var members = options
    members[kind.rawValue] = "cloud-jobs emulator"
    members["version"] = .integer(kind.version)
    return members
  }
}

extension WriteAheadLogRecord {
  /// The record as JSON, with times in microseconds since 1970.
  var json: JSONValue {
    var object: [String: JSONValue] = ["at": .integer(time.microseconds)]
    switch change {
    case .request(let request): object["request"] = request
    case .moved(let span): object["aheadMicroseconds"] = .integer(span.microseconds)
    case .frozen(let time): object["frozenMicroseconds"] = .integer(time.microseconds)
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

  /// Creates a record from a JSON value; nil if the value is not a record.
  init?(json: JSONValue) {
    guard let micros = json["at"]?.integer else { return nil }
    let time = Timestamp(microseconds: micros)
    if let request = json["request"] {
      self.init(time: time, change: .request(request))
    } else if let span = json["aheadMicroseconds"]?.integer {
      self.init(time: time, change: .moved(.microseconds(span)))
    } else if let micros = json["frozenMicroseconds"]?.integer {
      self.init(time: time, change: .frozen(at: Timestamp(microseconds: micros)))
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
      guard let service = json["service"]?.string.flatMap({ DeliveryID.Service(rawValue: $0) }),
        let number = json["number"]?.integer.flatMap({ UInt64(exactly: $0) }), let outcome = outcome(json)
      else { return nil }
      return .completed(DeliveryID(service, number), outcome)
    default: return nil
    }
  }

  private static func outcome(_ json: JSONValue) -> DeliveryOutcome? {
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
