import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsEmulatorWire
import Testing

@Suite("Firestore over REST")
struct FirestoreRESTTests {
  private static let documents = "projects/p/databases/(default)/documents"
  private static let base = "/v1/projects/p/databases/%28default%29/documents"

  private static func caller() -> Caller {
    var caller = Caller()
    for (path, body) in [("c/a", #"{"fields":{"x":{"integerValue":"1"}}}"#), ("c/a/s/b", "{}")] {
      _ = caller.call("PATCH", "\(base)/\(path)", body)
    }
    return caller
  }

  @Test(
    "each method has its route",
    arguments: [
      ("GET", "/c/a", "", 200), ("GET", "/c/missing", "", 404), ("GET", "/c", "", 200),
      ("GET", "/c/a/s?pageSize=1", "", 200),
      ("POST", "/c", "{}", 200), ("POST", "/c?documentId=n", "{}", 200), ("POST", "/c?document_id=a", "{}", 409),
      ("PATCH", "/c/a", "{}", 200), ("PATCH", "/c/z?currentDocument.exists=true", "{}", 404),
      ("DELETE", "/c/a", "", 200),
      ("DELETE", "/c/z?current_document.exists=true", "", 404),
      ("POST", ":batchGet", #"{"documents":["\#(documents)/c/a"]}"#, 200),
      ("POST", ":batchWrite", #"{"writes":[],"labels":{"a":"b"}}"#, 200), ("POST", ":commit", "", 200),
      ("POST", ":beginTransaction", "{}", 200), ("POST", ":rollback", #"{"transaction":"AAAA"}"#, 400),
      ("POST", ":runQuery", #"{"structuredQuery":{"from":[{"collectionId":"c"}]}}"#, 200),
      ("POST", "/c/a:runQuery", #"{"structured_query":{"from":[{"collection_id":"s"}]}}"#, 200),
      (
        "POST", ":runAggregationQuery",
        #"{"structuredAggregationQuery":{"structuredQuery":{"from":[{"collectionId":"c"}]},"#
          + #""aggregations":[{"count":{}}]}}"#,
        200
      ),
      ("POST", ":listCollectionIds", "{}", 200), ("POST", "/c/a:listCollectionIds", #"{"pageSize":5}"#, 200),
      (
        "POST", ":partitionQuery",
        #"{"structuredQuery":{"from":[{"collectionId":"c","allDescendants":true}]},"partitionCount":"4"}"#, 200
      ),
      ("POST", ":partitionQuery", #"{"structuredQuery":{"from":[{"collectionId":"c"}]}}"#, 400),
      ("POST", ":partitionQuery", #"{"structuredQuery":{"from":[{"collectionId":"_/"}]},"partitionCount":"4"}"#, 400),
      ("POST", ":partitionQuery", #"{"partitionCount":"4"}"#, 400), ("GET", "/c?recursive=true", "", 200),
      ("POST", ":listCollectionIds", #"{"readTime":"yesterday"}"#, 400),
      ("POST", ":listen", "{}", 501), ("POST", "/c/a", "{}", 400), ("PUT", "/c/a", "{}", 404), ("GET", "", "", 404),
    ])
  func routes(method: String, path: String, body: String, status: Int) {
    var caller = Self.caller()
    let answer = caller.call(method, Self.base + path, body)
    #expect(answer.status == status, "\(answer.body.text)")
  }

  @Test(
    "values round-trip",
    arguments: [
      #"{"nullValue":null}"#, #"{"booleanValue":false}"#, #"{"integerValue":"-9223372036854775808"}"#,
      #"{"doubleValue":1.5}"#, #"{"doubleValue":"NaN"}"#, #"{"doubleValue":"-Infinity"}"#, #"{"doubleValue":-0.0}"#,
      #"{"timestampValue":"2026-11-21T02:54:00.123456Z"}"#, #"{"stringValue":"é\n"}"#, #"{"bytesValue":"AP8="}"#,
      #"{"referenceValue":"projects/p/databases/d/documents/c/a"}"#,
      #"{"geoPointValue":{"latitude":-1.5,"longitude":2}}"#, #"{"arrayValue":{}}"#, #"{"mapValue":{}}"#,
      #"{"arrayValue":{"values":[{"integerValue":"1"},{"mapValue":{"fields":{"a b":{"nullValue":null}}}}]}}"#,
    ])
  func values(json: String) throws {
    var caller = Caller()
    let body = #"{"fields":{"f":\#(json)}}"#
    #expect(caller.call("PATCH", "\(Self.base)/c/v", body).status == 200)
    let answer = caller.call("GET", "\(Self.base)/c/v").body
    #expect(answer["fields"]?["f"]?.text == (try JSONValue(parsing: Array(json.utf8))).text)
  }

  @Test(
    "alternative spellings have the same value",
    arguments: [
      (#"{"nullValue":"NULL_VALUE"}"#, #"{"nullValue":null}"#), (#"{"null_value":0}"#, #"{"nullValue":null}"#),
      (#"{"integerValue":7}"#, #"{"integerValue":"7"}"#), (#"{"integer_value":"7"}"#, #"{"integerValue":"7"}"#),
      (#"{"doubleValue":2}"#, #"{"doubleValue":2}"#), (#"{"doubleValue":"2.5"}"#, #"{"doubleValue":2.5}"#),
      (#"{"bytesValue":"_-8"}"#, #"{"bytesValue":"/+8="}"#),
      (
        #"{"timestampValue":"2026-11-21T03:54:00.123456789+01:00"}"#,
        #"{"timestampValue":"2026-11-21T02:54:00.123456Z"}"#
      ),
      (#"{"geoPointValue":{"latitude":0}}"#, #"{"geoPointValue":{}}"#),
    ])
  func spellings(sent: String, stored: String) {
    var caller = Caller()
    let answer = caller.call("PATCH", "\(Self.base)/c/v", #"{"fields":{"f":\#(sent)}}"#)
    #expect(answer.body["fields"]?["f"]?.text == stored)
  }

  @Test(
    "invalid bodies and queries are rejected",
    arguments: [
      ("PATCH", "/c/a", #"{"fields":{"f":{}}}"#), ("PATCH", "/c/a", #"{"fields":{"f":{"integerValue":"1.5"}}}"#),
      ("PATCH", "/c/a", #"{"fields":{"f":{"stringValue":"a","integerValue":"1"}}}"#),
      ("PATCH", "/c/a", #"{"fields":{"f":{"otherValue":1}}}"#), ("PATCH", "/c/a", #"{"feilds":{}}"#),
      ("PATCH", "/c/a", #"{"fields":{"f":{"doubleValue":"infinity"}}}"#), ("PATCH", "/c/a", "["),
      ("PATCH", "/c/a", #"{"fields":{"f":{"bytesValue":"*"}}}"#),
      ("PATCH", "/c/a", #"{"fields":{"f":{"referenceValue":"c/a"}}}"#),
      ("PATCH", "/c/a", #"{"fields":{"f":{"timestampValue":"yesterday"}}}"#),
      ("PATCH", "/c/a?updateMask.fieldPaths=a-b", "{}"), ("PATCH", "/c/a?update_mask=a", "{}"),
      ("PATCH", "/c/a?currentDocument.exists=maybe", "{}"), ("GET", "/c/a?colour=red", ""),
      ("GET", "/c?pageSize=-1", ""), ("GET", "/c?showMissing=true&orderBy=a", ""), ("GET", "/c/__a__", ""),
      ("POST", ":commit", #"{"writes":[{}]}"#), ("POST", ":commit", #"{"writes":[{"delete":"c/a"}]}"#),
      ("POST", ":commit", #"{"writes":[{"updateMask":{},"delete":"\#(documents)/c/a"}]}"#),
      ("POST", ":commit", #"{"writes":[{"update":{"name":"\#(documents)/c/a"},"updateMask":{"fieldPath":[]}}]}"#),
    ])
  func refusals(method: String, path: String, body: String) throws {
    var caller = Self.caller()
    let answer = caller.call(method, Self.base + path, body)
    #expect(answer.status == 400, "\(answer.body.text)")
    #expect(try #require(answer.error).status == "INVALID_ARGUMENT")
  }

  @Test("repeated masks and preconditions in a query")
  func masks() {
    var caller = Caller()
    let body = #"{"fields":{"a":{"integerValue":1},"b,c":{"integerValue":2},"d":{"integerValue":3}}}"#
    let mask = "updateMask.fieldPaths=a&updateMask.fieldPaths=%60b%2Cc%60&mask.fieldPaths=%60b%2Cc%60"
    var answer = caller.call("PATCH", "\(Self.base)/c/m?\(mask)&currentDocument.exists=false", body)
    #expect(answer.body["fields"]?.text == #"{"b,c":{"integerValue":"2"}}"#)
    let time = answer.body["updateTime"]?.string ?? ""
    answer = caller.call("GET", "\(Self.base)/c/m?mask.field_paths=a&mask.field_paths=d")
    #expect(answer.body["fields"]?.text == #"{"a":{"integerValue":"1"}}"#)
    #expect(caller.call("PATCH", "\(Self.base)/c/m?currentDocument.updateTime=\(time)", "{}").status == 200)
    answer = caller.call("PATCH", "\(Self.base)/c/m?currentDocument.updateTime=\(time)", body)
    #expect(answer.error?.status == "FAILED_PRECONDITION")
    #expect(caller.call("GET", "\(Self.base)/c/m").body["fields"] == nil)
  }

  @Test("queries accept enums by name and number, and respond and fail in arrays")
  func queries() {
    var caller = Self.caller()
    for (relation, direction, composite) in [("\"EQUAL\"", "\"DESCENDING\"", "\"AND\""), ("5", "2", "1")] {
      let filter = #"{"fieldFilter":{"field":{"fieldPath":"x"},"op":\#(relation),"value":{"integerValue":1}}}"#
      let query =
        #"{"from":[{"collectionId":"c"}],"where":{"compositeFilter":{"op":\#(composite),"filters":[\#(filter)]}},"#
        + #""orderBy":[{"field":{"fieldPath":"x"},"direction":\#(direction)}],"limit":5}"#
      let answer = caller.call("POST", "\(Self.base):runQuery", #"{"structuredQuery":\#(query)}"#)
      #expect(answer.body.array?.count == 1)
      #expect(answer.body.array?.first?["document"]?["name"]?.string == "\(Self.documents)/c/a")
      #expect(answer.body.array?.first?["readTime"]?.string != nil)
    }
    let empty = caller.call("POST", "\(Self.base):runQuery", #"{"structuredQuery":{"from":[{"collectionId":"q"}]}}"#)
    #expect(empty.body.array?.count == 1)
    #expect(empty.body.array?.first?.object?.keys.sorted() == ["readTime"])
    let refused = caller.call("POST", "\(Self.base):runQuery", #"{"structuredQuery":{"form":[]}}"#)
    #expect(refused.status == 400)
    #expect(
      refused.body.array?.first?["error"]?["message"]?.string
        == "Invalid JSON payload received. Unknown name \"form\" at 'structured_query': Cannot find field.")
  }

  @Test("IDs may contain colons, and percent-encoding is decoded")
  func ids() {
    var caller = Caller()
    #expect(caller.call("PATCH", "\(Self.base)/c/a:b%3Ac%20%C3%A9", "{}").status == 200)
    #expect(caller.call("GET", "\(Self.base)/c/a:b:c%20é").body["name"]?.string == "\(Self.documents)/c/a:b:c é")
    let verb = caller.call("POST", "\(Self.base)/c/a:b:c%20é%3AlistCollectionIds", "{}")
    #expect(verb.status == 200)
  }

  @Test("a batch reports the status of each write, and a conflict is 409 with the measured message")
  func writes() {
    var caller = Self.caller()
    let begin = caller.call("POST", "\(Self.base):beginTransaction", #"{"options":{"readWrite":{}}}"#)
    let transaction = begin.body["transaction"]?.string ?? ""
    let encoded = String(transaction.flatMap { $0 == "+" ? "%2B" : $0 == "/" ? "%2F" : "\($0)" })
    #expect(caller.call("GET", "\(Self.base)/c/a?transaction=\(encoded)").status == 200)
    let update = #"{"update":{"name":"\#(Self.documents)/c/a"},"currentDocument":{"exists":%}}"#
    let (yes, no) = (
      update.split(separator: "%").joined(separator: "true"), update.split(separator: "%").joined(separator: "false")
    )
    let batch = caller.call("POST", "\(Self.base):batchWrite", #"{"writes":[\#(no)]}"#)
    #expect(batch.body["status"]?.array?.first?["code"] == 6)
    #expect(caller.call("POST", "\(Self.base):batchWrite", #"{"writes":[\#(yes)]}"#).body["status"] == [.object([:])])
    let commit = caller.call(
      "POST", "\(Self.base):commit", #"{"transaction":"\#(transaction)","writes":[\#(yes)]}"#)
    #expect(commit.status == 409)
    #expect(commit.error?.status == "ABORTED")
    #expect(commit.error?.message == "Too much contention on these documents. Please try again.")
  }

  @Test("a database is emptied by the official emulator's method")
  func clearing() {
    var caller = Self.caller()
    #expect(caller.call("DELETE", "/emulator\(Self.base)").status == 200)
    #expect(caller.call("GET", "\(Self.base)/c/a").status == 404)
  }

  @Test(
    "the error of a streaming method is an array element",
    arguments: ["batchGet", "executePipeline", "listen", "runAggregationQuery", "runQuery", "write"])
  func streams(verb: String) {
    var caller = Self.caller()
    let answer = caller.call("POST", "\(Self.base):\(verb)", #"{"documents":[""]}"#)
    #expect(answer.status >= 400)
    #expect(answer.body.array?.map { $0["error"]?["code"]?.integer } == [Int64(answer.status)])
  }

  @Test(
    "the administration of databases is reported as unsupported",
    arguments: [
      "databases", "databases:clone", "databases/d", "databases/d:exportDocuments", "databases/d/operations/o",
      "databases/d/collectionGroups/c/indexes", "locations/l/backups",
    ])
  func administration(path: String) {
    var caller = Self.caller()
    let answer = caller.call("POST", "/v1/projects/p/\(path)", "{}")
    #expect(answer.status == 501)
    #expect(answer.error?.status == "UNIMPLEMENTED")
  }
}
