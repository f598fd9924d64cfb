// One import is enough in tests.
@_exported public import CloudJobs
@_exported public import CloudJobsEmulator
