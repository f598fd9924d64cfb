import CloudJobsCore

/// An object of an index file, with its place there for messages.
struct IndexFileObject {
  private let members: [String: JSONValue]
  /// Such as `indexes[1].fields[0]`.
  private let place: String

  /// An object with no other members than these.
  init(_ value: JSONValue, at place: String, members names: Set<String>) throws(JobError) {
    self.place = place
    guard let members = value.object else {
      throw Self.refusal(place, "It is \(value.kind). Make it an object.")
    }
    self.members = members
    if let name = members.keys.sorted().first(where: { !names.contains($0) }) {
      throw Self.refusal(
        place, "\"\(name)\" is not known. Remove it; known are \(names.sorted().joined(separator: ", ")).")
    }
  }

  /// Whether there is a member of that name.
  func has(_ name: String) -> Bool { members[name] != nil }

  /// The objects of a list.
  func objects(_ name: String, members names: Set<String>) throws(JobError) -> [IndexFileObject] {
    let place = place.isEmpty ? name : "\(place).\(name)"
    guard let list = members[name]?.array else {
      throw Self.refusal(place, "It is \(members[name]?.kind ?? "missing"). Make it a list.")
    }
    var objects: [IndexFileObject] = []
    for (index, value) in list.enumerated() {
      objects.append(try IndexFileObject(value, at: "\(place)[\(index)]", members: names))
    }
    return objects
  }

  /// A text that is not empty.
  func text(_ name: String) throws(JobError) -> String {
    guard let text = members[name]?.string, !text.isEmpty else {
      throw refusal("\"\(name)\" is \(members[name]?.kind ?? "missing"). Make it a text that is not empty.")
    }
    return text
  }

  /// The field that `fieldPath` names.
  func path() throws(JobError) -> Firestore.FieldPath {
    let text = try text("fieldPath")
    do throws(ServiceFault) {
      return try Firestore.FieldPath(parsing: text)
    } catch {
      throw refusal("\"fieldPath\" is no path of a field: \(error.message)")
    }
  }

  /// The scope that `queryScope` names.
  func scope() throws(JobError) -> Firestore.Index.Scope {
    try choice("queryScope", among: Firestore.Index.Scope.allCases)
  }

  /// The mode that either `order` or `arrayConfig` names.
  func mode() throws(JobError) -> Firestore.Index.Mode {
    guard has("order") != has("arrayConfig") else {
      throw refusal("It takes one of \"order\" and \"arrayConfig\". Give one of them.")
    }
    let member = has("order") ? "order" : "arrayConfig"
    return try choice(member, among: Firestore.Index.Mode.allCases.filter { $0.member == member })
  }

  private func choice<Choice: RawRepresentable<String>>(_ name: String, among all: [Choice]) throws(JobError) -> Choice
  {
    let text = try text(name)
    guard let choice = all.first(where: { $0.rawValue == text }) else {
      throw refusal("\"\(name)\" is \(text). Make it \(all.map(\.rawValue).joined(separator: " or ")).")
    }
    return choice
  }

  /// A refusal of something about the object.
  func refusal(_ message: String) -> JobError { Self.refusal(place, message) }

  private static func refusal(_ place: String, _ message: String) -> JobError {
    JobError(.invalidField, "\(place.isEmpty ? "The index file" : place): \(message)", field: "--indexes")
  }
}
