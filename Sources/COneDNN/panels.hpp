// Panels of weights, and what becomes of products with them.
#pragma once
#include <algorithm>
#include <vector>

#include "activations.hpp"
#include "network.hpp"
#include "sequences.h"

struct zoo_panels {
  int64_t inputs, outputs;
  zoo_panel_kind kind;
  zoo::Pages weights;
  std::vector<float> factors;

  int64_t count() const { return outputs / zoo_panel_outputs; }
  // Numbers of a panel. Of bfloat16 two of one output stand side by side, so that an odd one is followed by zeros.
  int64_t panel_size() const {
    return (kind == ZOO_PANELS_BFLOAT16 ? (inputs + 1) / 2 * 2 : inputs) * zoo_panel_outputs;
  }
};

namespace zoo {

// Rows that a tile of the result has at most: with four vectors of each they fill AVX-512's registers.
constexpr int tile_rows = 6;
// Rows that one thread takes of a panel at once: their inputs stay in its cache.
constexpr int64_t block_rows = 96;

// What becomes of sums.
struct Finish {
  const float *factors, *bias, *residual;
  int64_t residual_row;
  zoo_activation activation;

  // For the outputs from `output` on, of rows from `row` on.
  Finish(const zoo_panels &panels, const zoo_product &product, int64_t output, int64_t row)
      : factors(panels.factors.empty() ? nullptr : panels.factors.data() + output),
        bias(product.bias ? product.bias + output : nullptr),
        residual(product.residual ? product.residual + row * product.residual_row + output : nullptr),
        residual_row(product.residual_row),
        activation(product.activation) {}
};

template <int lanes, int rows, int vectors>
ALWAYS_INLINE void finish_tile(const typename Lanes<lanes>::type (&sums)[rows][vectors], float *c, int64_t c_row,
                               const Finish &finish) {
  using Vector = typename Lanes<lanes>::type;
#pragma clang loop unroll(full)
  for (int vector = 0; vector < vectors; vector++) {
    auto offset = vector * lanes;
    Vector factor = finish.factors ? vector_at<lanes>(finish.factors + offset) : Vector{} + 1.0f;
    Vector bias = finish.bias ? vector_at<lanes>(finish.bias + offset) : Vector{};
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
      Vector sum = activated<lanes>(sums[row][vector] * factor + bias, finish.activation);
      if (finish.residual) sum += vector_at<lanes>(finish.residual + row * finish.residual_row + offset);
      vector_at<lanes>(c + row * c_row + offset) = sum;
    }
  }
}

/// Whether products of many rows are faster with inputs rounded to bfloat16: where the processor multiplies those itself.
bool multiplies_rounded(const zoo_panels &panels, int64_t rows);
/// The product with inputs rounded to bfloat16.
void multiply_rounded(const zoo_panels &panels, const zoo_product &product);

}  // namespace zoo
