// Activation functions on vectors; errors below 3e-7.
#pragma once
#include "onednn_inference.h"
#include "vectors.hpp"

namespace zoo {

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type logistic(typename Lanes<lanes>::type x) {
  auto power = clamped<lanes>(-x, -87.0f, 87.0f);
  exponentiate<lanes>(power);
  return 1.0f / (1.0f + power);
}

// 2 · logistic(2x) - 1, and x - x³ / 3 near zero, where that loses digits.
template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type tangent(typename Lanes<lanes>::type x) {
  using Vector = typename Lanes<lanes>::type;
  Vector far = 2.0f * logistic<lanes>(2.0f * x) - 1.0f;
  Vector square = x * x;
  Vector near = x * (1.0f + square * (-1.0f / 3 + square * (2.0f / 15 + square * (-17.0f / 315))));
  return square < Vector{} + 0.01f ? near : far;
}

// Abramowitz and Stegun 7.1.26.
template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type error_function(typename Lanes<lanes>::type x) {
  using Vector = typename Lanes<lanes>::type;
  Vector size = x < Vector{} ? -x : x;
  Vector t = 1.0f / (1.0f + 0.3275911f * size);
  Vector power = clamped<lanes>(-x * x, -87.0f, 0.0f);
  exponentiate<lanes>(power);
  Vector sum = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  Vector result = 1.0f - sum * power;
  return x < Vector{} ? -result : result;
}

template <int lanes>
ALWAYS_INLINE typename Lanes<lanes>::type activated(typename Lanes<lanes>::type x, zoo_activation activation) {
  using Vector = typename Lanes<lanes>::type;
  switch (activation) {
    case ZOO_NO_ACTIVATION: return x;
    case ZOO_RELU: return x > Vector{} ? x : Vector{};
    case ZOO_RELU6: return clamped<lanes>(x, 0.0f, 6.0f);
    case ZOO_SIGMOID: return logistic<lanes>(x);
    case ZOO_SILU: return x * logistic<lanes>(x);
    case ZOO_GELU: return 0.5f * x * (1.0f + error_function<lanes>(x * 0.70710678118f));
    case ZOO_GELU_TANH:
      return 0.5f * x * (1.0f + tangent<lanes>(0.79788456080f * (x + 0.044715f * x * x * x)));
    case ZOO_HARD_SIGMOID: return clamped<lanes>(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6);
    case ZOO_HARD_SWISH: return x * clamped<lanes>(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6);
    case ZOO_TANH: return tangent<lanes>(x);
  }
  return x;
}

}  // namespace zoo
