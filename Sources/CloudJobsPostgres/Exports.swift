// One import is enough for everyday work.
@_exported public import CloudJobs
