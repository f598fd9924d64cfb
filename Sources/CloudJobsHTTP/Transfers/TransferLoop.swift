#if HTTP
/// The loop of the I/O thread, which owns the multi handle, all easy handles and all transfers.
///
/// It is created and used on that thread only, so it needs no lock.
final class TransferLoop {
  private let mailbox: TransferMailbox
  private let options: CurlHTTPClient.Options
  private let multi: CurlMulti
  private var queue: TransferQueue
  private var deadlines = DeadlineHeap()
  /// The waiting requests, by id.
  private var waiting: [UInt64: TransferSubmission] = [:]
  /// The transfers in progress, by id.
  private var active: [UInt64: Transfer] = [:]
  /// The unused easy handles.
  private var idle: [CurlEasy] = []
  private var ended: [(id: UInt64, outcome: TransferMailbox.Outcome)] = []

  /// The maximum number of unused easy handles.
  private static let maxIdle = 64
  /// The poll timeout in milliseconds while idle; a message ends it early.
  private static let longestSleep = 60_000

  /// Starts the thread; if that fails, every request fails with the reason.
  static func start(mailbox: TransferMailbox, options: CurlHTTPClient.Options) {
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

  private init(mailbox: TransferMailbox, options: CurlHTTPClient.Options, multi: CurlMulti) {
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

  /// Removes a cancelled request; its caller has already been answered.
  private func abort(_ id: UInt64) {
    if let submission = waiting.removeValue(forKey: id) {
      queue.remove(id, host: submission.request.host)
    } else if let transfer = active[id] {
      release(transfer)
    }
  }

  /// Fails requests that waited until their deadline; libcurl times out those in progress.
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

  /// Collects finished transfers.
  private func reap() {
    while let (easy, code) = multi.nextDone() {
      guard let transfer = easy.flatMap({ active[$0] }) else { continue }
      ended.append((transfer.id, transfer.outcome(code)))
      release(transfer, isReusable: code.isSuccess)
    }
  }

  /// Removes a transfer; only a handle whose transfer succeeded is reused.
  ///
  /// In libcurl 7.88, after a failed name resolution a handle rejects all later transfers with a bad argument, even
  /// after a reset.
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
