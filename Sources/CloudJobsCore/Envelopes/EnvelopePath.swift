/// The route that a request came by, under the prefix where the handler is mounted.
public enum EnvelopePath: Hashable, Sendable {
  /// `trigger`: the body says which job.
  case trigger
  /// `scheduled/{jobId}`: the path says which job, and the body, where there is one, is the payload.
  ///
  /// The text is the path's segment, percent-decoded and not yet checked.
  case scheduled(String)
  /// `master`: a tick of the master job.
  case master
}
