// Row by row gradients of sequences; see sequence_training.h.
#include "sequence_training.h"

#include <algorithm>
#include <cmath>

#include "activations.hpp"
#include "network.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace {

using zoo::by_pieces;
using zoo::Lanes;
using zoo::share;
using zoo::vector_at;

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type slope_of(typename Lanes<lanes>::type x, zoo_activation activation) {
  using Vector = typename Lanes<lanes>::type;
  const Vector zero{}, one = zero + 1.0f;
  switch (activation) {
    case ZOO_NO_ACTIVATION: return one;
    case ZOO_RELU: return x > zero ? one : zero;
    case ZOO_RELU6: return x > zero ? (x < zero + 6.0f ? one : zero) : zero;
    case ZOO_SIGMOID: {
      Vector y = zoo::logistic<lanes>(x);
      return y * (1.0f - y);
    }
    case ZOO_SILU: {
      Vector y = zoo::logistic<lanes>(x);
      return y * (1.0f + x * (1.0f - y));
    }
    case ZOO_GELU: {
      Vector density = zoo::clamped<lanes>(-0.5f * x * x, -87.0f, 0.0f);
      zoo::exponentiate<lanes>(density);
      return 0.5f * (1.0f + zoo::error_function<lanes>(x * 0.70710678118f)) + x * density * 0.3989422804f;
    }
    case ZOO_GELU_TANH: {
      Vector t = zoo::tangent<lanes>(0.79788456080f * (x + 0.044715f * x * x * x));
      return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.79788456080f * (1.0f + 0.134145f * x * x);
    }
    case ZOO_HARD_SIGMOID: return x > zero - 3.0f ? (x < zero + 3.0f ? zero + 1.0f / 6 : zero) : zero;
    case ZOO_HARD_SWISH: {
      Vector inside = (2.0f * x + 3.0f) * (1.0f / 6);
      return x > zero - 3.0f ? (x < zero + 3.0f ? inside : one) : zero;
    }
    case ZOO_TANH: {
      Vector t = zoo::tangent<lanes>(x);
      return 1.0f - t * t;
    }
  }
  return one;
}

template <int lanes>
ALWAYS_INLINE void activate_backward(const float *x, const float *slopes, float *to, int64_t count,
                                     zoo_activation activation) {
  for (int64_t place = 0; place < count; place += lanes)
    vector_at<lanes>(to + place) +=
        vector_at<lanes>(slopes + place) * slope_of<lanes>(vector_at<lanes>(x + place), activation);
}

struct Moments {
  float mean, factor;
};

template <int lanes>
ALWAYS_INLINE Moments normalize_backward(const float *x, const float *slopes, const float *weight, float *to,
                                         int64_t columns, bool centers, float epsilon) {
  using Vector = typename Lanes<lanes>::type;
  auto whole = columns / lanes * lanes;
  auto count = static_cast<float>(columns);
  float mean = 0;
  if (centers) {
    Vector sums{};
    for (int64_t place = 0; place < whole; place += lanes) sums += vector_at<lanes>(x + place);
    mean = zoo::sum_of<lanes>(sums);
    for (auto place = whole; place < columns; place++) mean += x[place];
    mean /= count;
  }
  Vector squares{}, plain{}, products{};
  for (int64_t place = 0; place < whole; place += lanes) {
    Vector d = vector_at<lanes>(x + place) - mean, g = vector_at<lanes>(slopes + place) * vector_at<lanes>(weight + place);
    squares += d * d;
    plain += g;
    products += g * d;
  }
  float square = zoo::sum_of<lanes>(squares), sum = zoo::sum_of<lanes>(plain), product = zoo::sum_of<lanes>(products);
  for (auto place = whole; place < columns; place++) {
    float d = x[place] - mean, g = slopes[place] * weight[place];
    square += d * d;
    sum += g;
    product += g * d;
  }
  float factor = 1 / std::sqrt(square / count + epsilon);
  if (!to) return {mean, factor};
  float shift = centers ? sum / count : 0, turn = product * factor * factor / count;
  for (int64_t place = 0; place < whole; place += lanes)
    vector_at<lanes>(to + place) += (vector_at<lanes>(slopes + place) * vector_at<lanes>(weight + place) - shift -
                                     (vector_at<lanes>(x + place) - mean) * turn) * factor;
  for (auto place = whole; place < columns; place++)
    to[place] += (slopes[place] * weight[place] - shift - (x[place] - mean) * turn) * factor;
  return {mean, factor};
}

