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

void zoo_gather(void *target, const void *source, const int64_t *sizes, const int64_t *strides,
                int32_t rank, int32_t element_size, bool swap) {
  uint8_t *to = target;
  if (rank == 0) {
    memcpy(to, source, (size_t)element_size);
    if (swap) swap_bytes(to, element_size);
    return;
  }
  if (rank == 1) {
    copy_row(to, source, sizes[0], strides[0], element_size);
    if (swap) for (int64_t i = 0; i < sizes[0]; i++) swap_bytes(to + i * element_size, element_size);
    return;
  }
  int64_t inner = element_size;
  for (int32_t i = 1; i < rank; i++) inner *= sizes[i];
  for (int64_t i = 0; i < sizes[0]; i++)
    zoo_gather(to + i * inner, (const uint8_t *)source + i * strides[0] * element_size, sizes + 1, strides + 1,
               rank - 1, element_size, swap);
}
