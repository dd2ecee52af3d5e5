#define _GNU_SOURCE
#include "kernels.h"

#include <fcntl.h>
#include <unistd.h>

long zoo_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, uint64_t count) {
  return copy_file_range(from, from_offset, to, to_offset, count, 0);
}

void zoo_start_writeback(int file, int64_t offset, int64_t count) {
  sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE);
}

int zoo_set_direct(int file, bool is_direct) {
  int flags = fcntl(file, F_GETFL);
  return flags < 0 ? -1 : fcntl(file, F_SETFL, is_direct ? flags | O_DIRECT : flags & ~O_DIRECT);
}
