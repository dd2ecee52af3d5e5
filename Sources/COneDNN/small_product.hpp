// Products of matrices that fit into a cache, and the softmax of their rows, in the widest vectors that the processor has.
#pragma once
#include <cstdint>

namespace zoo {

/// Rows that a product makes at once: matrices have their rows rounded up to it.
constexpr int64_t product_rows = 6;
/// Floats to which rows of the right factor and of the result are rounded up.
constexpr int64_t product_lanes = 16;
/// Columns that a product makes at once.
constexpr int64_t product_columns = 64;

constexpr int64_t rounded_up(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

/// c [rows, columns] = a [rows, depth] · b [depth, columns], or is added to where `adds`. Rows of a are `a_row` apart, its
/// columns `a_column`. `rows` is a multiple of product_rows, `columns` of product_lanes.
void multiply(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c, int64_t c_row,
              int64_t rows, int64_t columns, int64_t depth, bool adds);

/// What softmax of a row has seen so far.
struct SoftmaxRow {
  float peak = -1e30f;
  float sum = 0;
};

/// Adds `bias` and `mask` (NULL for none) to `count` products and makes them powers exp(product - peak), with the largest
/// product so far for the peak; those up to the next multiple of product_lanes become 0.
/// Returns what earlier powers and sums are to be multiplied by, which `row` has been.
float add_to_softmax(float *products, const float *bias, const float *mask, int64_t count, SoftmaxRow &row);

}  // namespace zoo
