/// The vocabulary of Cloud Firestore v1: names, values, documents, writes and queries as the service takes them.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest>.
public enum Firestore {}
