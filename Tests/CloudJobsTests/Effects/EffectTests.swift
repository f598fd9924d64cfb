import CloudJobs
import CloudJobsCore
import Testing

@Suite("Effects")
struct EffectTests {
  @Test(
    "An effect is performed once, and only by the attempt that holds the run",
    arguments: [
      (RunStatus.running, Int64(3), false, "perform"), (.running, 3, true, "repeat"), (.running, 2, false, "leaseLost"),
      (.running, 4, false, "leaseLost"), (.running, 4, true, "leaseLost"), (.scheduled, 3, false, "leaseLost"),
      (.pending, 3, false, "leaseLost"), (.succeeded, 3, true, "leaseLost"), (.failed, 3, false, "leaseLost"),
      (.cancelled, 3, false, "leaseLost"), (nil, nil, false, "notFound"), (nil, nil, true, "notFound"),
    ] as [(RunStatus?, Int64?, Bool, String)])
  func decisions(status: RunStatus?, fence: Int64?, isPerformed: Bool, expected: String) {
    let state = EffectState(status: status, fence: fence, isPerformed: isPerformed)
    do throws(JobError) {
      let isAllowed = try state.allows(holding: 3)
      #expect(expected == (isAllowed ? "perform" : "repeat"))
    } catch {
      #expect(error.code.rawValue == expected)
    }
  }

  @Test(
    "Names have 1 to 200 bytes without control characters",
    arguments: [
      ("a", true), ("übertrag 1/2", true), (String(repeating: "x", count: 200), true), ("", false), ("a\nb", false),
      (String(repeating: "x", count: 201), false), ("\u{7F}", false), ("a\0", false),
    ])
  func names(name: String, isValid: Bool) {
    let isAccepted = (try? EffectName.check(name)) != nil
    #expect(isAccepted == isValid)
  }
}
