// Products of bfloat16 with bfloat16, summed up in float32, where the processor has an instruction for them: two at a time
// for each number of the result.
#include "panels.hpp"
#include "parallel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace {

#define ZOO_ROUNDED __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16")))
#define ZOO_ROUNDED_INLINE __attribute__((always_inline, target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16"))) inline

// Rows from which on inputs are worth rounding; fewer are as fast as memory gives the weights.
constexpr int64_t least_rows = 8;
constexpr int lanes = 16, vectors = 4;
// Numbers of bfloat16 that two inputs have in a panel.
constexpr int64_t pair_row = 2 * zoo_panel_outputs;

template <int rows>
ZOO_ROUNDED_INLINE void multiply_tile(const uint16_t *a, int64_t a_row, const uint16_t *panel, int64_t pairs, float *c,
                                      int64_t c_row, const zoo::Finish &finish) {
  __m512 sums[rows][vectors];
#pragma clang loop unroll(full)
  for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++) sums[row][vector] = _mm512_setzero_ps();
  for (int64_t pair = 0; pair < pairs; pair++) {
    __m512bh weights[vectors];
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++)
      weights[vector] = (__m512bh)_mm512_loadu_si512(panel + pair * pair_row + vector * 2 * lanes);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
      int32_t both;
      std::memcpy(&both, a + row * a_row + 2 * pair, sizeof(both));
      auto inputs = (__m512bh)_mm512_set1_epi32(both);
#pragma clang loop unroll(full)
      for (int vector = 0; vector < vectors; vector++)
        sums[row][vector] = _mm512_dpbf16_ps(sums[row][vector], inputs, weights[vector]);
    }
  }
  zoo::Lanes<lanes>::type results[rows][vectors];
#pragma clang loop unroll(full)
  for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++) results[row][vector] = sums[row][vector];
  zoo::finish_tile<lanes>(results, c, c_row, finish);
}

ZOO_ROUNDED void multiply_block(const zoo_panels &panels, const zoo_product &product, const uint16_t *inputs,
                                int64_t input_row, const uint16_t *weights, int64_t panel, int64_t first, int64_t last) {
  auto output = panel * zoo_panel_outputs, pairs = input_row / 2;
  for (auto row = first; row < last; row += zoo::tile_rows) {
    auto a = inputs + row * input_row;
    auto c = product.output + row * product.output_row + output;
    zoo::Finish finish(panels, product, output, row);
    switch (last - row) {
      case 1: multiply_tile<1>(a, input_row, weights, pairs, c, product.output_row, finish); break;
      case 2: multiply_tile<2>(a, input_row, weights, pairs, c, product.output_row, finish); break;
      case 3: multiply_tile<3>(a, input_row, weights, pairs, c, product.output_row, finish); break;
      case 4: multiply_tile<4>(a, input_row, weights, pairs, c, product.output_row, finish); break;
      case 5: multiply_tile<5>(a, input_row, weights, pairs, c, product.output_row, finish); break;
      default: multiply_tile<zoo::tile_rows>(a, input_row, weights, pairs, c, product.output_row, finish); break;
    }
  }
}

// To the nearest, ties to even.
ZOO_ROUNDED void round_row(const float *from, int64_t count, uint16_t *to, int64_t padded) {
  int64_t place = 0;
  for (; place + 16 <= count; place += 16) {
    auto rounded = _mm512_cvtneps_pbh(_mm512_loadu_ps(from + place));
    std::memcpy(to + place, &rounded, sizeof(rounded));
  }
  for (; place < padded; place += 16) {
    auto mask = static_cast<__mmask16>((1u << std::max<int64_t>(std::min<int64_t>(16, count - place), 0)) - 1);
    auto rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from + place));
    std::memcpy(to + place, &rounded, 2 * std::min<int64_t>(16, padded - place));
  }
}

// Whole numbers up to 127 are bfloat16's exactly.
ZOO_ROUNDED void widen(const int8_t *panel, int64_t inputs, uint16_t *to) {
  for (int64_t k = 0; k < inputs; k += 2)
    for (int64_t column = 0; column < zoo_panel_outputs; column += 16) {
      auto load = [&](int64_t row) ZOO_ROUNDED {
        if (row >= inputs) return _mm256_setzero_si256();
        auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(panel + row * zoo_panel_outputs + column));
        return (__m256i)_mm512_cvtneps_pbh(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)));
      };
      auto even = _mm512_cvtepu16_epi32(load(k)), odd = _mm512_cvtepu16_epi32(load(k + 1));
      _mm512_storeu_si512(to + k * zoo_panel_outputs + 2 * column, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
    }
}

}  // namespace

namespace zoo {

bool multiplies_rounded(const zoo_panels &panels, int64_t rows) {
  static const bool can = instruction_set() == InstructionSet::wide && __builtin_cpu_supports("avx512bf16");
  return can && rows >= least_rows && panels.kind != ZOO_PANELS_FLOAT32;
}

void multiply_rounded(const zoo_panels &panels, const zoo_product &product) {
  // Memory that stays with the thread, since new pages would cost more than rounding.
  thread_local std::vector<uint16_t> inputs;
  auto row_size = (panels.inputs + 1) / 2 * 2;
  if (static_cast<int64_t>(inputs.size()) < product.rows * row_size) inputs.resize(product.rows * row_size);
  auto rounded = inputs.data();
  parallel(product.rows, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++)
      round_row(product.input + row * product.input_row, panels.inputs, rounded + row * row_size, row_size);
  });
  parallel(panels.count(), [&](int64_t first, int64_t last) {
    thread_local std::vector<uint16_t> widened;
    if (panels.kind == ZOO_PANELS_INT8) widened.resize(row_size * zoo_panel_outputs);
    for (auto panel = first; panel < last; panel++) {
      auto weights = static_cast<const uint16_t *>(panels.weights.data()) + panel * panels.panel_size();
      if (panels.kind == ZOO_PANELS_INT8) {
        widen(static_cast<const int8_t *>(panels.weights.data()) + panel * panels.panel_size(), panels.inputs, widened.data());
        weights = widened.data();
      }
      for (int64_t row = 0; row < product.rows; row += block_rows)
        multiply_block(panels, product, rounded, row_size, weights, panel, row, std::min(row + block_rows, product.rows));
    }
  });
}

}  // namespace zoo

#else

namespace zoo {

bool multiplies_rounded(const zoo_panels &, int64_t) { return false; }
void multiply_rounded(const zoo_panels &, const zoo_product &) {}

}  // namespace zoo

#endif
