import CloudJobsCore

/// Base64 in the standard alphabet, written without the code under test.
func base64(_ text: String) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  let bytes = Array(text.utf8)
  var result = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = (0..<3).map { start + $0 < bytes.count ? Int(bytes[start + $0]) : 0 }
    let bits = group[0] << 16 | group[1] << 8 | group[2]
    for index in 0..<4 {
      result.append(start + index <= bytes.count ? alphabet[bits >> (18 - 6 * index) & 63] : "=")
    }
  }
  return result
}

/// The body of a Pub/Sub push.
func push(_ data: String?, attributes: String = "{}", id: String = "\"136\"") -> String {
  let member = data.map { "\"data\":\"\(base64($0))\"," } ?? ""
  return "{\"message\":{\(member)\"attributes\":\(attributes),\"messageId\":\(id),\"message_id\":\(id),"
    + "\"publishTime\":\"2026-11-21T02:54:00Z\"},\"subscription\":\"projects/p/subscriptions/s\",\"deliveryAttempt\":5}"
}

/// A structured CloudEvent.
func event(_ members: String, type: String = "com.example.done") -> String {
  "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//shop/orders\",\"type\":\"\(type)\"\(members)}"
}

/// The headers of a binary CloudEvent.
func eventHeaders(_ changes: [String: String?] = [:]) -> EnvelopeHeaders {
  var fields = [
    "ce-specversion": "1.0", "ce-id": "7", "ce-source": "//shop/orders", "ce-type": "com.example.done",
    "Content-Type": "application/json",
  ]
  for (name, value) in changes { fields[name] = value }
  return EnvelopeHeaders(fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
}

/// The type of event by which Eventarc delivers Pub/Sub messages.
let publishedType = "google.cloud.pubsub.topic.v1.messagePublished"
