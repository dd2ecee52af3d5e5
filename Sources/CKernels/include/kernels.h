// Loops over raw bytes that Swift would check element by element. Callers have checked every bound.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  ZOO_F64, ZOO_F32, ZOO_F16, ZOO_BF16, ZOO_F8_E4M3, ZOO_F8_E5M2,
  ZOO_I64, ZOO_I32, ZOO_I16, ZOO_I8, ZOO_U64, ZOO_U32, ZOO_U16, ZOO_U8, ZOO_BOOL
} zoo_dtype;

/// Copies a strided view (sizes and strides in elements) into row-major order; swaps bytes where asked.
void zoo_gather(void *target, const void *source, const int64_t *sizes, const int64_t *strides,
                int32_t rank, int32_t element_size, bool swap);

/// Converts contiguous little-endian elements to float32.
void zoo_to_float(float *target, const void *source, int64_t count, zoo_dtype dtype);

/// Rounds float32 (to nearest, ties to even; saturating for float8 e4m3fn and integers) to another dtype.
void zoo_from_float(void *target, const float *source, int64_t count, zoo_dtype dtype);

/// Linux's copy_file_range, which Swift's Glibc module doesn't show.
long zoo_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, uint64_t count);

/// Begins to bring a range to the disk without waiting for it; an error shows in the fsync that follows.
void zoo_start_writeback(int file, int64_t offset, int64_t count);

/// Has what is written from now on go past the page cache, or not; 0 where that is so.
int zoo_set_direct(int file, bool is_direct);

/// Writes the float32 values of `blocks` blocks of a block-quantised GGML type, by its number in a GGUF file; false for
/// another type.
bool zoo_dequantize(float *target, const void *source, int64_t blocks, uint32_t type);
