#include "small_product.hpp"

#include <algorithm>
#include <cstring>

#include "vectors.hpp"

namespace {

using zoo::Lanes;
using zoo::vector_at;

// One tile of the result, held in registers: `vectors` of them in each row.
template <int lanes, int vectors>
ALWAYS_INLINE void multiply_tile(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c,
                                 int64_t c_row, int64_t depth, bool adds) {
  using Vector = typename Lanes<lanes>::type;
  constexpr int rows = static_cast<int>(zoo::product_rows);
  Vector sums[rows][vectors];
#pragma clang loop unroll(full)
  for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++)
      sums[row][vector] = adds ? vector_at<lanes>(c + row * c_row + vector * lanes) : Vector{};
  zoo::accumulate_tile<lanes>(sums, a, a_row, a_column, b, b_row, depth);
#pragma clang loop unroll(full)
  for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++)
      vector_at<lanes>(c + row * c_row + vector * lanes) = sums[row][vector];
}

template <int lanes, int widest>
ALWAYS_INLINE void multiply_all(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c,
                                int64_t c_row, int64_t rows, int64_t columns, int64_t depth, bool adds) {
  for (int64_t column = 0; column < columns;) {
    auto vectors = std::min<int64_t>((columns - column) / lanes, widest);
    for (int64_t row = 0; row < rows; row += zoo::product_rows) {
      auto from = a + row * a_row, right = b + column;
      auto to = c + row * c_row + column;
      if (widest >= 4 && vectors == 4)
        multiply_tile<lanes, widest >= 4 ? 4 : 1>(from, a_row, a_column, right, b_row, to, c_row, depth, adds);
      else if (widest >= 3 && vectors == 3)
        multiply_tile<lanes, widest >= 3 ? 3 : 1>(from, a_row, a_column, right, b_row, to, c_row, depth, adds);
      else if (vectors == 2)
        multiply_tile<lanes, 2>(from, a_row, a_column, right, b_row, to, c_row, depth, adds);
      else
        multiply_tile<lanes, 1>(from, a_row, a_column, right, b_row, to, c_row, depth, adds);
    }
    column += vectors * lanes;
  }
}

template <int lanes>
ALWAYS_INLINE float soften(float *products, const float *bias, const float *mask, int64_t count, zoo::SoftmaxRow &row) {
  using Vector = typename Lanes<lanes>::type;
  constexpr float least = -87.0f;
  const Vector zero{}, lowest = zero + least;
  auto whole = zoo::rounded_up(count, zoo::product_lanes);
  for (auto summands : {bias, mask})
    if (summands)
      for (int64_t place = 0; place < whole; place += lanes)
        vector_at<lanes>(products + place) += vector_at<lanes>(summands + place);
  for (auto place = count; place < whole; place++) products[place] = -1e30f;
  Vector peaks = vector_at<lanes>(products);
  for (int64_t place = lanes; place < whole; place += lanes) {
    Vector next = vector_at<lanes>(products + place);
    peaks = peaks > next ? peaks : next;
  }
  float peak = row.peak;
  for (int lane = 0; lane < lanes; lane++) peak = std::max(peak, peaks[lane]);
  Vector sums{};
  for (int64_t place = 0; place < whole; place += lanes) {
    Vector x = vector_at<lanes>(products + place) - peak;
    Vector power = x < lowest ? lowest : x;
    zoo::exponentiate<lanes>(power);
    power = x < lowest ? zero : power;
    vector_at<lanes>(products + place) = power;
    sums += power;
  }
  float sum = 0;
  for (int lane = 0; lane < lanes; lane++) sum += sums[lane];
  Vector before = zero + std::max(row.peak - peak, least);
  zoo::exponentiate<lanes>(before);
  float earlier = row.sum > 0 ? before[0] : 0;
  row.sum = row.sum * earlier + sum;
  row.peak = peak;
  return earlier;
}

void multiply_8(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c, int64_t c_row,
                int64_t rows, int64_t columns, int64_t depth, bool adds) {
  multiply_all<8, 2>(a, a_row, a_column, b, b_row, c, c_row, rows, columns, depth, adds);
}

float soften_8(float *products, const float *bias, const float *mask, int64_t count, zoo::SoftmaxRow &row) {
  return soften<8>(products, bias, mask, count, row);
}

ZOO_WIDE void multiply_16(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c,
                          int64_t c_row, int64_t rows, int64_t columns, int64_t depth, bool adds) {
  multiply_all<16, 4>(a, a_row, a_column, b, b_row, c, c_row, rows, columns, depth, adds);
}

ZOO_WIDE float soften_16(float *products, const float *bias, const float *mask, int64_t count, zoo::SoftmaxRow &row) {
  return soften<16>(products, bias, mask, count, row);
}

ZOO_MIDDLE void multiply_8_fused(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c,
                                 int64_t c_row, int64_t rows, int64_t columns, int64_t depth, bool adds) {
  multiply_all<8, 2>(a, a_row, a_column, b, b_row, c, c_row, rows, columns, depth, adds);
}

ZOO_MIDDLE float soften_8_fused(float *products, const float *bias, const float *mask, int64_t count,
                                zoo::SoftmaxRow &row) {
  return soften<8>(products, bias, mask, count, row);
}

struct Kernels {
  decltype(&multiply_8) multiply = zoo::fitting(multiply_16, multiply_8_fused, multiply_8);
  decltype(&soften_8) soften = zoo::fitting(soften_16, soften_8_fused, soften_8);
};

const Kernels &kernels() {
  static const Kernels chosen;
  return chosen;
}

}  // namespace

namespace zoo {

void multiply(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c, int64_t c_row,
              int64_t rows, int64_t columns, int64_t depth, bool adds) {
  kernels().multiply(a, a_row, a_column, b, b_row, c, c_row, rows, columns, depth, adds);
}

float add_to_softmax(float *products, const float *bias, const float *mask, int64_t count, SoftmaxRow &row) {
  return kernels().soften(products, bias, mask, count, row);
}

}  // namespace zoo
