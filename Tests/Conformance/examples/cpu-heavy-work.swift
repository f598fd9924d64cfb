struct Thumbnail: JobInput {
  static let jobID: JobID = "thumbnail"
  var tiles: [Int]
}

struct Video: Codable, Sendable {}

func render(_ tile: Int) -> [UInt8] { given() }
func store(_ image: [UInt8]) async throws {}
func transcode(_ video: Video) throws {}
var project: String { given() }
var region: String { given() }
