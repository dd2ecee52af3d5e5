// Steps of networks that work on sequences of tokens: row-major matrices, a row for each token, rows at a stride of their
// own. Callers have checked every size.
#pragma once
#include "onednn_inference.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Weights of linear layers, in panels of 64 outputs that are read from their beginning to their end.
typedef struct zoo_panels zoo_panels;

typedef enum {
  ZOO_PANELS_FLOAT32,
  ZOO_PANELS_BFLOAT16,  // rounded to nearest
  ZOO_PANELS_INT8       // whole numbers from -127 to 127, times a factor for each output
} zoo_panel_kind;

/// Floats to which the outputs of every layer, and so the rows of every matrix here, are rounded up.
enum { zoo_panel_outputs = 64 };

/// Room for `outputs`, a multiple of 64; NULL where there is no memory.
zoo_panels *zoo_panels_create(int64_t inputs, int64_t outputs, zoo_panel_kind kind);
void zoo_panels_destroy(zoo_panels *panels);
int64_t zoo_panels_bytes(const zoo_panels *panels);
/// Weights [outputs, inputs], or [inputs, outputs] where `is_transposed`, for outputs from `first` on, a multiple of 64.
void zoo_panels_pack(zoo_panels *panels, int64_t first, const float *weights, int64_t outputs, int32_t is_transposed);

/// activation(input · Wᵀ + bias) + residual, rows of each so many floats apart.
typedef struct {
  const float *input;
  int64_t rows, input_row;
  /// NULL for none; as many as the panels' outputs.
  const float *bias;
  zoo_activation activation;
  /// NULL for none.
  const float *residual;
  int64_t residual_row;
  float *output;
  int64_t output_row;
} zoo_product;

void zoo_panels_multiply(const zoo_panels *panels, const zoo_product *product);

/// One sequence's share of an attention.
typedef struct {
  const float *queries, *keys, *values;
  float *output;
  int64_t query_row, key_row, value_row, output_row;
  int64_t query_count, key_count;
} zoo_sequence;

typedef struct {
  int64_t heads, width;
  float scale;
  /// Whether the last query sees all keys, the one before it all but the last, and so on; else all see all.
  int32_t is_causal;
  /// NULL, or for each head `distances` numbers: what is added for a key so far behind its query, the middle one for the
  /// query's own place. Places count from the keys' first; the last query stands at the last key's place.
  const float *bias;
  int64_t distances;
} zoo_sequence_attention;

/// Floats of memory that it needs, for the longest of the sequences.
int64_t zoo_attend_scratch(const zoo_sequence_attention *attention, int64_t longest_keys);
void zoo_attend(const zoo_sequence_attention *attention, const zoo_sequence *sequences, int64_t count, float *scratch);

/// (x - mean) / √(variance + epsilon) · weight + bias for each row of `columns`; without a bias the mean is left in, and
/// the mean square stands for the variance.
void zoo_normalize_rows(const float *input, int64_t input_row, float *output, int64_t output_row, int64_t rows,
                        int64_t columns, const float *weight, const float *bias, float epsilon);
/// Row by row a + b, a · b, a · factor; activation(a).
void zoo_add_rows(const float *a, int64_t a_row, const float *b, int64_t b_row, float *output, int64_t output_row,
                  int64_t rows, int64_t columns);
void zoo_multiply_rows(const float *a, int64_t a_row, const float *b, int64_t b_row, float *output, int64_t output_row,
                       int64_t rows, int64_t columns);
void zoo_scale_rows(const float *a, int64_t a_row, float factor, float *output, int64_t output_row, int64_t rows,
                    int64_t columns);
void zoo_activate_rows(const float *a, int64_t a_row, zoo_activation activation, float *output, int64_t output_row,
                       int64_t rows, int64_t columns);

/// Threads of all of the above, for the calling thread: below 1 as many as there are cores.
void zoo_sequences_use_threads(int32_t threads);

#ifdef __cplusplus
}
#endif
