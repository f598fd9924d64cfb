extension JobError {
  /// The error with the field that it concerns.
  func located(at field: String) -> JobError {
    var error = self
    error.field = field
    return error
  }
}
