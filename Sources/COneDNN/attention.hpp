// Attention over channel-blocked pictures, shared by inference and training.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "onednn_attention.h"
#include "small_product.hpp"

namespace zoo {

/// Where a picture's numbers stand: channels in blocks, or row-major where a block is one.
struct PictureLayout {
  int64_t channels, pixels, block, blocks;

  PictureLayout(int64_t channels, int64_t pixels, int64_t block)
      : channels(channels), pixels(pixels), block(block), blocks((channels + block - 1) / block) {}
  int64_t size() const { return blocks * block * pixels; }
  int64_t place(int64_t channel, int64_t pixel) const {
    return ((channel / block) * pixels + pixel) * block + channel % block;
  }
};

/// An attention with copies of what its description points to.
class AttentionShape {
 public:
  AttentionShape(const zoo_attention &attention, int64_t pictures, int64_t pixels, int64_t input_block,
                 int64_t output_block);

  int64_t pictures, heads, width, groups, length, table_rows;
  float scale;
  bool is_cosine;
  PictureLayout input, output;
  /// `length` rounded up as products want their rows, and then their columns.
  int64_t rows, columns;
  /// `width` rounded up to whole vectors.
  int64_t padded_width;
  std::vector<int32_t> bias_rows;

  const int32_t *tokens(int64_t group) const { return tokens_.data() + group * length; }
  /// length × columns summands of a group's products; NULL for none.
  const float *mask(int64_t group) const {
    return mask_of_[group] < 0 ? nullptr : masks_.data() + mask_of_[group] * length * columns;
  }
  /// heads × length × columns numbers out of a table [table_rows, heads].
  std::vector<float> biases(const float *table) const;
  /// What the products of a head are multiplied by.
  float factor(int64_t head, const float *head_scales) const { return head_scales ? head_scales[head] : scale; }

  /// Copies a group's queries (part 0), keys (1) or values (2) of one head out of a picture, a token a row.
  void gather(const float *picture, int part, int64_t head, int64_t group, float *to, int64_t row) const;

 private:
  std::vector<int32_t> tokens_;
  std::vector<int64_t> mask_of_;
  std::vector<float> masks_;
};

/// Copies `count` channels of some pixels from a picture to rows, or back.
void gather_rows(const PictureLayout &layout, const float *picture, int64_t channel, int64_t count,
                 const int32_t *pixels, int64_t length, float *to, int64_t row);
void scatter_rows(const PictureLayout &layout, float *picture, int64_t channel, int64_t count, const int32_t *pixels,
                  int64_t length, const float *from, int64_t row);
/// Divides rows by their norms, at least 1e-12; `norms` receives those.
void normalize_rows(float *rows, int64_t row, int64_t count, int64_t width, float *norms);
/// Transposes rows into panels of product_columns columns: what multiply() takes for its right factor, one panel a call.
void transpose_into_panels(const float *rows, int64_t row, int64_t count, int64_t width, float *panels);

/// Floats of memory that attend() needs for each thread.
int64_t attention_scratch(const AttentionShape &shape);
/// The whole forward pass, on all threads. `biases` as AttentionShape makes them, or NULL.
void attend(const AttentionShape &shape, const float *biases, const float *head_scales, const float *input,
            float *output, float *scratch);

}  // namespace zoo
