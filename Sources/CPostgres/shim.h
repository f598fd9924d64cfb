#ifndef CLOUD_JOBS_POSTGRES_SHIM_H
#define CLOUD_JOBS_POSTGRES_SHIM_H

#include <libpq-fe.h>
#ifdef __linux__
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

// The name of the calling thread, as tools show it; 15 characters at most.
static inline void cloud_jobs_postgres_name_thread(const char *name) {
#ifdef __linux__
  prctl(PR_SET_NAME, name, 0, 0, 0);
#else
  pthread_setname_np(name);
#endif
}

#endif
