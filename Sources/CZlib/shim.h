#ifndef CLOUD_JOBS_ZLIB_SHIM_H
#define CLOUD_JOBS_ZLIB_SHIM_H

#include <zlib.h>

// Begins to read gzip; the function in zlib.h is a macro that Swift can't see.
static inline int cloud_jobs_begin_gunzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }

#endif
