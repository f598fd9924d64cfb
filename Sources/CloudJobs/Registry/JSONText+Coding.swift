public import CloudJobsCore

extension JSONText {
  /// Decodes the text as a job's input or output is decoded: dates from ISO 8601, bytes from base64.
  ///
  /// - Parameter type: what the text should mean.
  /// - Returns: the value.
  /// - Throws: `DecodingError` where the text does not fit.
  public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try PayloadCoding.decode(type, from: self)
  }
}
