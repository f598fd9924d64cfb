#if Server
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import Testing

@Suite("PageTemplatesTests")
struct PageTemplatesTests {
  private struct View: Sendable {
    var value: String
  }

  @Test(
    "A value can't leave an element or an attribute, whatever follows its quotation marks",
    arguments: [
      "<script>alert(1)</script>", "\" onmouseover=\"alert(1)", "' autofocus onfocus='alert(1)",
      // A combining mark makes one character of itself and of what it follows.
      "\"\u{301} onmouseover=alert(1) x=\"\u{301}", "<\u{301}img src=x onerror=alert(1)>",
      "\"\u{200D}><svg onload=alert(1)>",
      "{{value}}", "{{{value}}}", "\u{0}<b>", "\u{202E}txet", "]]><x>", "&lt;b&gt;", "`onload=alert(1)`", "--><x>",
    ])
  func escaping(value: String) {
    let templates = PageTemplates([
      "page": Array("{{<layout}}{{$main}}<i title=\"{{page.value}}\">{{page.value}}</i>{{/main}}{{/layout}}".utf8)
    ])
    var shell = PageShell(product: value, title: value, base: "/d", links: [], now: .distantPast)
    shell.message = PageShell.Message(value)
    shell.user = value
    shell.footer = value
    let text = String(decoding: templates.render(View(value: value), as: "page", in: shell), as: UTF8.self)
    let escaped = PageText.escaped(value)
    #expect(text.contains("<i title=\"\(escaped)\">\(escaped)</i>"))
    for scalar in ["<", ">", "\"", "'", "`", "\u{0}", "\u{202E}"] as [Unicode.Scalar] {
      #expect(!escaped.unicodeScalars.contains(scalar))
    }
    let empty = PageShell(product: "", title: "", base: "/d", links: [], now: .distantPast)
    let plain = String(decoding: templates.render(View(value: ""), as: "page", in: empty), as: UTF8.self)
    // As many tags as without the value, but for those of the message and the user.
    #expect(text.unicodeScalars.filter { $0 == "<" }.count == plain.unicodeScalars.filter { $0 == "<" }.count + 4)
  }
}

@Suite("PageGuardTests")
struct PageGuardTests {
  private static func request(
    _ method: HTTPRequest.Method, host: String = "jobs.example", _ fields: [(String, String)] = []
  ) -> HTTPRequest {
    var request = HTTPRequest(method: method, scheme: nil, authority: host, path: "/dashboard")
    for (name, value) in fields {
      if let name = HTTPField.Name(name) { request.headerFields.append(HTTPField(name: name, value: value)) }
    }
    return request
  }

  private static let form = ("Content-Type", "application/x-www-form-urlencoded")

  @Test(
    "A change is accepted from the dashboard's own pages only",
    arguments: [
      ([("Sec-Fetch-Site", "same-origin"), form], true),
      ([("Sec-Fetch-Site", "same-origin"), form, ("Origin", "https://jobs.example")], true),
      (
        [("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")], true
      ),
      ([form], false),
      ([("Sec-Fetch-Site", "same-site"), form], false),
      ([("Sec-Fetch-Site", "cross-site"), form], false),
      ([("Sec-Fetch-Site", "none"), form], false),
      ([("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site"), form], false),
      ([("Sec-Fetch-Site", "same-origin"), form, ("Origin", "https://evil.example")], false),
      ([("Sec-Fetch-Site", "same-origin"), form, ("Origin", "null")], false),
      ([("Sec-Fetch-Site", "same-origin"), ("Content-Type", "text/plain")], false),
      ([("Sec-Fetch-Site", "same-origin")], false),
    ] as [([(String, String)], Bool)])
  func writes(fields: [(String, String)], isAccepted: Bool) {
    let refusal = PageGuard(hosts: ["jobs.example"]).refusal(of: Self.request(.post, fields))
    #expect((refusal == nil) == isAccepted, "\(refusal ?? "accepted")")
  }

  @Test(
    "A name is accepted if it is this machine's or in the list",
    arguments: [
      ("jobs.example", true), ("JOBS.example:8443", true), ("localhost:8080", true), ("127.0.0.1", true),
      ("[::1]:8080", true), ("evil.example", false), ("jobs.example.evil.example", false), ("", false),
      ("localhost.evil.example", false), ("169.254.169.254", false),
    ])
  func hosts(host: String, isAccepted: Bool) {
    let refusal = PageGuard(hosts: ["jobs.example"]).refusal(of: Self.request(.get, host: host))
    #expect((refusal == nil) == isAccepted, "\(refusal ?? "accepted")")
  }
}

