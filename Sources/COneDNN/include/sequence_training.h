// The way back through networks of sequences; see sequences.h. Matrices are row-major without gaps, gradients are added to
// what stands there. Callers have checked every size.
#pragma once
#include "sequences.h"

#ifdef __cplusplus
extern "C" {
#endif

/// result [rows, columns] = first [rows, depth] · second [depth, columns], or is added to where `adds`; a turned factor
/// stands in memory as [depth, rows] or [columns, depth]. Not 0 where it failed.
int32_t zoo_multiply_matrices(const float *first, int32_t is_first_turned, const float *second, int32_t is_second_turned,
                              float *result, int64_t rows, int64_t columns, int64_t depth, int32_t adds);

/// Adds to a bias's gradient the sum of each column.
void zoo_sum_columns(const float *slopes, int64_t rows, int64_t columns, float *sums);
/// Adds `bias` to every row.
void zoo_add_bias(float *values, const float *bias, int64_t rows, int64_t columns);

/// Gradients of zoo_normalize_rows. `bias_slopes` is NULL where the mean was left in; any of the three may be NULL where
/// nobody asks, except that `centers` says then whether there was a bias. `statistics` has room for 2 · rows.
typedef struct {
  const float *input, *slopes, *weight;
  int64_t rows, columns;
  int32_t centers;
  float epsilon;
  float *input_slopes, *weight_slopes, *bias_slopes;
  float *statistics;
} zoo_normalization_gradient;
void zoo_normalize_rows_backward(const zoo_normalization_gradient *gradient);

/// to += slopes · activation'(input); `count` is rounded up to whole vectors, for which there is room.
void zoo_activate_backward(const float *input, const float *slopes, float *to, int64_t count, zoo_activation activation);
/// to += factor · a, and to += a · b.
void zoo_add_scaled(const float *a, float factor, float *to, int64_t count);
void zoo_add_product(const float *a, const float *b, float *to, int64_t count);

/// to (+)= values, where kept divided by the share that is kept, else 0; the choice follows from seed and place.
void zoo_drop(const float *values, float *to, int64_t count, float probability, uint64_t seed, int32_t adds);

/// What one sequence's share of an attention's output says of what it was made from.
typedef struct {
  zoo_sequence forward;
  /// Rows of the output's gradient, as many floats apart as those of the output.
  const float *slopes;
  /// Each may be NULL. Rows are as far apart as those of queries, keys and values.
  float *query_slopes, *key_slopes, *value_slopes;
  /// heads × distances, as the bias.
  float *bias_slopes;
} zoo_sequence_gradient;

/// Floats of memory that it needs, for the longest of the sequences.
int64_t zoo_attend_backward_scratch(const zoo_sequence_attention *attention, int64_t longest_keys);
void zoo_attend_backward(const zoo_sequence_attention *attention, const zoo_sequence_gradient *sequences, int64_t count,
                         float *scratch);

/// Softmax cross-entropy of each row of logits with its target, a column; rows with a negative one don't count.
/// Logits become the gradient of `scale` · the sum of the losses. `places` receives for each row the column that was
/// the largest.
void zoo_cross_entropy_rows(float *logits, int64_t rows, int64_t columns, const int32_t *targets, float smoothing,
                            float scale, double *losses, int32_t *places);

#ifdef __cplusplus
}
#endif
