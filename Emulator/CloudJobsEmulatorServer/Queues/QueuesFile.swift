public import CloudJobsCore
import CloudJobsEmulator
package import CloudJobsEmulatorWire

/// The initial queues of an emulator, as described by a file.
///
/// Two formats are supported, distinguished by the first character: a JSON list of Cloud Tasks v2 `Queue` objects
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#Queue>), and the part of App
/// Engine's `queue.yaml` that applies to Cloud Tasks
/// (<https://cloud.google.com/appengine/docs/legacy/standard/python/config/queueref>).
public struct QueuesFile: Hashable, Sendable {
  /// The default location of queues whose names do not include one.
  public static let defaultLocation = "projects/local/locations/local"
  /// The queues in file order, in the REST API's JSON form, each with its full name.
  public let queues: [JSONValue]
  /// Messages about entries of the file that have no effect, each with its line.
  public let notes: [String]

  /// Parses the text of a file.
  ///
  /// - Parameters:
  ///   - text: JSON or YAML.
  ///   - location: `projects/P/locations/L`, for names that do not start with `projects/`.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the line and the remedy; for JSON also `malformedJSON`
  ///   and `tooLarge`.
  public init(parsing text: String, location: String = defaultLocation) throws(JobError) {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "projects", parts[2] == "locations", !parts[1].isEmpty, !parts[3].isEmpty else {
      throw JobError(
        .invalidField, "A location has the form projects/P/locations/L, not: \(location)",
        field: "--queues-location")
    }
    let text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
    let first = text.first { !$0.isWhitespace }
    if first == "[" || first == "{" {
      notes = []
      queues = try Self.json(text, location)
    } else {
      var reader = QueueYAMLReader(location: location)
      queues = try reader.read(try YAMLBlock(parsing: text))
      notes = reader.notes
    }
  }

  /// The requests that create the queues or update existing ones.
  package var requests: [RESTRequest] {
    queues.map { RESTRequest(method: "PATCH", target: "/v2/\($0["name"]?.string ?? "")", body: $0.encoded) }
  }

  /// Returns the full name of a queue.
  ///
  /// - Throws: ``JobError`` `invalidField` for an invalid name.
  static func fullName(_ name: String, in location: String, place: String) throws(JobError) -> String {
    let full = name.hasPrefix("projects/") ? name : "\(location)/queues/\(name)"
    do throws(ServiceFault) {
      _ = try CloudTasks.QueueName(full)
    } catch {
      throw refusal(place, error.message)
    }
    return full
  }

  static func refusal(_ place: String, _ message: String) -> JobError {
    JobError(.invalidField, "\(place): \(message)", field: "--queues")
  }

  private static func json(_ text: String, _ location: String) throws(JobError) -> [JSONValue] {
    let value = try JSONValue(parsing: Array(text.utf8), limits: .service)
    guard let list = value.array else {
      throw refusal("The JSON file", "It is \(value.kind). Make it a list of Queue objects: [{\"name\": \"mail\"}]")
    }
    var names: Set<String> = []
    var queues: [JSONValue] = []
    for (index, queue) in list.enumerated() {
      let place = "Queue \(index + 1) of the list"
      guard var members = queue.object, let name = members["name"]?.string, !name.isEmpty else {
        throw refusal(place, "It has no name. Write an object such as {\"name\": \"mail\"}.")
      }
      let full = try fullName(name, in: location, place: place)
      guard names.insert(full).inserted else {
        throw refusal(place, "\(full) is defined twice. Remove one definition.")
      }
      members["name"] = .string(full)
      queues.append(.object(members))
    }
    return queues
  }
}
