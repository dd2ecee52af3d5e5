#include "resample.h"

enum { FRACTION = 22 };

static uint8_t clip(int32_t value) {
  value >>= FRACTION;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

void zoo_resample_rgb(uint8_t *target, const uint8_t *source, int64_t lines, int64_t out_size, int64_t pixel_step,
                      int64_t line_step, int64_t out_pixel_step, int64_t out_line_step, const int32_t *bounds,
                      const int32_t *coefficients, int64_t taps) {
  for (int64_t out = 0; out < out_size; out++) {
    int64_t first = bounds[out * 2], count = bounds[out * 2 + 1];
    const int32_t *weights = coefficients + out * taps;
    for (int64_t line = 0; line < lines; line++) {
      const uint8_t *from = source + line * line_step + first * pixel_step;
      int32_t sum[3] = {1 << (FRACTION - 1), 1 << (FRACTION - 1), 1 << (FRACTION - 1)};
      for (int64_t tap = 0; tap < count; tap++)
        for (int channel = 0; channel < 3; channel++) sum[channel] += from[tap * pixel_step + channel] * weights[tap];
      uint8_t *to = target + line * out_line_step + out * out_pixel_step;
      for (int channel = 0; channel < 3; channel++) to[channel] = clip(sum[channel]);
    }
  }
}

void zoo_normalize_rgb(float *target, const uint8_t *source, int64_t width, int64_t height, int64_t source_row_bytes,
                       const float *scale, const float *shift) {
  for (int channel = 0; channel < 3; channel++)
    for (int64_t row = 0; row < height; row++)
      for (int64_t column = 0; column < width; column++)
        target[(channel * height + row) * width + column] =
            source[row * source_row_bytes + column * 3 + channel] * scale[channel] + shift[channel];
}
