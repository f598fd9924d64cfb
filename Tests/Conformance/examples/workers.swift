func subscribe(fencedBy number: Int64) async throws {}
