// Separable resampling of interleaved 8-bit RGB, and its way to float planes.
#pragma once
#include <stdint.h>

// Both passes: bounds holds [first, count] for each output; coefficients holds `taps` fixed-point numbers of 22
// fractional bits for each output.

/// Resamples each of `rows` rows to `out_width` pixels.
void zoo_resample_rows_rgb(uint8_t *target, const uint8_t *source, int64_t rows, int64_t width, int64_t out_width,
                           const int32_t *bounds, const int32_t *coefficients, int64_t taps);

/// Resamples every column to `out_height` rows; `sums` has room for width * 3 numbers.
void zoo_resample_columns_rgb(uint8_t *target, const uint8_t *source, int64_t width, int64_t out_height,
                              const int32_t *bounds, const int32_t *coefficients, int64_t taps, int32_t *sums);

/// Interleaved RGB to three planes of float32: value * scale[channel] + shift[channel].
void zoo_normalize_rgb(float *target, const uint8_t *source, int64_t width, int64_t height, int64_t source_row_bytes,
                       const float *scale, const float *shift);
