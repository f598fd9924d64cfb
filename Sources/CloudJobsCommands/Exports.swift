// A program with a command line needs no second import for its jobs.
@_exported public import CloudJobs
