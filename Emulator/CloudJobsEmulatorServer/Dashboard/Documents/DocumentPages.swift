#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The browser of Firestore: `documents`, and `documents/P/D/…` with the IDs of collections and documents.
struct DocumentPages: EmulatorPages {
  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    let path = request.path
    if path.count == 1 { return request.isReading ? await databases() : nil }
    guard path.count >= 4 else { return nil }
    let database = Firestore.DatabaseName(project: path[1], database: path[2])
    let name = Firestore.Name(database, Firestore.Path(Array(path.dropFirst(3))))
    if !request.isReading {
      guard name.path.isDocument, request.form["action"] == "delete" else { return nil }
      return try await delete(name)
    }
    if !name.path.isDocument { return await collection(name) }
    if request.query["confirm"] == "delete" {
      return context.confirmation(
        "Delete the document?",
        "The document \(BoundedText.cut(name.path.id, to: 100)) is deleted. Documents below it stay.",
        verb: "Delete the document", action: link(name).href, back: link(name).href)
    }
    return try await document(name)
  }

  /// Returns the link of the page of a collection or document.
  private func link(_ name: Firestore.Name) -> PageLink {
    context.link(["documents", name.database.project, name.database.database] + name.path.segments)
  }

  private func read<Result: Sendable>(_ body: @escaping @Sendable (FirestoreService) -> Result) async -> Result {
    let emulator = context.api.emulator
    return await context.api.firestore.run { emulator.withFirestore { firestore, _ in body(firestore) } }
  }

  private func databases() async -> PageResponse {
    let limit = EmulatorPageContext.rowLimit
    let (found, usage, total) = await read { firestore in
      let databases = firestore.databaseNames.prefix(limit).map { name in
        let root = Firestore.Name(name, .root)
        let collections = firestore.children(of: root, after: nil, limit: limit + 1).map { collection in
          (name: collection, count: firestore.documentCount(in: collection))
        }
        return (name: name, count: firestore.documentCount(in: name), collections: collections)
      }
      return (databases, firestore.usage, firestore.documentCount)
    }
    let view = DatabasesView(
      databases: found.map { database in
        DatabasesView.Database(
          databaseName: "\(database.name.project) · \(database.name.database)",
          documentCount: PageNumber.text(database.count, "document"),
          collections: database.collections.prefix(limit).map {
            CollectionRow(
              collectionID: BoundedText.cut($0.name.path.id, to: 100), collectionHref: link($0.name).href,
              collectionCount: PageNumber.text($0.count))
          }, hasMore: database.collections.count > limit)
      },
      total: PageNumber.text(total), reads: PageNumber.text(usage.reads), writes: PageNumber.text(usage.writes),
      deletes: PageNumber.text(usage.deletes))
    return context.page(view, "documents", title: "Documents")
  }

  private func collection(_ name: Firestore.Name) async -> PageResponse {
    let (limit, after) = (EmulatorPageContext.rowLimit, context.request.query["after"])
    let (children, count) = await read { firestore in
      let names = firestore.children(of: name, after: after, limit: limit + 1)
      return (names.map { ($0, firestore.currentDocument($0)) }, firestore.documentCount(in: name))
    }
    let rows = children.prefix(limit).map { child, document in
      DocumentRow(
        documentID: BoundedText.cut(child.path.id, to: 100), documentHref: link(child).href,
        summary: document.map { FieldText.summary($0.fields) } ?? "", isMissing: document == nil,
        updatedAt: context.time(document?.updateTime))
    }
    let last = children.count > limit ? children[limit - 1].0.path.id : nil
    let pager = PagePager(
      shown: "\(PageNumber.text(rows.count)) of \(PageNumber.text(count, "document"))",
      next: last.map { link(name).with("after", $0).href }, first: after == nil ? nil : link(name).href)
    let view = CollectionView(
      crumbs: crumbs(name), rows: Array(rows), pager: pager,
      fullName: BoundedText.cut("\(name)", to: 3_000))
    return context.page(view, "collection", title: BoundedText.cut(name.path.id, to: 100))
  }

  private func document(_ name: Firestore.Name) async throws(PageFault) -> PageResponse {
    let (limit, after) = (EmulatorPageContext.rowLimit, context.request.query["after"])
    let (document, collections) = await read { firestore in
      let names = firestore.children(of: name, after: after, limit: limit + 1)
      return (firestore.currentDocument(name), names.map { (name: $0, count: firestore.documentCount(in: $0)) })
    }
    guard document != nil || !collections.isEmpty || after != nil else {
      throw PageFault(.notFound, "There is no such document. It may have been deleted.")
    }
    let last = collections.count > limit ? collections[limit - 1].name.path.id : nil
    let pager = PagePager(
      shown: PageNumber.text(min(collections.count, limit), "collection"),
      next: last.map { link(name).with("after", $0).href }, first: after == nil ? nil : link(name).href)
    var budget = FieldText.limit
    let view = DocumentView(
      crumbs: crumbs(name), fullName: BoundedText.cut("\(name)", to: 3_000), isMissing: document == nil,
      createdAt: context.time(document?.createTime), updatedAt: context.time(document?.updateTime),
      fields: FieldText.rows(document?.fields ?? [:], &budget), isCut: budget <= 0,
      collections: collections.prefix(limit).map {
        CollectionRow(
          collectionID: BoundedText.cut($0.name.path.id, to: 100), collectionHref: link($0.name).href,
          collectionCount: PageNumber.text($0.count))
      }, pager: pager, deletePath: link(name).with("confirm", "delete").href)
    return context.page(view, "document", title: BoundedText.cut(name.path.id, to: 100))
  }

  private func delete(_ name: Firestore.Name) async throws(PageFault) -> PageResponse {
    try await context.call("DELETE", ["v1"] + "\(name)".split(separator: "/").map(String.init))
    return context.redirect(to: link(Firestore.Name(name.database, name.path.parent)), .deleted)
  }

  /// Returns the links to what a collection or document is in.
  private func crumbs(_ name: Firestore.Name) -> [PageTab] {
    var crumbs = [
      PageTab(
        tabLabel: "\(name.database.project) · \(name.database.database)", tabHref: context.link("documents").href,
        isChosen: false)
    ]
    for count in 1..<max(1, name.path.segments.count) {
      let parent = Firestore.Name(name.database, Firestore.Path(Array(name.path.segments.prefix(count))))
      crumbs.append(
        PageTab(
          tabLabel: BoundedText.cut(parent.path.id, to: 60), tabHref: link(parent).href, isChosen: false))
    }
    return crumbs
  }
}
#endif
