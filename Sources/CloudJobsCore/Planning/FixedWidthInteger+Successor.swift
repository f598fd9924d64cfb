extension FixedWidthInteger {
  /// The next number; the largest stays, so that no count read from a document can stop the program.
  package var successor: Self { self == .max ? self : self + 1 }
}
