/// A run's identifier: 64 lower-case hexadecimal digits, the SHA-256 hash of the job and the occurrence.
///
/// The same occurrence has the same run id on every instance and in every store, which is why one occurrence is one
/// run. A run id is also a valid Cloud Tasks task id with an evenly distributed prefix, as that service recommends
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>).
public struct RunID: Hashable, Sendable {
  // The 32 bytes as four words, the first byte the highest: ids are copied, hashed and compared all the time.
  private let words: Words

  fileprivate struct Words: Hashable, Sendable {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var third: UInt64 = 0
    var fourth: UInt64 = 0
  }

  /// Creates the run id of an occurrence of a job.
  public init(job: JobID, occurrence: Occurrence) {
    var hash = SHA256()
    hash.update("cloud-jobs/1\n\(job.rawValue)\n\(occurrence.canonicalText)".utf8)
    words = Self.words(of: hash.finalize())
  }

  /// Creates a run id from text.
  ///
  /// - Parameter text: 64 lower-case hexadecimal digits.
  /// - Throws: ``JobError`` `invalidField` if the text is anything else.
  public init(_ text: String) throws(JobError) {
    guard let words = Self.words(ofDigits: text.utf8) else {
      throw JobError(.invalidField, "A run id has 64 lower-case hexadecimal digits.", field: "runId")
    }
    self.words = words
  }

  /// Creates a run id from its 32 bytes; nil for any other number of bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    words = Self.words(of: bytes)
  }

  /// The hexadecimal digits.
  public var rawValue: String {
    String(unsafeUninitializedCapacity: 64) { digits in
      var place = 0
      for word in [words.first, words.second, words.third, words.fourth] {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
          let digit = UInt8(truncatingIfNeeded: word >> shift) & 15
          digits[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
          place += 1
        }
      }
      return 64
    }
  }

  /// The 32 bytes of the digits.
  package var bytes: [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(32)
    for word in [words.first, words.second, words.third, words.fourth] {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private static func words(of bytes: some Sequence<UInt8>) -> Words {
    var words = Words()
    for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
    return words
  }

  private static func words(ofDigits digits: String.UTF8View) -> Words? {
    var (words, count) = (Words(), 0)
    for digit in digits {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      if count == 64 { return nil }
      words[count / 16] = words[count / 16] << 4 | UInt64(value)
      count += 1
    }
    return count == 64 ? words : nil
  }
}

extension RunID.Words {
  fileprivate subscript(_ index: Int) -> UInt64 {
    get { index == 0 ? first : index == 1 ? second : index == 2 ? third : fourth }
    set {
      switch index {
      case 0: first = newValue
      case 1: second = newValue
      case 2: third = newValue
      default: fourth = newValue
      }
    }
  }
}

extension RunID: Comparable {
  /// Alphabetical order.
  public static func < (left: RunID, right: RunID) -> Bool {
    let (left, right) = (left.words, right.words)
    return (left.first, left.second, left.third, left.fourth) < (right.first, right.second, right.third, right.fourth)
  }
}

extension RunID: CustomStringConvertible {
  /// The digits.
  public var description: String { rawValue }
}
