#include "resample.h"

enum { FRACTION = 22 };

static inline uint8_t clip(int32_t value) {
  value >>= FRACTION;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

void zoo_resample_rows_rgb(uint8_t *target, const uint8_t *source, int64_t rows, int64_t width, int64_t out_width,
                           const int32_t *bounds, const int32_t *coefficients, int64_t taps) {
  for (int64_t row = 0; row < rows; row++) {
    const uint8_t *line = source + row * width * 3;
    for (int64_t out = 0; out < out_width; out++, target += 3) {
      const uint8_t *from = line + (int64_t)bounds[out * 2] * 3;
      const int32_t *weights = coefficients + out * taps;
      int32_t red = 1 << (FRACTION - 1), green = red, blue = red;
      for (int32_t tap = 0; tap < bounds[out * 2 + 1]; tap++, from += 3) {
        red += from[0] * weights[tap];
        green += from[1] * weights[tap];
        blue += from[2] * weights[tap];
      }
      target[0] = clip(red);
      target[1] = clip(green);
      target[2] = clip(blue);
    }
  }
}

__attribute__((target_clones("avx512f", "avx2", "default")))
void zoo_resample_columns_rgb(uint8_t *target, const uint8_t *source, int64_t width, int64_t out_height,
                              const int32_t *bounds, const int32_t *coefficients, int64_t taps, int32_t *sums) {
  int64_t count = width * 3;
  for (int64_t out = 0; out < out_height; out++, target += count) {
    for (int64_t index = 0; index < count; index++) sums[index] = 1 << (FRACTION - 1);
    const uint8_t *from = source + bounds[out * 2] * count;
    for (int32_t tap = 0; tap < bounds[out * 2 + 1]; tap++, from += count) {
      int32_t weight = coefficients[out * taps + tap];
      for (int64_t index = 0; index < count; index++) sums[index] += from[index] * weight;
    }
    for (int64_t index = 0; index < count; index++) target[index] = clip(sums[index]);
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
