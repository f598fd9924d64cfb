#if HTTP
/// The I/O thread's loop: it owns the multi handle, all easy handles and all transfers.
///
/// It is made and used on that thread alone, so that nothing here needs a lock.
final class TransferLoop {
  private let mailbox: TransferMailbox
  private let options: HTTPClientOptions
  private let multi: CurlMulti
  private var queue: TransferQueue
  private var deadlines = DeadlineHeap()
  /// What waits for its turn, by number.
  private var waiting: [UInt64: TransferSubmission] = [:]
  /// What is in progress, by number.
  private var active: [UInt64: Transfer] = [:]
  /// Easy handles without a transfer.
  private var idle: [CurlEasy] = []
  private var ended: [(id: UInt64, outcome: TransferMailbox.Outcome)] = []

  /// The most easy handles that are kept for later.
  private static let maxIdle = 64
  /// How long the thread sleeps when nothing is under way; a message wakes it.
  private static let longestSleep = 60_000

  /// Starts the thread; where the machine refuses, every request fails with the reason.
  static func start(mailbox: TransferMailbox, options: HTTPClientOptions) {
    let hasStarted = IOThread.start(stop: { mailbox.stop() }) {
      if let multi = CurlMulti(maxConnections: options.maxTotalConnections) {
        TransferLoop(mailbox: mailbox, options: options, multi: multi).run()
      } else {
        mailbox.close(with: .outOfResources("The HTTP library could not be initialised"))
      }
      mailbox.end()
    }
    if !hasStarted {
      mailbox.close(with: .outOfResources("The HTTP client's thread could not be started"))
      mailbox.end()
    }
  }

  private init(mailbox: TransferMailbox, options: HTTPClientOptions, multi: CurlMulti) {
    self.mailbox = mailbox
    self.options = options
    self.multi = multi
    queue = TransferQueue(maxPerHost: options.maxConnectionsPerHost, maxTotal: options.maxTotalConnections)
  }

  private func run() {
    mailbox.open(multi.wakeUp)
    while true {
      let mail = mailbox.take()
      if mail.mustStop { break }
      mail.submitted.forEach(admit)
      mail.cancelled.forEach(abort)
      expire()
      startReady()
      multi.perform()
      reap()
      if ended.isEmpty {
        multi.poll(milliseconds: sleep())
      } else {
        mailbox.finish(ended)
        ended.removeAll(keepingCapacity: true)
      }
    }
    mailbox.close(with: .shutDown)
    for transfer in active.values { multi.remove(transfer.easy) }
  }

  private func admit(_ submission: TransferSubmission) {
    waiting[submission.id] = submission
    queue.append(submission.id, host: submission.request.host)
    deadlines.insert(submission.id, at: submission.deadline)
  }

  /// Takes a cancelled request out, wherever it stands; its caller has been answered.
  private func abort(_ id: UInt64) {
    if let submission = waiting.removeValue(forKey: id) {
      queue.remove(id, host: submission.request.host)
    } else if let transfer = active[id] {
      release(transfer)
    }
  }

  /// Fails what has waited for its turn until its deadline; what is in progress, libcurl times out.
  private func expire() {
    guard deadlines.count > 0 else { return }
    deadlines.compact(live: waiting.count) { waiting[$0] != nil }
    let now = MonotonicTime.now()
    while let id = deadlines.takeExpired(at: now) {
      guard let submission = waiting.removeValue(forKey: id) else { continue }
      queue.remove(id, host: submission.request.host)
      ended.append((id, .failure(.timedOut(host: submission.request.host, native: nil))))
    }
  }

  private func startReady() {
    while let id = queue.next() {
      guard let submission = waiting.removeValue(forKey: id) else {
        preconditionFailure("the queue named a transfer that does not wait")
      }
      start(submission)
    }
  }

  private func start(_ submission: TransferSubmission) {
    let now = MonotonicTime.now()
    guard let easy = idle.popLast() ?? CurlEasy() else {
      queue.finish(host: submission.request.host)
      ended.append((submission.id, .failure(.outOfResources("A transfer could not be set up"))))
      return
    }
    let transfer = Transfer(submission, easy: easy, options: options)
    let limit = max(1, now.milliseconds(until: submission.deadline))
    let connectLimit = max(1, now.milliseconds(until: now.advanced(by: options.connectTimeout)))
    active[transfer.id] = transfer
    let code = easy.prepare(
      submission.request, for: transfer, options: options, timeout: limit, connectTimeout: min(limit, connectLimit))
    if let failure = code.isSuccess ? multi.add(easy) : code {
      ended.append((transfer.id, transfer.outcome(failure)))
      release(transfer)
    }
  }

  /// Collects the transfers that have ended.
  private func reap() {
    while let (easy, code) = multi.nextDone() {
      guard let transfer = easy.flatMap({ active[$0] }) else { continue }
      ended.append((transfer.id, transfer.outcome(code)))
      release(transfer, isReusable: code.isSuccess)
    }
  }

  /// Takes a transfer out; only a handle whose transfer went well serves another one.
  ///
  /// In libcurl 7.88 a handle whose name did not resolve refuses all later transfers with a bad argument, reset or not.
  private func release(_ transfer: Transfer, isReusable: Bool = false) {
    active[transfer.id] = nil
    queue.finish(host: transfer.host)
    multi.remove(transfer.easy)
    guard isReusable, idle.count < Self.maxIdle else { return }
    transfer.easy.reset()
    idle.append(transfer.easy)
  }

  private func sleep() -> Int {
    guard !waiting.isEmpty, let earliest = deadlines.earliest else { return Self.longestSleep }
    return min(Self.longestSleep, MonotonicTime.now().milliseconds(until: earliest))
  }
}
#endif
