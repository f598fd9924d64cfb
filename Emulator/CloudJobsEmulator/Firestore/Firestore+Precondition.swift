public import CloudJobsCore

extension Firestore {
  /// What must hold of a document for a write to it.
  public enum Precondition: Hashable, Sendable {
    /// That it exists, or that it doesn't.
    case exists(Bool)
    /// That it exists and last changed at a time.
    case updateTime(Timestamp)

    /// Refuses a document of which this does not hold.
    ///
    /// - Parameters:
    ///   - name: the document's name.
    ///   - document: the document, or nil where it is missing.
    /// - Throws: ``ServiceFault`` `alreadyExists`, `notFound` or `failedPrecondition`.
    func check(_ name: Name, _ document: Document?) throws(ServiceFault) {
      switch (self, document) {
      case (.exists(true), nil), (.updateTime, nil): throw ServiceFault(.notFound, "No document to update: \(name)")
      case (.exists(false), _?): throw ServiceFault(.alreadyExists, "Document already exists: \(name)")
      case (.updateTime(let required), let document?) where document.updateTime != required:
        throw ServiceFault(
          .failedPrecondition,
          "the stored version (\(document.updateTime.microseconds)) does not match the required base version "
            + "(\(required.microseconds))")
      default: break
      }
    }
  }
}
