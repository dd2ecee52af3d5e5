// Vectors of as many floats as the kernel's instruction set has lanes, and the powers of e.
#pragma once
#include <cstdint>
#include <cstring>

// Functions that take and give vectors are inlined everywhere, so how vectors are passed doesn't matter.
#pragma clang diagnostic ignored "-Wpsabi"
#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace zoo {

template <int lanes>
struct Lanes {
  typedef float type __attribute__((vector_size(lanes * sizeof(float)), aligned(sizeof(float))));
  typedef int32_t integer __attribute__((vector_size(lanes * sizeof(int32_t))));
  typedef uint32_t bits __attribute__((vector_size(lanes * sizeof(uint32_t))));
  typedef int8_t bytes __attribute__((vector_size(lanes), aligned(1)));
};

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type &vector_at(float *place) {
  return *reinterpret_cast<typename Lanes<lanes>::type *>(place);
}

template <int lanes>
ALWAYS_INLINE const typename Lanes<lanes>::type &vector_at(const float *place) {
  return *reinterpret_cast<const typename Lanes<lanes>::type *>(place);
}

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type widened(const float *place) { return vector_at<lanes>(place); }

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type widened(const int8_t *place) {
  auto bytes = *reinterpret_cast<const typename Lanes<lanes>::bytes *>(place);
  return __builtin_convertvector(bytes, typename Lanes<lanes>::type);
}

// Adds a [rows, depth] · b [depth, vectors · lanes] to a tile of sums, which stays in registers. On the way it fetches
// `lines` cache lines from `ahead` on, one at each step, which somebody will want soon.
template <int lanes, int rows, int vectors, typename Weight>
ALWAYS_INLINE void accumulate_tile(typename Lanes<lanes>::type (&sums)[rows][vectors], const float *a, int64_t a_row,
                                   int64_t a_column, const Weight *b, int64_t b_row, int64_t depth,
                                   const char *ahead = nullptr, int64_t lines = 0) {
  for (int64_t k = 0; k < depth; k++) {
    if (k < lines) __builtin_prefetch(ahead + k * 64, 0, 2);
    typename Lanes<lanes>::type factors[vectors];
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++) factors[vector] = widened<lanes>(b + k * b_row + vector * lanes);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
      float factor = a[row * a_row + k * a_column];
#pragma clang loop unroll(full)
      for (int vector = 0; vector < vectors; vector++) sums[row][vector] += factors[vector] * factor;
    }
  }
}

// The same with b in bfloat16, [depth / 2, columns, 2]: of each column two numbers after another. An odd depth ends with
// zeros.
template <int lanes, int rows, int vectors>
ALWAYS_INLINE void accumulate_pairs(typename Lanes<lanes>::type (&sums)[rows][vectors], const float *a, int64_t a_row,
                                    const uint16_t *b, int64_t b_row, int64_t depth, const char *ahead, int64_t lines) {
  using Vector = typename Lanes<lanes>::type;
  using Bits = typename Lanes<lanes>::bits;
  for (int64_t k = 0; k < depth; k += 2) {
    if (k < 2 * lines) __builtin_prefetch(ahead + k * 32, 0, 2);
    auto last = k + 1 < depth ? k + 1 : k;
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++) {
      Bits pairs, bits;
      std::memcpy(&pairs, b + k * b_row + vector * 2 * lanes, sizeof(pairs));
      Vector even, odd;
      bits = pairs << 16;
      std::memcpy(&even, &bits, sizeof(even));
      bits = pairs & 0xffff0000u;
      std::memcpy(&odd, &bits, sizeof(odd));
#pragma clang loop unroll(full)
      for (int row = 0; row < rows; row++)
        sums[row][vector] += even * a[row * a_row + k] + odd * a[row * a_row + last];
    }
  }
}

// Makes numbers from -87 to 88 the powers of e: 2ⁿ · eʳ with |r| at most half of ln 2, eʳ by its Taylor polynomial of
// degree 7, whose error is below half a unit in the last place.
template <int lanes>
ALWAYS_INLINE void exponentiate(typename Lanes<lanes>::type &x) {
  using Vector = typename Lanes<lanes>::type;
  using Integer = typename Lanes<lanes>::integer;
  // Added and taken away, it rounds to a whole number.
  constexpr float rounder = 12582912.0f;
  Vector n = (x * 1.44269504089f + rounder) - rounder;
  Vector r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Vector power = r * (1.0f / 5040) + 1.0f / 720;
  power = power * r + 1.0f / 120;
  power = power * r + 1.0f / 24;
  power = power * r + 1.0f / 6;
  power = power * r + 0.5f;
  power = power * r + 1.0f;
  power = power * r + 1.0f;
  Integer exponent = (__builtin_convertvector(n, Integer) + 127) << 23;
  Vector factor;
  std::memcpy(&factor, &exponent, sizeof(factor));
  x = power * factor;
}

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type clamped(typename Lanes<lanes>::type x, float low, float high) {
  using Vector = typename Lanes<lanes>::type;
  const Vector lowest = Vector{} + low, highest = Vector{} + high;
  x = x < lowest ? lowest : x;
  return x > highest ? highest : x;
}

template <int lanes>
ALWAYS_INLINE float sum_of(typename Lanes<lanes>::type x) {
  float sum = 0;
  for (int lane = 0; lane < lanes; lane++) sum += x[lane];
  return sum;
}

// For kernels in several instruction sets: `name_16`, `name_8_fused` and `name_8` of one template, and which of them fits.
#if defined(__x86_64__)
#define ZOO_WIDE __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define ZOO_MIDDLE __attribute__((target("avx2,fma")))

enum class InstructionSet { narrow, middle, wide };

inline InstructionSet instruction_set() {
  static const InstructionSet set = [] {
    bool is_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (is_wide) return InstructionSet::wide;
    bool is_middle = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return is_middle ? InstructionSet::middle : InstructionSet::narrow;
  }();
  return set;
}
#else
#define ZOO_WIDE
#define ZOO_MIDDLE

enum class InstructionSet { narrow, middle, wide };

inline InstructionSet instruction_set() { return InstructionSet::narrow; }
#endif

/// Of three kernels the one for the widest vectors that the processor has.
template <typename Function>
Function *fitting(Function *wide, Function *middle, Function *narrow) {
  switch (instruction_set()) {
    case InstructionSet::wide: return wide;
    case InstructionSet::middle: return middle;
    case InstructionSet::narrow: return narrow;
  }
}

}  // namespace zoo
