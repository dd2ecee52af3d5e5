#include "kernels.h"

#include <string.h>

static void swap_bytes(uint8_t *element, int32_t size) {
  for (int32_t i = 0; i < size / 2; i++) {
    uint8_t kept = element[i];
    element[i] = element[size - 1 - i];
    element[size - 1 - i] = kept;
  }
}

static void copy_row(uint8_t *target, const uint8_t *source, int64_t count, int64_t stride, int32_t size) {
  if (stride == 1) { memcpy(target, source, (size_t)(count * size)); return; }
#define COPY(type) do { \
    type *to = (type *)target; const type *from = (const type *)source; \
    for (int64_t i = 0; i < count; i++) memcpy(to + i, from + i * stride, sizeof(type)); \
  } while (0)
  switch (size) {
  case 1: COPY(uint8_t); break;
  case 2: COPY(uint16_t); break;
  case 4: COPY(uint32_t); break;
  default: COPY(uint64_t); break;
  }
}

enum { MOST_DIMENSIONS = 16, RUN = 64 };

/// The dimension whose elements are neighbours in the source, where that is not the last one; else -1.
static int32_t neighbours(const int64_t *sizes, const int64_t *strides, int32_t rank) {
  for (int32_t i = 0; i < rank - 1; i++)
    if (strides[i] == 1 && sizes[i] > 1 && strides[rank - 1] != 1) return i;
  return -1;
}

static void scatter_run(uint8_t *target, const uint8_t *source, int64_t count, int64_t step, int32_t size) {
#define SCATTER(type) do { \
    type *to = (type *)target; const type *from = (const type *)source; \
    for (int64_t i = 0; i < count; i++) memcpy(to + i * step, from + i, sizeof(type)); \
  } while (0)
  switch (size) {
  case 1: SCATTER(uint8_t); break;
  case 2: SCATTER(uint16_t); break;
  case 4: SCATTER(uint32_t); break;
  default: SCATTER(uint64_t); break;
  }
}

/// Transposed views: a run of neighbours is read at once and goes to as many places, each of which fills up in order, so
/// that no cache line is fetched for a single element.
static void gather_runs(uint8_t *target, const uint8_t *source, const int64_t *sizes, const int64_t *strides, int32_t rank,
                        int32_t size, int32_t along) {
  int64_t steps[MOST_DIMENSIONS], index[MOST_DIMENSIONS];
  int64_t step = 1, others = 1;
  for (int32_t i = rank - 1; i >= 0; i--) {
    steps[i] = step;
    step *= sizes[i];
    if (i != along) others *= sizes[i];
  }
  for (int64_t start = 0; start < sizes[along]; start += RUN) {
    int64_t count = sizes[along] - start < RUN ? sizes[along] - start : RUN;
    memset(index, 0, sizeof index);
    int64_t from = start, to = start * steps[along];
    for (int64_t done = 0; done < others; done++) {
      scatter_run(target + to * size, source + from * size, count, steps[along], size);
      for (int32_t i = rank - 1; i >= 0; i--) {
        if (i == along) continue;
        from += strides[i], to += steps[i];
        if (++index[i] < sizes[i]) break;
        from -= strides[i] * sizes[i], to -= steps[i] * sizes[i];
        index[i] = 0;
      }
    }
  }
}

static void gather_rows(uint8_t *to, const uint8_t *source, const int64_t *sizes, const int64_t *strides, int32_t rank,
                        int32_t size) {
  if (rank == 0) {
    memcpy(to, source, (size_t)size);
  } else if (rank == 1) {
    copy_row(to, source, sizes[0], strides[0], size);
  } else {
    int64_t inner = size;
    for (int32_t i = 1; i < rank; i++) inner *= sizes[i];
    for (int64_t i = 0; i < sizes[0]; i++)
      gather_rows(to + i * inner, source + i * strides[0] * size, sizes + 1, strides + 1, rank - 1, size);
  }
}

void zoo_gather(void *target, const void *source, const int64_t *sizes, const int64_t *strides,
                int32_t rank, int32_t element_size, bool swap) {
  int64_t count = 1;
  for (int32_t i = 0; i < rank; i++) count *= sizes[i];
  int32_t along = rank <= MOST_DIMENSIONS ? neighbours(sizes, strides, rank) : -1;
  if (along >= 0) gather_runs(target, source, sizes, strides, rank, element_size, along);
  else gather_rows(target, source, sizes, strides, rank, element_size);
  if (swap) for (int64_t i = 0; i < count; i++) swap_bytes((uint8_t *)target + i * element_size, element_size);
}
