// Softmax cross-entropy of a class for each pixel, as torch.nn.functional.cross_entropy has it for [N, C, H, W].
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The class of pixels that nothing is said of.
#define ZOO_IGNORED_CLASS 255

typedef struct {
  /// [pictures, classes, pixels].
  const float *logits;
  /// [pictures, pixels], below `classes` or ZOO_IGNORED_CLASS.
  const uint8_t *truth;
  int64_t pictures, classes, pixels;
  float smoothing;
  /// One a class; NULL for 1.
  const float *weights;
} zoo_pixel_task;

typedef struct {
  /// Sum over the pixels that count; over `weight` it is the mean.
  double loss;
  /// Sum of the weights of their classes.
  double weight;
  int64_t counted, correct;
} zoo_pixel_outcome;

/// Fills the gradient of the mean, laid out as the logits, and the likeliest class of every pixel; NULL for either leaves it
/// out. Sums run in an order that doesn't depend on the threads. Returns -1 where a class is neither below `classes` nor
/// ignored, or there are more classes than a byte can tell.
int32_t zoo_pixel_cross_entropy(const zoo_pixel_task *task, float *gradient, uint8_t *likeliest,
                                zoo_pixel_outcome *outcome);

/// Adds the pixels that count to `counts[truth * classes + found]`.
void zoo_count_confusion(const uint8_t *truth, const uint8_t *found, int64_t count, int64_t classes, int64_t *counts);

#ifdef __cplusplus
}
#endif