struct Loss {
  double value;
  int32_t place;
};

template <int lanes>
ALWAYS_INLINE Loss cross_entropy(float *row, int64_t columns, int32_t target, float smoothing, float scale) {
  using Vector = typename Lanes<lanes>::type;
  auto whole = columns / lanes * lanes;
  int32_t place = 0;
  for (int64_t column = 1; column < columns; column++)
    if (row[column] > row[place]) place = static_cast<int32_t>(column);
  float peak = row[place];
  double sum = 0, plain = 0;
  // Sums of a few thousand at a time lose no digits that count.
  for (int64_t start = 0; start < whole; start += 4096) {
    Vector powers{}, values{};
    for (auto column = start; column < std::min(start + 4096, whole); column += lanes) {
      Vector x = vector_at<lanes>(row + column) - peak, power = zoo::clamped<lanes>(x, -87.0f, 0.0f);
      zoo::exponentiate<lanes>(power);
      powers += power;
      values += x;
    }
    sum += zoo::sum_of<lanes>(powers);
    plain += zoo::sum_of<lanes>(values);
  }
  for (auto column = whole; column < columns; column++) {
    sum += std::exp(static_cast<double>(row[column] - peak));
    plain += row[column] - peak;
  }
  if (target < 0) {
    std::fill(row, row + columns, 0.0f);
    return {0, place};
  }
  auto logarithm = std::log(sum);
  auto loss = logarithm - (1 - smoothing) * (row[target] - peak) - smoothing * plain / columns;
  auto factor = static_cast<float>(scale / sum), even = scale * smoothing / static_cast<float>(columns);
  for (int64_t column = 0; column < whole; column += lanes) {
    Vector power = zoo::clamped<lanes>(vector_at<lanes>(row + column) - peak, -87.0f, 0.0f);
    zoo::exponentiate<lanes>(power);
    vector_at<lanes>(row + column) = power * factor - even;
  }
  for (auto column = whole; column < columns; column++) row[column] = std::exp(row[column] - peak) * factor - even;
  row[target] -= scale * (1 - smoothing);
  return {loss, place};
}

#define ZOO_KERNELS(name, attributes, lanes)                                                                       \
  attributes void activate_##name(const float *x, const float *slopes, float *to, int64_t count,                   \
                                  zoo_activation activation) {                                                     \
    activate_backward<lanes>(x, slopes, to, count, activation);                                                    \
  }                                                                                                                \
  attributes Moments normalize_##name(const float *x, const float *slopes, const float *weight, float *to,         \
                                      int64_t columns, bool centers, float epsilon) {                              \
    return normalize_backward<lanes>(x, slopes, weight, to, columns, centers, epsilon);                            \
  }                                                                                                                \
  attributes Loss entropy_##name(float *row, int64_t columns, int32_t target, float smoothing, float scale) {      \
    return cross_entropy<lanes>(row, columns, target, smoothing, scale);                                           \
  }

ZOO_KERNELS(wide, ZOO_WIDE, 16)
ZOO_KERNELS(middle, ZOO_MIDDLE, 8)
ZOO_KERNELS(narrow, , 8)

struct Kernels {
  decltype(&activate_narrow) activate = zoo::fitting(activate_wide, activate_middle, activate_narrow);
  decltype(&normalize_narrow) normalize = zoo::fitting(normalize_wide, normalize_middle, normalize_narrow);
  decltype(&entropy_narrow) entropy = zoo::fitting(entropy_wide, entropy_middle, entropy_narrow);
};

