#ifndef CLOUD_JOBS_CURL_SHIM_H
#define CLOUD_JOBS_CURL_SHIM_H

// Swift can't call C variadics, so curl_easy_setopt and its kin are wrapped here, one function for each kind of value.
// The type-checking macros of curl.h expect constant options and are switched off.
#define CURL_DISABLE_TYPECHECK
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#ifdef __linux__
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

static inline CURLcode cloud_jobs_easy_set_long(void *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode cloud_jobs_easy_set_size(void *easy, CURLoption option, int64_t value) {
  return curl_easy_setopt(easy, option, (curl_off_t)value);
}

static inline CURLcode cloud_jobs_easy_set_string(void *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode cloud_jobs_easy_set_pointer(void *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode cloud_jobs_easy_set_list(void *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode cloud_jobs_easy_set_writer(void *easy, CURLoption option, curl_write_callback value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode cloud_jobs_easy_set_socket_opener(void *easy, curl_opensocket_callback value) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}

// Asked each time that a connection is ready for the request; any answer but 0 ends the transfer before it is sent.
typedef int (*cloud_jobs_gate)(void *pointer, char *peer, char *local, int peer_port, int local_port);

// The library resends a request where a kept connection ends without an answer, whatever the method. Since 7.80 the
// gate can forbid that; before, only a connection of the request's own does, as the library resends nothing on it.
static inline CURLcode cloud_jobs_easy_set_gate(void *easy, cloud_jobs_gate gate, void *pointer) {
#if LIBCURL_VERSION_NUM >= 0x075000
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, gate);
  return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_PREREQDATA, pointer);
#else
  (void)gate;
  (void)pointer;
  return curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
#endif
}

// No protocol but HTTP and, where asked for, HTTPS; as a list of names since 7.85, as a mask before.
static inline CURLcode cloud_jobs_easy_set_protocols(void *easy, int http, int https) {
#if LIBCURL_VERSION_NUM >= 0x075500
  const char *names = http && https ? "http,https" : https ? "https" : "http";
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, names);
  return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, names);
#else
  long mask = (http ? CURLPROTO_HTTP : 0L) | (https ? CURLPROTO_HTTPS : 0L);
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, mask);
  return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, mask);
#endif
}

// A transfer that ends while its name is still being resolved leaves the resolver's thread behind instead of joining
// it, which would hold up every other transfer of the same I/O thread.
static inline void cloud_jobs_easy_set_quick_exit(void *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
  (void)easy;
#endif
}

static inline CURLcode cloud_jobs_easy_get_long(void *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode cloud_jobs_easy_get_size(void *easy, CURLINFO info, int64_t *value) {
  curl_off_t size = 0;
  CURLcode code = curl_easy_getinfo(easy, info, &size);
  *value = (int64_t)size;
  return code;
}

static inline CURLcode cloud_jobs_easy_get_pointer(void *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode cloud_jobs_multi_set_long(void *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline curl_version_info_data *cloud_jobs_version(void) { return curl_version_info(CURLVERSION_NOW); }

// A finished transfer of the multi handle: its easy handle and its code; NULL where none is left.
static inline void *cloud_jobs_multi_next_done(void *multi, CURLcode *code) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    if (message->msg == CURLMSG_DONE) {
      *code = message->data.result;
      return message->easy_handle;
    }
  }
  return NULL;
}

// The numeric form of a peer's address, without the port; an IPv4 address mapped into IPv6 comes out as IPv4, so that
// no rule can be passed by in the other spelling. Returns 0 where the family isn't an IP family.
static inline int cloud_jobs_peer_address(const struct curl_sockaddr *peer, char *text, uint32_t size) {
  if (peer->family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, &peer->addr, sizeof v4);
    return inet_ntop(AF_INET, &v4.sin_addr, text, size) != NULL;
  }
  if (peer->family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, &peer->addr, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      return inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, size) != NULL;
    }
    return inet_ntop(AF_INET6, &v6.sin6_addr, text, size) != NULL;
  }
  return 0;
}

static inline curl_socket_t cloud_jobs_open_socket(const struct curl_sockaddr *peer) {
  int type = peer->socktype;
#ifdef SOCK_CLOEXEC
  type |= SOCK_CLOEXEC;
#endif
  return socket(peer->family, type, peer->protocol);
}

// The name of the calling thread, as tools show it; 15 characters at most.
static inline void cloud_jobs_name_thread(const char *name) {
#ifdef __linux__
  prctl(PR_SET_NAME, name, 0, 0, 0);
#else
  pthread_setname_np(name);
#endif
}

static inline curl_socket_t cloud_jobs_no_socket(void) { return CURL_SOCKET_BAD; }

#endif
