// One HTTP download through libcurl, whose options are variadic calls that Swift can't make.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Called as bytes arrive, with the bytes that stand in the file and those expected in all (-1: unknown); anything but 0
/// ends the download.
typedef int (*zoo_fetch_progress)(void *context, int64_t done, int64_t total);

/// Called with bytes once they stand in the file at `offset`: 0 where the server sends the whole file anew.
typedef void (*zoo_fetch_received)(void *context, const void *bytes, size_t count, int64_t offset);

struct zoo_fetch_result;

typedef struct {
  const char *url;
  /// Extra header lines, ended by NULL.
  const char *const *headers;
  /// Open for writing; bytes go to `offset` and on, or replace everything where the server sends the whole file.
  int descriptor;
  int64_t offset;
  /// A longer file is refused.
  int64_t largest;
  /// Seconds to connect, and without any byte, before the server counts as stalled.
  long patience;
  zoo_fetch_progress progress;
  /// Called once, before the first byte of the file is kept.
  void (*begun)(void *context, const struct zoo_fetch_result *result);
  /// May be NULL.
  zoo_fetch_received received;
  void *context;
} zoo_fetch_request;

typedef struct zoo_fetch_result {
  /// HTTP status of the last answer; 0 without one, and 416 too where the server sends another range than it was asked for.
  long status;
  /// Whether trying again may help.
  int is_transient;
  /// errno where the file could not be written; else 0.
  int file_error;
  /// Seconds until the server wants to be asked again; 0 where it doesn't say.
  int64_t retry_after;
  /// ETag or, failing that, Last-Modified of the file, as the server spells them.
  char etag[512], modified[128];
  char problem[512];
} zoo_fetch_result;

/// Returns 0 where the whole file stands in the descriptor, or the server said that nothing changed (status 304).
int zoo_fetch(const zoo_fetch_request *request, zoo_fetch_result *result);
