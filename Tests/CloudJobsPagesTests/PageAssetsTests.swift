#if Server
import CloudJobsCore
@testable import CloudJobsPages
import HTTPTypes
import Testing

@Suite("PageAssetsTests")
struct PageAssetsTests {
  @Test("A file is kept under the path of its version, and served under an earlier one without being kept")
  func versions() throws {
    let shell = PageShell(product: "Jobs", title: "Overview", base: "/dashboard", links: [], now: .distantPast)
    let segments = shell.style.split(separator: "/").dropFirst().map { String($0) }
    let current = try #require(PageAssets.response(to: segments))
    #expect(current.fields[.cacheControl] == "public, max-age=31536000, immutable")
    #expect(current.body == PageAssets.style.content)
    let earlier = try #require(PageAssets.response(to: ["assets", "000000000000", "style.css"]))
    #expect(earlier.fields[.cacheControl] == "no-store")
    #expect(PageAssets.response(to: ["assets", "000000000000", "../Package.swift"]) == nil)
  }
}
#endif
