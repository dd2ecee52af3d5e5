#ifndef ZOO_FUZZ_ISOLATION_H
#define ZOO_FUZZ_ISOLATION_H
#include "growing_text.h"
#include <stdint.h>

/// A parser of the worker: fills `json`, or `problem` and returns other than 0.
typedef int (*zoo_parser)(const void *image, size_t size, zoo_text *json, zoo_text *problem);

/// Runs `parser` in a child process, which may take `milliseconds` of processor time and a gigabyte of memory. A child
/// serves many calls, all with the one parser, until a call ends it. The coverage that it sees is counted here.
/// The reply stays valid until the next call; calls must not overlap.
/// Returns the status that waitpid gives for such an ending (the exit code is 65 where the parser refused), or -1
/// without a child, also where the image is larger than 512 MiB.
int zoo_parse_isolated(zoo_parser parser, const void *image, size_t size, long milliseconds, const uint8_t **reply,
                       size_t *count);
#endif
