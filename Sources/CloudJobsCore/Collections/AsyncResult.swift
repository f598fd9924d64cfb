extension Result where Success: Sendable {
  /// Creates the result of work that takes time, as `init(catching:)` does for work that does not.
  ///
  /// - Parameter work: the work.
  package init(awaiting work: () async throws(Failure) -> Success) async {
    do throws(Failure) {
      self = .success(try await work())
    } catch {
      self = .failure(error)
    }
  }
}
