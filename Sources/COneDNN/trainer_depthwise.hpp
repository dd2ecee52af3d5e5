// The gradient of a depthwise convolution's weights, where oneDNN has no kernel for it but its loop of reference: windows
// of five and more.
#pragma once
#include <functional>

#include "trainer.hpp"

namespace zoo {

/// Writes the gradients of the weights, [channels, height, width], and of the bias; either may be null.
using DepthwiseGradient =
    std::function<void(const float *input, const float *slope, float *weights, float *bias)>;

/// Nothing where the convolution isn't depthwise or its values aren't laid out in blocks.
DepthwiseGradient depthwise_gradient(const dnnl::memory &input, const dnnl::memory &output, int64_t groups,
                                     const zoo_window &window);

}  // namespace zoo