@Suite("PageTextTests")
struct PageTextTests {
  @Test(
    "A duration is shown in two units at most",
    arguments: [
      (Duration.zero, "0 s"), (.microseconds(12), "12 µs"), (.milliseconds(340), "340 ms"), (.seconds(1), "1 s"),
      (.milliseconds(1_250), "1.2 s"), (.seconds(61), "1 min 1 s"), (.seconds(7_200), "2 h"),
      (.seconds(200_000), "2 d 7 h"), (.seconds(-5), "−5 s"),
    ])
  func durations(duration: Duration, text: String) {
    #expect(PageNumber.text(duration) == text)
  }

  @Test(
    "A part is rounded half up to whole percent, and only none and all are 0 % and 100 %",
    arguments: [
      (0, 0, "–"), (0, 1, "0 %"), (1, 1, "100 %"), (7, 7, "100 %"), (1, 3, "33 %"), (2, 3, "67 %"), (1, 8, "13 %"),
      (23, 40, "58 %"), (249, 10_000, "2 %"), (250, 10_000, "3 %"), (1, 1_000, "< 1 %"), (49, 10_000, "< 1 %"),
      (50, 10_000, "1 %"), (149, 10_000, "1 %"), (150, 10_000, "2 %"), (9_949, 10_000, "99 %"),
      (9_950, 10_000, "> 99 %"), (999_999_999, 1_000_000_000, "> 99 %"), (1, 1_000_000_000_000, "< 1 %"),
    ])
  func percentages(part: Int, whole: Int, text: String) {
    #expect(PageNumber.percent(part, of: whole) == text)
  }

  @Test(
    "A number of percent is shown by the same rule",
    arguments: [
      (-1.0, "0 %"), (0, "0 %"), (.nan, "0 %"), (0.000_1, "< 1 %"), (0.5, "1 %"), (1.5, "2 %"), (62.5, "63 %"),
      (99.49, "99 %"), (99.999_999_99, "> 99 %"), (100, "100 %"), (250, "100 %"), (.infinity, "100 %"),
    ] as [(Double, String)])
  func percents(percent: Double, text: String) {
    #expect(PageNumber.percent(percent) == text)
  }

  @Test(
    "A long text is cut by its Unicode scalars, and in one line by its line ends too",
    arguments: [
      ("", "", ""), ("abcde", "abcde", "abcde"), ("abcdef", "abcde…", "abcde…"), ("äöüßé", "äöüßé", "äöüßé"),
      ("äöüßéà", "äöüßé…", "äöüßé…"), ("a\nb\r\nc", "a\nb\r\n…", "a b c"),
      ("e\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}\u{301}…", "e\u{301}\u{301}\u{301}\u{301}…"),
      ("👩‍👩‍👧", "👩‍👩‍👧", "👩‍👩‍👧"), ("a\n\nb", "a\n\nb", "a b"),
    ])
  func cuts(text: String, cut: String, line: String) {
    #expect(BoundedText.cut(text, to: 5) == cut)
    #expect(BoundedText.line(text, to: 5) == line)
  }

  @Test(
    "Numbers are shown with their thousands apart",
    arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "−1,234,567")])
  func numbers(number: Int, text: String) {
    #expect(PageNumber.text(number) == text)
  }

  @Test(
    "Times in a sentence are shown as pages show them, and other words as they are",
    arguments: [
      ("open until 2026-11-28T03:54:53.832478Z: failed.", "open until 2026-11-28 03:54:53 UTC: failed."),
      ("It is due at 2026-11-28T03:54:53Z.", "It is due at 2026-11-28 03:54:53 UTC."),
      ("Zone Z  and 2026-11-28T99:54:53Z", "Zone Z  and 2026-11-28T99:54:53Z"), ("", ""),
    ])
  func sentences(text: String, shown: String) {
    #expect(PageTime.readable(text) == shown)
  }

  @Test("The fields of a form are decoded, and its line ends are one character")
  func fields() {
    let fields = PageFields("job=a%2Fb+c&empty=&id=1&id=2&text=one%0D%0Atwo")
    #expect(fields["job"] == "a/b c")
    #expect(fields["empty"] == nil && fields.contains("empty"))
    #expect(fields.all("id") == ["1", "2"])
    #expect(fields.text("text") == "one\ntwo")
  }

  @Test("A link's segments and parameters are encoded")
  func links() {
    let link = PageLink("/dashboard", "jobs", "a/b?c").with("q", "x&y=z").with("none", nil)
    #expect(link.href == "/dashboard/jobs/a%2Fb%3Fc?q=x%26y%3Dz")
    let request = PageRequest(.get, target: link.href, under: "/dashboard")
    #expect(request?.path == ["jobs", "a/b?c"] && request?.query["q"] == "x&y=z")
    #expect(PageRequest(.get, target: "/dashboards", under: "/dashboard") == nil)
  }
}
#endif
