import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: the index file")
struct IndexFileTests {
  private static let fields =
    #""fields":[{"fieldPath":"a","order":"ASCENDING"},{"fieldPath":"b.`c d`","order":"DESCENDING"}]"#
  private static let index = #"{"collectionGroup":"c","queryScope":"COLLECTION",\#(fields)}"#

  private static let override = #"{"collectionGroup":"c","fieldPath":"x","indexes":[]}"#

  @Test("has composite indexes and overrides")
  func reads() throws {
    let configuration = try Firestore.IndexConfiguration(
      parsing: """
        {
          "indexes": [
            \(Self.index),
            {"collectionGroup": "g", "queryScope": "COLLECTION_GROUP", "apiScope": "ANY_API",
             "density": "SPARSE_ALL",
             "fields": [
               {"fieldPath": "t", "arrayConfig": "CONTAINS"}, {"fieldPath": "__name__", "order": "DESCENDING"}]},
            {"collectionGroup": "v", "queryScope": "COLLECTION",
             "fields": [{"fieldPath": "v", "vectorConfig": {"dimension": 3, "flat": {}}}]}
          ],
          "fieldOverrides": [
            {"collectionGroup": "c", "fieldPath": "x", "ttl": true, "indexes": []},
            {"collectionGroup": "c", "fieldPath": "*", "indexes": [
              {"order": "ASCENDING"}, {"arrayConfig": "CONTAINS", "queryScope": "COLLECTION_GROUP"}]}
          ]
        }
        """)
    #expect(
      configuration
        == .init(
          composites: [
            .init("c", .collection, [.init("a"), .init(.init(["b", "c d"]), .descending)]),
            .init("g", .collectionGroup, [.init("t", .contains), .init(.documentName, .descending)]),
          ],
          overrides: [
            .init("c", "x", []),
            .init("c", .init([]), [.init(.ascending), .init(.contains, .collectionGroup)]),
          ]))
  }

  @Test("may be without overrides; its composite indexes are written as they are read")
  func writes() throws {
    let configuration = try Firestore.IndexConfiguration(parsing: #"{"indexes":[\#(Self.index)]}"#)
    let written = JSONValue.object(["indexes": .array(configuration.composites.map(\.json))])
    #expect(try Firestore.IndexConfiguration(parsing: written.text) == configuration)
    #expect(configuration.composites.count == 1 && configuration.overrides.isEmpty)
  }

  /// A file, and how the message begins that it is refused with.
  private static let refusals: [(text: String, message: String)] = [
    ("[]", "The index file: It is an array. Make it an object."),
    ("{}", "indexes: It is missing. Make it a list."),
    (#"{"indexes":{}}"#, "indexes: It is an object. Make it a list."),
    (#"{"indexes":[],"rules":1}"#, #"The index file: "rules" is not known."#),
    (#"{"indexes":["a"]}"#, "indexes[0]: It is a string. Make it an object."),
    (#"{"indexes":[{"queryScope":"COLLECTION",\#(fields)}]}"#, #"indexes[0]: "collectionGroup" is missing."#),
    (#"{"indexes":[{"collectionGroup":"","queryScope":"COLLECTION",\#(fields)}]}"#, #"indexes[0]: "collectionGroup""#),
    (#"{"indexes":[{"collectionGroup":"c",\#(fields)}]}"#, #"indexes[0]: "queryScope" is missing."#),
    (
      #"{"indexes":[\#(index),{"collectionGroup":"c","queryScope":"ALL",\#(fields)}]}"#,
      #"indexes[1]: "queryScope" is ALL. Make it COLLECTION or COLLECTION_GROUP."#
    ),
    (#"{"indexes":[{"collectionGroup":"c","queryScope":"COLLECTION"}]}"#, "indexes[0].fields: It is missing."),
    (refused(#"{"fieldPath":"a"}"#), #"indexes[0].fields[0]: It takes one of "order" and "arrayConfig"."#),
    (
      refused(#"{"fieldPath":"a","order":"ASCENDING","arrayConfig":"CONTAINS"}"#),
      #"indexes[0].fields[0]: It takes one of "order" and "arrayConfig"."#
    ),
    (
      refused(#"{"fieldPath":"a","order":"CONTAINS"}"#),
      #"indexes[0].fields[0]: "order" is CONTAINS. Make it ASCENDING or DESCENDING."#
    ),
    (refused(#"{"fieldPath":"a b","order":"ASCENDING"}"#), #"indexes[0].fields[0]: "fieldPath" is no path of a field"#),
    (refused(#"{"fieldPath":"a","order":"ASCENDING"}"#), "indexes[0]: A composite index has two fields or more."),
    (
      #"{"indexes":[],"fieldOverrides":[{"collectionGroup":"c","fieldPath":"x"}]}"#,
      "fieldOverrides[0].indexes: It is missing. Make it a list."
    ),
    (
      #"{"indexes":[],"fieldOverrides":[\#(override),\#(override)]}"#,
      "fieldOverrides[1]: Its field stands in the list twice."
    ),
    (
      #"{"indexes":[],"fieldOverrides":[{"collectionGroup":"c","fieldPath":"x","indexes":[{"order":1}]}]}"#,
      #"fieldOverrides[0].indexes[0]: "order" is a number."#
    ),
  ]

  private static func refused(_ field: String) -> String {
    #"{"indexes":[{"collectionGroup":"c","queryScope":"COLLECTION","fields":[\#(field)]}]}"#
  }

  @Test("is refused with the place and the remedy", arguments: refusals)
  func refuses(text: String, message: String) {
    let error = #expect(throws: JobError.self) { try Firestore.IndexConfiguration(parsing: text) }
    #expect(error?.code == .invalidField && error?.field == "--indexes")
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  @Test("that is no JSON is refused as such")
  func notJSON() {
    let error = #expect(throws: JobError.self) { try Firestore.IndexConfiguration(parsing: "indexes: []") }
    #expect(error?.code == .malformedJSON)
  }
}
