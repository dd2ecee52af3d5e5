// Steps of networks that work on tokens: attention, and pixels put elsewhere.
//
// Functions that can fail return a negative number; zoo_network_error() and zoo_trainer_error() then say why.
#pragma once
#include "onednn_training.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Multi-head attention of the pixels of [N, 3 · heads · width, H, W]; what the pointers point to is copied.
typedef struct {
  int64_t heads, width;
  /// Pixels attend to each other within a group of `length`.
  int64_t groups, length;
  /// groups × length pixels, each of the picture's once.
  const int32_t *tokens;
  /// NULL, or groups × length regions: products of tokens of different regions get `masked_product`.
  const int32_t *regions;
  /// NULL, or length × length rows of the bias table [table_rows, heads], for each query and key.
  const int32_t *bias_rows;
  int64_t table_rows;
  /// Multiplies products of queries and keys.
  float scale;
  float masked_product;
  /// Whether queries and keys are divided by their norms; products are then multiplied by a scale of each head's own.
  int32_t is_cosine;
  /// The largest of those.
  float largest_scale;
} zoo_attention;

/// `table` [table_rows, heads] where there are bias rows, `head_scales` [heads] for cosines; both are copied. Tensors are
/// blocked.
int32_t zoo_network_add_attention(zoo_network *network, int32_t input, int32_t output, const zoo_attention *attention,
                                  const float *table, const float *head_scales);
/// Pixels of blocked [N, C, H, W] put elsewhere: `parts` times the input's channels, for each part and each pixel of the
/// output the input's pixel or -1 for zeros; then `summands` [pixels, C] are added to every picture, if any. The output
/// is blocked, or plain [N, C] of one pixel.
int32_t zoo_network_add_pixel_map(zoo_network *network, int32_t input, int32_t output, int64_t parts,
                                  const int32_t *sources, const float *summands);

/// A parameter, or a buffer, as a value: [rows, columns] at `offset` of its flat buffer.
int32_t zoo_trainer_add_parameter(zoo_trainer *trainer, int64_t rows, int64_t columns, int64_t offset,
                                  int32_t is_buffer, int32_t trains);
/// `table` [table_rows, heads] and `logarithms` of the heads' scales [heads, 1] are values, or -1.
int32_t zoo_trainer_add_attention(zoo_trainer *trainer, int32_t input, int32_t output, const zoo_attention *attention,
                                  int32_t table, int32_t logarithms);
int32_t zoo_trainer_add_pixel_map(zoo_trainer *trainer, int32_t input, int32_t output, int64_t parts,
                                  const int32_t *sources);
/// Patches [N, D, h, w] behind a class token [1, D], each plus its position: the sum of `taps` rows of `positions`
/// [1 + learnt, D], whose first is the class token's. `places` (from 0 for the second row) and `factors` have taps × h × w
/// numbers.
int32_t zoo_trainer_add_tokens(zoo_trainer *trainer, int32_t input, int32_t output, int32_t class_token,
                               int32_t positions, int64_t taps, const int32_t *places, const float *factors);
/// A learnt summand for each channel but those from `first` to before `last`.
int32_t zoo_trainer_add_channel_shift(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters,
                                      int64_t first, int64_t last);

#ifdef __cplusplus
}
#endif
