/// A member of an object: its name, and where the text of its value lies.
struct JSONMember {
  var key: String
  var range: Range<Int>
}
