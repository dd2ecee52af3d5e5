#include "kernels.h"

#include <math.h>
#include <string.h>

static float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

// Any small IEEE-like float: exponent bits, mantissa bits; `finite_only` is e4m3fn, which has no infinity.
static float small_to_float(uint32_t bits, int exponent_bits, int mantissa_bits, bool finite_only) {
  uint32_t sign = (bits >> (exponent_bits + mantissa_bits)) << 31;
  uint32_t exponent_mask = (1u << exponent_bits) - 1, mantissa_mask = (1u << mantissa_bits) - 1;
  uint32_t exponent = (bits >> mantissa_bits) & exponent_mask, mantissa = bits & mantissa_mask;
  int bias = (1 << (exponent_bits - 1)) - 1;
  if (finite_only ? exponent == exponent_mask && mantissa == mantissa_mask : exponent == exponent_mask)
    return bits_to_float(sign | 0x7f800000u | (finite_only || mantissa ? 0x400000u | (mantissa << (23 - mantissa_bits)) : 0));
  if (exponent == 0) {
    float value = ldexpf((float)mantissa, 1 - bias - mantissa_bits);
    return sign ? -value : value;
  }
  return bits_to_float(sign | (uint32_t)((int)exponent - bias + 127) << 23 | mantissa << (23 - mantissa_bits));
}

static uint32_t float_to_small(float value, int exponent_bits, int mantissa_bits, bool finite_only) {
  uint32_t bits = float_to_bits(value), sign = bits >> 31 << (exponent_bits + mantissa_bits);
  uint32_t magnitude = bits & 0x7fffffffu, exponent_mask = (1u << exponent_bits) - 1;
  uint32_t infinity = exponent_mask << mantissa_bits;
  uint32_t nan = finite_only ? infinity | ((1u << mantissa_bits) - 1) : infinity | 1u << (mantissa_bits - 1);
  uint32_t overflow = finite_only ? nan - 1 : infinity;
  if (magnitude > 0x7f800000u) return sign | nan;
  int bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = (int)(magnitude >> 23) - 127 + bias;
  if (magnitude == 0x7f800000u || exponent > (int)exponent_mask) return sign | overflow;
  int shift = 23 - mantissa_bits;
  uint64_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  if (exponent <= 0) {
    shift += 1 - exponent;
    exponent = 1;
    if (shift > 40) return sign;
  }
  uint64_t half = 1ull << (shift - 1), rounded = (mantissa + half - 1 + ((mantissa >> shift) & 1)) >> shift;
  uint32_t result = (uint32_t)(((uint64_t)(exponent - 1) << mantissa_bits) + rounded);
  return sign | (result > overflow || (finite_only && result >= nan) ? overflow : result);
}

#define EACH(type, expression) do { \
    const type *values = source; \
    for (int64_t i = 0; i < count; i++) { type x; memcpy(&x, values + i, sizeof x); target[i] = (expression); } \
  } while (0)

__attribute__((target_clones("avx512f", "avx2", "default")))
static void bf16_to_float(float *target, const uint16_t *source, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)source[i] << 16;
    memcpy(target + i, &bits, 4);
  }
}

void zoo_to_float(float *target, const void *source, int64_t count, zoo_dtype dtype) {
  switch (dtype) {
  case ZOO_F32: memcpy(target, source, (size_t)count * 4); break;
  case ZOO_F64: EACH(double, (float)x); break;
  case ZOO_F16: EACH(uint16_t, small_to_float(x, 5, 10, false)); break;
  case ZOO_BF16: bf16_to_float(target, source, count); break;
  case ZOO_F8_E4M3: EACH(uint8_t, small_to_float(x, 4, 3, true)); break;
  case ZOO_F8_E5M2: EACH(uint8_t, small_to_float(x, 5, 2, false)); break;
  case ZOO_I64: EACH(int64_t, (float)x); break;
  case ZOO_I32: EACH(int32_t, (float)x); break;
  case ZOO_I16: EACH(int16_t, (float)x); break;
  case ZOO_I8: EACH(int8_t, (float)x); break;
  case ZOO_U64: EACH(uint64_t, (float)x); break;
  case ZOO_U32: EACH(uint32_t, (float)x); break;
  case ZOO_U16: EACH(uint16_t, (float)x); break;
  case ZOO_U8: EACH(uint8_t, (float)x); break;
  case ZOO_BOOL: EACH(uint8_t, x ? 1.0f : 0.0f); break;
  }
}

// Truncates towards zero, as PyTorch's .to() does, and stays inside the integer's range.
#define INTEGER(type, low, high) do { \
    type *values = target; \
    for (int64_t i = 0; i < count; i++) { \
      double x = source[i]; \
      values[i] = x != x ? 0 : x <= (double)(low) ? (low) : x >= (double)(high) ? (high) : (type)x; \
    } \
  } while (0)

void zoo_from_float(void *target, const float *source, int64_t count, zoo_dtype dtype) {
  switch (dtype) {
  case ZOO_F32: memcpy(target, source, (size_t)count * 4); break;
  case ZOO_F64: for (int64_t i = 0; i < count; i++) ((double *)target)[i] = source[i]; break;
  case ZOO_F16: for (int64_t i = 0; i < count; i++) ((uint16_t *)target)[i] = (uint16_t)float_to_small(source[i], 5, 10, false); break;
  case ZOO_BF16: for (int64_t i = 0; i < count; i++) ((uint16_t *)target)[i] = (uint16_t)float_to_small(source[i], 8, 7, false); break;
  case ZOO_F8_E4M3: for (int64_t i = 0; i < count; i++) ((uint8_t *)target)[i] = (uint8_t)float_to_small(source[i], 4, 3, true); break;
  case ZOO_F8_E5M2: for (int64_t i = 0; i < count; i++) ((uint8_t *)target)[i] = (uint8_t)float_to_small(source[i], 5, 2, false); break;
  case ZOO_I64: INTEGER(int64_t, INT64_MIN, INT64_MAX); break;
  case ZOO_I32: INTEGER(int32_t, INT32_MIN, INT32_MAX); break;
  case ZOO_I16: INTEGER(int16_t, INT16_MIN, INT16_MAX); break;
  case ZOO_I8: INTEGER(int8_t, INT8_MIN, INT8_MAX); break;
  case ZOO_U64: INTEGER(uint64_t, 0, UINT64_MAX); break;
  case ZOO_U32: INTEGER(uint32_t, 0, UINT32_MAX); break;
  case ZOO_U16: INTEGER(uint16_t, 0, UINT16_MAX); break;
  case ZOO_U8: INTEGER(uint8_t, 0, UINT8_MAX); break;
  case ZOO_BOOL: for (int64_t i = 0; i < count; i++) ((uint8_t *)target)[i] = source[i] != 0; break;
  }
}
