import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire

/// A command line over the messages of Google's services, for comparing them with the official protobuf library.
///
/// Each input line, `type⇥json⇥TEXT` or `type⇥wire⇥HEX`, produces one output line with both forms, `HEX⇥TEXT`, or
/// `error⇥message`. `--mutate <count> <seed>` reads such lines too, changes the bytes of their messages at random,
/// reads the changed ones, and prints how many were read and how many refused.
@main
enum WireCLI {
  static func main() {
    let arguments = CommandLine.arguments
    if arguments.count == 4, arguments[1] == "--mutate", let count = Int(arguments[2]), let seed = UInt64(arguments[3])
    {
      mutate(count, seed)
      return
    }
    while let line = readLine() {
      do {
        let message = try message(line)
        print("\(hex(ProtobufWriter.bytes(message)))\t\(JSONMessageWriter().json(message).text)")
      } catch {
        print("error\t\(error.message.replacing("\n", with: " | "))")
      }
    }
  }

  private static func message(_ line: String) throws(ServiceFault) -> Message {
    let parts = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 3, let index = Schema.google.index(ofMessage: parts[0]) else {
      throw .invalidArgument("Expected a type of the schema, json or wire, and a message, with tabs between them.")
    }
    if parts[1] == "wire" { return try ProtobufReader.read(bytes(parts[2]), of: index, in: .google) }
    do throws(JobError) {
      let json = try JSONValue(parsing: Array(parts[2].utf8), limits: .service)
      return try read(json, index)
    } catch {
      throw .invalidArgument(error.message)
    }
  }

  private static func read(_ json: JSONValue, _ index: Int) throws(JobError) -> Message {
    do throws(ServiceFault) {
      return try JSONMessageReader.read(json, into: Message(of: index, in: .google))
    } catch {
      throw JobError(.invalidField, error.message)
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func mutate(_ count: Int, _ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var messages: [(index: Int, bytes: [UInt8])] = []
    while let line = readLine() {
      guard let message = try? message(line), let index = Schema.google.index(ofMessage: message.type.name) else {
        continue
      }
      messages.append((index, ProtobufWriter.bytes(message)))
    }
    var (read, refused) = (0, 0)
    for _ in 0..<count {
      let message = messages[Int.random(in: 0..<messages.count, using: &random)]
      let changed = changed(message.bytes, &random)
      do throws(ServiceFault) {
        let copy = try ProtobufReader.read(changed, of: message.index, in: .google)
        _ = JSONMessageWriter().json(copy)
        let again = try ProtobufReader.read(ProtobufWriter.bytes(copy), of: message.index, in: .google)
        // NaN is the only value that differs from itself.
        guard again == copy || "\(copy)".contains("nan") else { return print("error\tnot the same after writing") }
        read += 1
      } catch {
        guard error.code == .internal, error.message.contains(" at byte "), error.message.contains(", in ") else {
          return print("error\t\(error)")
        }
        refused += 1
      }
    }
    print("\(read)\t\(refused)")
  }

  private static func changed(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var changed = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0...changed.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0 where place < changed.count: changed[place] = UInt8.random(in: 0...255, using: &random)
      case 1 where place < changed.count: changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2 where place < changed.count: changed.remove(at: place)
      case 3: changed.removeSubrange(place...)
      default: changed.insert(UInt8.random(in: 0...255, using: &random), at: place)
      }
    }
    return changed
  }
}
