/// What a field transform can take from the service; the raw value is that on the wire.
enum ServerValue: Int, CaseIterable {
  /// The time of the request.
  case requestTime = 1

  /// The name on the wire.
  var name: String { "REQUEST_TIME" }
}
