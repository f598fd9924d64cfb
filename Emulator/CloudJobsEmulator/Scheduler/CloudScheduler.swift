/// The values of Cloud Scheduler v1, free of any wire format.
///
/// Source: <https://cloud.google.com/scheduler/docs/reference/rest>.
public enum CloudScheduler {}
