extension Firestore {
  /// A change of one document.
  public struct Write: Equatable, Sendable {
    /// What to do with the document.
    public enum Operation: Equatable, Sendable {
      /// Sets its fields: all of them without a mask; with one, those that the mask names, where a field that the mask
      /// names and that has no value here is deleted.
      case update(fields: [String: Value], mask: [FieldPath]?)
      /// Only transforms it.
      case transform
      /// Deletes it.
      case delete
    }

    /// The document.
    public var name: Name
    /// What to do with it.
    public var operation: Operation
    /// What to compute on the service afterwards.
    public var transforms: [FieldTransform]
    /// What must hold of the document.
    public var precondition: Precondition?

    /// A change of a document.
    public init(
      _ name: Name, _ operation: Operation, transforms: [FieldTransform] = [], precondition: Precondition? = nil
    ) {
      self.name = name
      self.operation = operation
      self.transforms = transforms
      self.precondition = precondition
    }

    /// Whether the document is deleted.
    var isDeletion: Bool { operation == .delete }
  }
}
