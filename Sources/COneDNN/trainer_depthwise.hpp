// Gradients of depthwise convolutions, where oneDNN has no kernel for them but its loop of reference: those of the weights
// of windows of five and more, those of the input where the window is dilated.
#pragma once
#include <functional>

#include "trainer.hpp"

namespace zoo {

struct Depthwise {
  /// Writes the gradients of the weights, [channels, height, width], and of the bias; either may be null.
  std::function<void(const float *input, const float *slope, float *weights, float *bias)> weights;
  /// Writes the gradient of the input.
  std::function<void(const float *weights, const float *slope, float *target)> input;
};

/// Nothing where the convolution isn't depthwise or its values aren't laid out in blocks.
Depthwise depthwise(const dnnl::memory &input, const dnnl::memory &output, int64_t groups, const zoo_window &window);

}  // namespace zoo
