#if HTTP
import Testing

/// The suites that talk to a real server, one test after the other, so that what they time is not each other.
@Suite("HTTP client, live", .serialized)
enum LiveSuite {}
#endif
