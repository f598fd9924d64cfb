public import CloudJobsCore

extension Firestore.IndexConfiguration {
  /// Reads an index file, as the Firebase CLI deploys it.
  ///
  /// Its object has `indexes`, a list of `{collectionGroup, queryScope, fields: [{fieldPath, order | arrayConfig}]}`,
  /// and may have `fieldOverrides`, a list of `{collectionGroup, fieldPath, indexes: […]}` with indexes of the form
  /// `{queryScope, order | arrayConfig}`, where the path `*` stands for all fields. An index with a `vectorConfig` is
  /// left out, as it serves nothing but searches for neighbours. `apiScope`, `density`, `multikey` and `ttl` have no
  /// effect.
  ///
  /// Source: <https://firebase.google.com/docs/reference/firestore/indexes>.
  ///
  /// - Parameter text: the file's text.
  /// - Throws: ``JobError`` `invalidField` with the place in the file and the remedy; also `malformedJSON` and
  ///   `tooLarge`.
  public init(parsing text: String) throws(JobError) {
    self.init()
    let value = try JSONValue(parsing: Array(text.utf8), limits: .service)
    let file = try IndexFileObject(value, at: "", members: ["indexes", "fieldOverrides"])
    let known: Set = ["collectionGroup", "queryScope", "fields", "apiScope", "density", "multikey"]
    for index in try file.objects("indexes", members: known) {
      if let composite = try Self.composite(index) { composites.append(composite) }
    }
    guard file.has("fieldOverrides") else { return }
    for field in try file.objects("fieldOverrides", members: ["collectionGroup", "fieldPath", "indexes", "ttl"]) {
      let override = try Self.override(field)
      guard !overrides.contains(where: { ($0.collectionGroup, $0.path) == (override.collectionGroup, override.path) })
      else { throw field.refusal("Its field stands in the list twice. Make one of the two.") }
      overrides.append(override)
    }
  }

  private static func composite(_ index: IndexFileObject) throws(JobError) -> Firestore.Index? {
    var composite = Firestore.Index(try index.text("collectionGroup"), try index.scope(), [])
    let fields = try index.objects("fields", members: ["fieldPath", "order", "arrayConfig", "vectorConfig"])
    for field in fields where !field.has("vectorConfig") {
      composite.fields.append(.init(try field.path(), try field.mode()))
    }
    guard composite.fields.count == fields.count else { return nil }
    guard fields.count > 1 || composite.fields.first?.path.isDocumentName == true else {
      throw index.refusal(
        "A composite index has two fields or more. Move the index of one field to \"fieldOverrides\", or remove it: "
          + "those of a collection are there by themselves.")
    }
    return composite
  }

  private static func override(_ field: IndexFileObject) throws(JobError) -> Override {
    let collectionGroup = try field.text("collectionGroup")
    let path = try field.text("fieldPath") == "*" ? Firestore.FieldPath([]) : try field.path()
    var indexes: [Single] = []
    for index in try field.objects("indexes", members: ["queryScope", "order", "arrayConfig"]) {
      indexes.append(Single(try index.mode(), index.has("queryScope") ? try index.scope() : .collection))
    }
    return Override(collectionGroup, path, indexes)
  }
}
