// ftruncate, pwrite and strncasecmp.
#define _POSIX_C_SOURCE 200809L
#include "zoo_curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct {
  const zoo_fetch_request *request;
  zoo_fetch_result *result;
  CURL *curl;
  int64_t written, total;
  int begun, file_error, too_large, wrong_range;
  char range[64];
} transfer;

static void take_value(const char *line, size_t size, const char *name, char *target, size_t room) {
  size_t length = strlen(name);
  if (size <= length || strncasecmp(line, name, length)) return;
  line += length, size -= length;
  while (size && (*line == ' ' || *line == '\t')) line++, size--;
  while (size && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' ')) size--;
  if (size >= room) return;
  memcpy(target, line, size);
  target[size] = 0;
}

static size_t on_header(char *line, size_t one, size_t size, void *context) {
  transfer *t = context;
  if (size > 5 && !strncmp(line, "HTTP/", 5)) t->result->etag[0] = t->result->modified[0] = t->range[0] = 0;
  take_value(line, size, "etag:", t->result->etag, sizeof t->result->etag);
  take_value(line, size, "last-modified:", t->result->modified, sizeof t->result->modified);
  take_value(line, size, "content-range:", t->range, sizeof t->range);
  return one * size;
}

/// Whether the answer goes on where the file ends (206) or starts it anew (200).
static int begin(transfer *t) {
  curl_off_t length = -1;
  curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->result->status);
  curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  t->written = t->result->status == 206 ? t->request->offset : 0;
  t->total = length < 0 ? -1 : t->written + length;
  t->begun = 1;
  long long first = -1;
  if (t->result->status == 206 && (sscanf(t->range, "bytes %lld-", &first) != 1 || first != t->request->offset)) {
    t->wrong_range = 1;
    return 0;
  }
  if (ftruncate(t->request->descriptor, t->written)) t->file_error = errno;
  // Only now, lest bytes of another version stand under this one's name.
  if (!t->file_error && t->request->begun) t->request->begun(t->request->context, t->result);
  return !t->file_error;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
  transfer *t = context;
  if (!t->begun && !begin(t)) return 0;
  if (t->total > t->request->largest || t->written > t->request->largest - (int64_t)size) {
    t->too_large = 1;
    return 0;
  }
  for (size_t done = 0; done < size;) {
    ssize_t count = pwrite(t->request->descriptor, bytes + done, size - done, t->written + (int64_t)done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      t->file_error = count ? errno : ENOSPC;
      return 0;
    }
    done += (size_t)count;
  }
  if (t->request->received) t->request->received(t->request->context, bytes, size, t->written);
  t->written += (int64_t)size;
  return one * size;
}

static int on_progress(void *context, curl_off_t all, curl_off_t now, curl_off_t up_all, curl_off_t up_now) {
  (void)all, (void)now, (void)up_all, (void)up_now;
  transfer *t = context;
  return t->begun && t->request->progress ? t->request->progress(t->request->context, t->written, t->total) : 0;
}

static int is_transient(CURLcode code, long status) {
  switch (code) {
    case CURLE_COULDNT_CONNECT: case CURLE_COULDNT_RESOLVE_HOST: case CURLE_OPERATION_TIMEDOUT: case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR: case CURLE_SEND_ERROR: case CURLE_PARTIAL_FILE: case CURLE_HTTP2: case CURLE_HTTP2_STREAM:
      return 1;
    case CURLE_HTTP_RETURNED_ERROR: return status == 408 || status == 429 || status >= 500;
    default: return 0;
  }
}

static void start(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static void configure(transfer *t, struct curl_slist *headers, char *problem) {
  CURL *curl = t->curl;
  curl_easy_setopt(curl, CURLOPT_URL, t->request->url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // A redirect never leads out of TLS.
  int is_secure = !strncasecmp(t->request->url, "https:", 6);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, is_secure ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "zoo");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, t->request->patience);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, t->request->patience);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
}

int zoo_fetch(const zoo_fetch_request *request, zoo_fetch_result *result) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start);
  memset(result, 0, sizeof *result);
  transfer t = {.request = request, .result = result, .curl = curl_easy_init(), .total = -1};
  if (!t.curl) {
    snprintf(result->problem, sizeof result->problem, "libcurl can't start");
    return -1;
  }
  char problem[CURL_ERROR_SIZE] = "";
  struct curl_slist *headers = NULL;
  for (const char *const *line = request->headers; line && *line; line++) headers = curl_slist_append(headers, *line);
  configure(&t, headers, problem);
  CURLcode code = curl_easy_perform(t.curl);
  curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &result->status);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(t.curl, CURLINFO_RETRY_AFTER, &retry_after);
  result->retry_after = retry_after;
  // An empty file has no body that would begin it.
  if (code == CURLE_OK && !t.begun && result->status != 304 && !begin(&t)) code = CURLE_WRITE_ERROR;
  if (code != CURLE_OK) {
    result->is_transient = is_transient(code, result->status);
    if (t.wrong_range) {
      result->status = 416;
      snprintf(result->problem, sizeof result->problem, "the server sends another part of the file than it was asked for");
    } else if (t.file_error) {
      result->file_error = t.file_error;
      snprintf(result->problem, sizeof result->problem, "can't be kept: %s", strerror(t.file_error));
    } else if (t.too_large) {
      snprintf(result->problem, sizeof result->problem, "sends more than the file can have");
    } else {
      snprintf(result->problem, sizeof result->problem, "%s", *problem ? problem : curl_easy_strerror(code));
    }
  }
  curl_slist_free_all(headers);
  curl_easy_cleanup(t.curl);
  return code == CURLE_OK ? 0 : -1;
}