const Kernels &kernels() {
  static const Kernels chosen;
  return chosen;
}

}  // namespace

extern "C" {

int32_t zoo_multiply_matrices(const float *first, int32_t is_first_turned, const float *second, int32_t is_second_turned,
                              float *result, int64_t rows, int64_t columns, int64_t depth, int32_t adds) {
  return dnnl_sgemm(is_first_turned ? 'T' : 'N', is_second_turned ? 'T' : 'N', rows, columns, depth, 1, first,
                    is_first_turned ? rows : depth, second, is_second_turned ? depth : columns, adds ? 1 : 0, result,
                    columns);
}

void zoo_sum_columns(const float *slopes, int64_t rows, int64_t columns, float *sums) {
  share(columns, rows, [&](int64_t first, int64_t last) {
    for (int64_t row = 0; row < rows; row++)
      for (auto column = first; column < last; column++) sums[column] += slopes[row * columns + column];
  });
}

void zoo_add_bias(float *values, const float *bias, int64_t rows, int64_t columns) {
  share(rows, columns, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++)
      for (int64_t column = 0; column < columns; column++) values[row * columns + column] += bias[column];
  });
}

void zoo_normalize_rows_backward(const zoo_normalization_gradient *gradient) {
  auto &g = *gradient;
  share(g.rows, g.columns, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++) {
      auto place = row * g.columns;
      auto moments = kernels().normalize(g.input + place, g.slopes + place, g.weight,
                                         g.input_slopes ? g.input_slopes + place : nullptr, g.columns, g.centers, g.epsilon);
      g.statistics[2 * row] = moments.mean;
      g.statistics[2 * row + 1] = moments.factor;
    }
  });
  if (g.bias_slopes) zoo_sum_columns(g.slopes, g.rows, g.columns, g.bias_slopes);
  if (!g.weight_slopes) return;
  share(g.columns, g.rows, [&](int64_t first, int64_t last) {
    for (int64_t row = 0; row < g.rows; row++) {
      auto mean = g.statistics[2 * row], factor = g.statistics[2 * row + 1];
      for (auto column = first; column < last; column++) {
        auto place = row * g.columns + column;
        g.weight_slopes[column] += g.slopes[place] * (g.input[place] - mean) * factor;
      }
    }
  });
}

void zoo_activate_backward(const float *input, const float *slopes, float *to, int64_t count, zoo_activation activation) {
  by_pieces(count, [&](int64_t first, int64_t last) {
    kernels().activate(input + first, slopes + first, to + first, last - first, activation);
  });
}

void zoo_add_scaled(const float *a, float factor, float *to, int64_t count) {
  by_pieces(count, [&](int64_t first, int64_t last) {
    for (auto place = first; place < last; place++) to[place] += factor * a[place];
  });
}

void zoo_add_product(const float *a, const float *b, float *to, int64_t count) {
  by_pieces(count, [&](int64_t first, int64_t last) {
    for (auto place = first; place < last; place++) to[place] += a[place] * b[place];
  });
}

void zoo_drop(const float *values, float *to, int64_t count, float probability, uint64_t seed, int32_t adds) {
  float kept = probability < 1 ? 1 / (1 - probability) : 0;
  by_pieces(count, [&](int64_t first, int64_t last) {
    for (auto place = first; place < last; place++) {
      float value = zoo::uniform(seed, static_cast<uint64_t>(place)) < probability ? 0 : values[place] * kept;
      to[place] = adds ? to[place] + value : value;
    }
  });
}

void zoo_cross_entropy_rows(float *logits, int64_t rows, int64_t columns, const int32_t *targets, float smoothing,
                            float scale, double *losses, int32_t *places) {
  share(rows, columns, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++) {
      auto loss = kernels().entropy(logits + row * columns, columns, targets[row], smoothing, scale);
      losses[row] = loss.value;
      places[row] = loss.place;
    }
  });
}

}  // extern "C"
