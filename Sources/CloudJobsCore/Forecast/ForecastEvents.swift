/// What happens next on the walk of a forecast: events, and jobs that are due, each in the order of their times.
struct ForecastEvents {
  /// An event of the walk.
  struct Event: Comparable {
    enum Kind {
      /// Cloud Scheduler fires a job.
      case fire(Int)
      /// A run of a job is delivered.
      case delivery(Int, ForecastWalk.Attempt)
      /// An attempt of a job ends.
      case end(Int, ForecastWalk.Attempt)
      /// A task is delivered whose run may have been woken before.
      case retryOfWaiting(Int, ticket: Int)
    }

    var time: Timestamp
    var sequence: Int
    var kind: Kind

    static func < (left: Event, right: Event) -> Bool {
      (left.time, left.sequence) < (right.time, right.sequence)
    }

    static func == (left: Event, right: Event) -> Bool { left.sequence == right.sequence }
  }

  /// A job that is due at a time.
  struct DueTime: Comparable {
    var time: Timestamp
    var job: Int

    static func < (left: DueTime, right: DueTime) -> Bool { (left.time, left.job) < (right.time, right.job) }
  }

  private var events = MinimumHeap<Event>()
  private var due = MinimumHeap<DueTime>()
  private var lastNumber = 0

  /// The first event; of those at one time, that which was added first.
  var first: Event? { events.first }
  /// The job that is due first; a job that is looked at earlier or later since stays where it was added.
  var firstDue: DueTime? { due.first }

  /// Removes the first event.
  mutating func removeFirst() { events.removeFirst() }

  /// Removes the job that is due first.
  mutating func removeFirstDue() { due.removeFirst() }

  /// Adds an event.
  mutating func add(_ kind: Event.Kind, at time: Timestamp) {
    events.insert(Event(time: time, sequence: nextNumber(), kind: kind))
  }

  /// Adds a time at which a job is due.
  mutating func addDue(_ job: Int, at time: Timestamp) {
    due.insert(DueTime(time: time, job: job))
  }

  /// Returns a number that is greater than all before.
  mutating func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }
}
