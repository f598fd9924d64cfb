swift run shop status
swift run shop runs list
swift run shop jobs list
sqlite3 jobs.db "SELECT job, status, id FROM runs"
