#include "optimizers.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.hpp"
#include "vectors.hpp"

namespace {

ALWAYS_INLINE void adamw(float *__restrict parameters, const float *__restrict gradient, float *__restrict first,
                         float *__restrict second, int64_t count, zoo_adamw_step step) {
  for (int64_t place = 0; place < count; place++) {
    float slope = gradient[place] * step.scale;
    first[place] = 0.9f * first[place] + 0.1f * slope;
    second[place] = 0.999f * second[place] + 0.001f * slope * slope;
    float size = (first[place] / step.first_correction) / (std::sqrt(second[place] / step.second_correction) + 1e-8f);
    parameters[place] = parameters[place] * (1 - step.rate * step.decay) - step.rate * size;
  }
}

ALWAYS_INLINE void sgd(float *__restrict parameters, const float *__restrict gradient, float *__restrict momentum,
                       int64_t count, float rate, float decay, float scale) {
  for (int64_t place = 0; place < count; place++) {
    momentum[place] = 0.9f * momentum[place] + gradient[place] * scale + decay * parameters[place];
    parameters[place] -= rate * momentum[place];
  }
}

ALWAYS_INLINE double sum_of_squares(const float *values, int64_t count) {
  constexpr int lanes = 16;
  double sums[lanes] = {};
  auto whole = count / lanes * lanes;
  for (int64_t place = 0; place < whole; place += lanes)
    for (int lane = 0; lane < lanes; lane++) {
      double value = values[place + lane];
      sums[lane] += value * value;
    }
  for (auto place = whole; place < count; place++) sums[0] += static_cast<double>(values[place]) * values[place];
  double sum = 0;
  for (auto part : sums) sum += part;
  return sum;
}

#define ZOO_KERNELS(name, attributes)                                                                            \
  attributes void adamw_##name(float *parameters, const float *gradient, float *first, float *second,            \
                               int64_t count, const zoo_adamw_step &step) {                                      \
    adamw(parameters, gradient, first, second, count, step);                                                     \
  }                                                                                                              \
  attributes void sgd_##name(float *parameters, const float *gradient, float *momentum, int64_t count,           \
                             float rate, float decay, float scale) {                                             \
    sgd(parameters, gradient, momentum, count, rate, decay, scale);                                              \
  }                                                                                                              \
  attributes double squares_##name(const float *values, int64_t count) { return sum_of_squares(values, count); }

ZOO_KERNELS(wide, ZOO_WIDE)
ZOO_KERNELS(middle, ZOO_MIDDLE)
ZOO_KERNELS(narrow, )

}  // namespace

extern "C" {

void zoo_adamw(float *parameters, const float *gradient, float *first, float *second, int64_t count,
               const zoo_adamw_step *step) {
  auto kernel = zoo::fitting(adamw_wide, adamw_middle, adamw_narrow);
  zoo::by_pieces(count, [&](int64_t begin, int64_t end) {
    kernel(parameters + begin, gradient + begin, first + begin, second + begin, end - begin, *step);
  });
}

void zoo_sgd(float *parameters, const float *gradient, float *momentum, int64_t count, float rate, float decay,
             float scale) {
  auto kernel = zoo::fitting(sgd_wide, sgd_middle, sgd_narrow);
  zoo::by_pieces(count, [&](int64_t begin, int64_t end) {
    kernel(parameters + begin, gradient + begin, momentum + begin, end - begin, rate, decay, scale);
  });
}

double zoo_sum_of_squares(const float *values, int64_t count) {
  auto kernel = zoo::fitting(squares_wide, squares_middle, squares_narrow);
  std::vector<double> sums((count + zoo::piece - 1) / zoo::piece);
  zoo::by_pieces(count, [&](int64_t begin, int64_t end) {
    for (auto start = begin; start < end; start += zoo::piece)
      sums[start / zoo::piece] = kernel(values + start, std::min(zoo::piece, end - start));
  });
  double sum = 0;
  for (auto part : sums) sum += part;
  return sum;
}

}  // extern "C"
