/// The values of Cloud Tasks v2, free of any wire format.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest>.
public enum CloudTasks {}
