import ArgumentParser

extension CompletionKind {
  /// The names of time zones, as the machine has them.
  static var zones: CompletionKind { .shellCommand("(cd /usr/share/zoneinfo && find [A-Z]* -type f) 2>/dev/null") }
}
