// One pass of separable resampling over interleaved 8-bit RGB.
#pragma once
#include <stdint.h>

/// Resamples `lines` lines of `in_size` pixels to `out_size`. Steps are in bytes between pixels of a line and between lines.
/// bounds: [first, count] for each output; coefficients: `taps` fixed-point numbers of 22 fractional bits for each output.
void zoo_resample_rgb(uint8_t *target, const uint8_t *source, int64_t lines, int64_t out_size, int64_t pixel_step,
                      int64_t line_step, int64_t out_pixel_step, int64_t out_line_step, const int32_t *bounds,
                      const int32_t *coefficients, int64_t taps);

/// Interleaved RGB to three planes of float32: value * scale[channel] + shift[channel].
void zoo_normalize_rgb(float *target, const uint8_t *source, int64_t width, int64_t height, int64_t source_row_bytes,
                       const float *scale, const float *shift);
