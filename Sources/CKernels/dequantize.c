// Layouts: the GGML documentation's table of quantisation types and gguf-py's quants module, to whose values the tests
// hold this. A block has a half-precision scale d; q are its small integers.
#include "kernels.h"
#include <string.h>

// Each product is rounded by itself, as there.
#pragma STDC FP_CONTRACT OFF

static float half(const uint8_t *bytes) {
  uint16_t bits = (uint16_t)(bytes[0] | bytes[1] << 8);
  uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31, fraction = bits & 1023;
  uint32_t word;
  if (exponent == 31) {
    word = sign | 0x7F800000 | fraction << 13;
  } else if (exponent > 0) {
    word = sign | (exponent + 112) << 23 | fraction << 13;
  } else {
    float value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
  }
  float value;
  memcpy(&value, &word, 4);
  return value;
}

/// Bits of a 32-bit mask.
static uint8_t bit(const uint8_t *bytes, int index) { return bytes[index / 8] >> (index % 8) & 1; }

// 32 values: low nibbles hold the first half, high ones the second.
static uint8_t nibble(const uint8_t *bytes, int index) {
  return index < 16 ? bytes[index] & 15 : bytes[index - 16] >> 4;
}

static void q4_0(float *y, const uint8_t *b) {
  float d = half(b);
  for (int i = 0; i < 32; i++) y[i] = d * (float)(nibble(b + 2, i) - 8);
}

static void q4_1(float *y, const uint8_t *b) {
  float d = half(b), m = half(b + 2);
  for (int i = 0; i < 32; i++) y[i] = d * (float)nibble(b + 4, i) + m;
}

static void q5_0(float *y, const uint8_t *b) {
  float d = half(b);
  for (int i = 0; i < 32; i++) y[i] = d * (float)((nibble(b + 6, i) | bit(b + 2, i) << 4) - 16);
}

static void q5_1(float *y, const uint8_t *b) {
  float d = half(b), m = half(b + 2);
  for (int i = 0; i < 32; i++) y[i] = d * (float)(nibble(b + 8, i) | bit(b + 4, i) << 4) + m;
}

static void q8_0(float *y, const uint8_t *b) {
  float d = half(b);
  for (int i = 0; i < 32; i++) y[i] = (float)(int8_t)b[2 + i] * d;
}

/// 256 values in eight groups of 32, each with a 6-bit scale and a 6-bit least value.
static void scale_and_least(const uint8_t *packed, int group, float *scale, float *least) {
  if (group < 4) {
    *scale = (float)(packed[group] & 63);
    *least = (float)(packed[group + 4] & 63);
  } else {
    uint8_t low = packed[group + 4];
    *scale = (float)((low & 15) | (packed[group - 4] >> 6) << 4);
    *least = (float)((low >> 4) | (packed[group] >> 6) << 4);
  }
}

static void q4_k(float *y, const uint8_t *b, bool has_fifth_bit) {
  float d = half(b), dmin = half(b + 2);
  const uint8_t *high = b + 16, *low = has_fifth_bit ? b + 48 : b + 16;
  for (int group = 0; group < 8; group++) {
    float scale, least;
    scale_and_least(b + 4, group, &scale, &least);
    scale *= d;
    least *= dmin;
    for (int i = 0; i < 32; i++) {
      uint8_t q = low[group / 2 * 32 + i] >> (group % 2 * 4) & 15;
      if (has_fifth_bit) q |= (uint8_t)((high[i] >> group & 1) << 4);
      y[group * 32 + i] = scale * (float)q - least;
    }
  }
}

/// 256 values of 6 bits: 4 low bits, 2 high ones, and a signed scale for each 16.
static void q6_k(float *y, const uint8_t *b) {
  const uint8_t *low = b, *high = b + 128;
  const int8_t *scales = (const int8_t *)(b + 192);
  float d = half(b + 208);
  for (int i = 0; i < 256; i++) {
    int part = i / 128, row = i % 128 / 32, column = i % 32;
    int q = (low[part * 64 + row % 2 * 32 + column] >> (row / 2 * 4) & 15)
          | (high[part * 32 + column] >> (row * 2) & 3) << 4;
    y[i] = d * (float)scales[i / 16] * (float)(q - 32);
  }
}

bool zoo_dequantize(float *target, const void *source, int64_t blocks, uint32_t type) {
  const uint8_t *b = source;
  for (int64_t i = 0; i < blocks; i++) {
    switch (type) {
      case 2: q4_0(target + i * 32, b + i * 18); break;
      case 3: q4_1(target + i * 32, b + i * 20); break;
      case 6: q5_0(target + i * 32, b + i * 22); break;
      case 7: q5_1(target + i * 32, b + i * 24); break;
      case 8: q8_0(target + i * 32, b + i * 34); break;
      case 12: q4_k(target + i * 256, b + i * 144, false); break;
      case 13: q4_k(target + i * 256, b + i * 176, true); break;
      case 14: q6_k(target + i * 256, b + i * 210); break;
      default: return false;
    }
  }
  return true;
}
