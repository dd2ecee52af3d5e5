#include "trainer_depthwise.hpp"

#include <algorithm>

#include "trainer_layout.hpp"
#include "vectors.hpp"

namespace {

// Columns and elements of a window; more are left to oneDNN.
constexpr int64_t widest = 16, largest = 256;

struct Geometry {
  int64_t pictures, channels, blocks, height, width, rows, columns;
  zoo_window window;

  // Output columns to which a column of the window gives what stands `offset` beside `stride` times their own place.
  struct Span {
    int64_t offset, first, end;
  };

  Span span(int64_t kernel) const {
    auto offset = kernel * window.dilation[1] - window.before[1], stride = window.stride[1];
    return {offset, offset < 0 ? (-offset + stride - 1) / stride : 0,
            offset < width ? std::min(columns, (width - 1 - offset) / stride + 1) : 0};
  }
};

// Sums are made for each row, then for each picture, then for all: one long sum would lose digits.
template <int lanes>
ALWAYS_INLINE void row_of_weights(const Geometry &shape, int64_t block, int64_t row, const float *input,
                                  const float *slope, float *weights, float *bias) {
  using Vector = typename zoo::Lanes<lanes>::type;
  auto &window = shape.window;
  Vector totals[widest] = {}, bias_total = {};
  for (int64_t picture = 0; picture < shape.pictures; picture++) {
    auto place = picture * shape.blocks + block;
    auto x = input + place * shape.height * shape.width * lanes;
    auto y = slope + place * shape.rows * shape.columns * lanes;
    Vector sums[widest] = {}, bias_sum = {};
    for (int64_t out = 0; out < shape.rows; out++) {
      auto y_row = y + out * shape.columns * lanes;
      if (bias && row == 0) {
        Vector sum = {};
        for (int64_t column = 0; column < shape.columns; column++)
          sum += zoo::vector_at<lanes>(y_row + column * lanes);
        bias_sum += sum;
      }
      auto in = out * window.stride[0] + row * window.dilation[0] - window.before[0];
      if (in < 0 || in >= shape.height) continue;
      auto x_row = x + in * shape.width * lanes;
      for (int64_t kernel = 0; kernel < window.kernel[1]; kernel++) {
        auto span = shape.span(kernel);
        Vector sum = {};
        for (auto column = span.first; column < span.end; column++)
          sum += zoo::vector_at<lanes>(x_row + (column * window.stride[1] + span.offset) * lanes) *
                 zoo::vector_at<lanes>(y_row + column * lanes);
        sums[kernel] += sum;
      }
    }
    for (int64_t kernel = 0; kernel < window.kernel[1]; kernel++) totals[kernel] += sums[kernel];
    bias_total += bias_sum;
  }
  auto channels = std::min<int64_t>(lanes, shape.channels - block * lanes);
  for (int64_t lane = 0; lane < channels; lane++) {
    auto channel = block * lanes + lane;
    if (weights)
      for (int64_t kernel = 0; kernel < window.kernel[1]; kernel++)
        weights[(channel * window.kernel[0] + row) * window.kernel[1] + kernel] = totals[kernel][lane];
    if (bias && row == 0) bias[channel] = bias_total[lane];
  }
}

// What a picture's block of channels passes back: each output's slope, by the window, onto the inputs it came from.
template <int lanes>
ALWAYS_INLINE void slopes_of_input(const Geometry &shape, int64_t place, const float *weights, const float *slope,
                                   float *target) {
  using Vector = typename zoo::Lanes<lanes>::type;
  auto &window = shape.window;
  auto elements = window.kernel[0] * window.kernel[1];
  auto block = place % shape.blocks, channels = std::min<int64_t>(lanes, shape.channels - block * lanes);
  Vector factors[largest] = {};
  for (int64_t element = 0; element < elements; element++)
    for (int64_t lane = 0; lane < channels; lane++)
      factors[element][lane] = weights[(block * lanes + lane) * elements + element];
  auto x = target + place * shape.height * shape.width * lanes;
  auto y = slope + place * shape.rows * shape.columns * lanes;
  std::fill_n(x, shape.height * shape.width * lanes, 0.0f);
  for (int64_t out = 0; out < shape.rows; out++)
    for (int64_t row = 0; row < window.kernel[0]; row++) {
      auto in = out * window.stride[0] + row * window.dilation[0] - window.before[0];
      if (in < 0 || in >= shape.height) continue;
      auto x_row = x + in * shape.width * lanes;
      auto y_row = y + out * shape.columns * lanes;
      for (int64_t kernel = 0; kernel < window.kernel[1]; kernel++) {
        auto span = shape.span(kernel);
        auto factor = factors[row * window.kernel[1] + kernel];
        for (auto column = span.first; column < span.end; column++)
          zoo::vector_at<lanes>(x_row + (column * window.stride[1] + span.offset) * lanes) +=
              factor * zoo::vector_at<lanes>(y_row + column * lanes);
      }
    }
}

struct Kernels {
  void (*weights)(const Geometry &, int64_t block, int64_t row, const float *input, const float *slope, float *weights,
                  float *bias);
  void (*input)(const Geometry &, int64_t place, const float *weights, const float *slope, float *target);
};

#define ZOO_KERNELS(name, lanes, attributes)                                                                    \
  attributes void name##_weights(const Geometry &shape, int64_t block, int64_t row, const float *input,         \
                                 const float *slope, float *weights, float *bias) {                             \
    row_of_weights<lanes>(shape, block, row, input, slope, weights, bias);                                      \
  }                                                                                                             \
  attributes void name##_input(const Geometry &shape, int64_t place, const float *weights, const float *slope,  \
                               float *target) {                                                                 \
    slopes_of_input<lanes>(shape, place, weights, slope, target);                                               \
  }                                                                                                             \
  constexpr Kernels name{name##_weights, name##_input};

ZOO_KERNELS(wide_16, 16, ZOO_WIDE)
ZOO_KERNELS(middle_8, 8, ZOO_MIDDLE)
ZOO_KERNELS(narrow_8, 8, )

}  // namespace

zoo::Depthwise zoo::depthwise(const dnnl::memory &input, const dnnl::memory &output, int64_t groups,
                              const zoo_window &window) {
  auto from = input.get_desc().dims(), to = output.get_desc().dims();
  Layout layout(output);
  bool is_wide = layout.block == 16 && instruction_set() == InstructionSet::wide;
  bool is_small = window.kernel[1] <= widest && window.kernel[0] * window.kernel[1] <= largest;
  if (groups != from[1] || groups != to[1] || !is_small || (layout.block != 8 && !is_wide)) return {};
  Geometry shape{to[0], to[1], layout.blocks, from[2], from[3], to[2], to[3], window};
  auto kernels = is_wide ? wide_16 : instruction_set() == InstructionSet::narrow ? narrow_8 : middle_8;
  Depthwise made;
  made.weights = [=](const float *x, const float *slope, float *weights, float *bias) {
    auto rows = shape.window.kernel[0];
    parallel(shape.blocks * rows, [&](int64_t first, int64_t last) {
      for (auto task = first; task < last; task++)
        kernels.weights(shape, task / rows, task % rows, x, slope, weights, bias);
    });
  };
  made.input = [=](const float *weights, const float *slope, float *target) {
    parallel(shape.pictures * shape.blocks, [&](int64_t first, int64_t last) {
      for (auto place = first; place < last; place++) kernels.input(shape, place, weights, slope, target);
    });
  };
  return made;
}
