// Row by row steps of sequences; see sequences.h.
#include <algorithm>
#include <cmath>

#include "activations.hpp"
#include "parallel.hpp"
#include "sequences.h"

extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_num_procs(void);

namespace {

using zoo::Lanes;
using zoo::vector_at;

template <typename Operation>
void combine(const float *a, int64_t a_row, const float *b, int64_t b_row, float *output, int64_t output_row,
             int64_t rows, int64_t columns, const Operation &operation) {
  zoo::share(rows, columns, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++) {
      auto x = a + row * a_row, y = b + row * b_row;
      auto z = output + row * output_row;
      for (int64_t place = 0; place < columns; place++) z[place] = operation(x[place], y[place]);
    }
  });
}

template <int lanes>
ALWAYS_INLINE void normalize(const float *x, float *y, int64_t columns, const float *weight, const float *bias,
                             float epsilon) {
  using Vector = typename Lanes<lanes>::type;
  auto whole = columns / lanes * lanes;
  float mean = 0;
  if (bias) {
    Vector sums{};
    for (int64_t place = 0; place < whole; place += lanes) sums += vector_at<lanes>(x + place);
    mean = zoo::sum_of<lanes>(sums);
    for (auto place = whole; place < columns; place++) mean += x[place];
    mean /= static_cast<float>(columns);
  }
  Vector squares{};
  for (int64_t place = 0; place < whole; place += lanes) {
    Vector d = vector_at<lanes>(x + place) - mean;
    squares += d * d;
  }
  float variance = zoo::sum_of<lanes>(squares);
  for (auto place = whole; place < columns; place++) variance += (x[place] - mean) * (x[place] - mean);
  float factor = 1 / std::sqrt(variance / static_cast<float>(columns) + epsilon);
  for (int64_t place = 0; place < whole; place += lanes) {
    Vector d = (vector_at<lanes>(x + place) - mean) * factor * vector_at<lanes>(weight + place);
    vector_at<lanes>(y + place) = bias ? d + vector_at<lanes>(bias + place) : d;
  }
  for (auto place = whole; place < columns; place++)
    y[place] = (x[place] - mean) * factor * weight[place] + (bias ? bias[place] : 0);
}

ZOO_WIDE void normalize_16(const float *x, float *y, int64_t columns, const float *weight, const float *bias, float epsilon) {
  normalize<16>(x, y, columns, weight, bias, epsilon);
}

ZOO_MIDDLE void normalize_8_fused(const float *x, float *y, int64_t columns, const float *weight, const float *bias,
                                  float epsilon) {
  normalize<8>(x, y, columns, weight, bias, epsilon);
}

void normalize_8(const float *x, float *y, int64_t columns, const float *weight, const float *bias, float epsilon) {
  normalize<8>(x, y, columns, weight, bias, epsilon);
}

// Rows have room for whole vectors.
template <int lanes>
ALWAYS_INLINE void activate(const float *x, float *y, int64_t columns, zoo_activation activation) {
  for (int64_t place = 0; place < columns; place += lanes)
    vector_at<lanes>(y + place) = zoo::activated<lanes>(vector_at<lanes>(x + place), activation);
}

ZOO_WIDE void activate_16(const float *x, float *y, int64_t columns, zoo_activation activation) {
  activate<16>(x, y, columns, activation);
}

ZOO_MIDDLE void activate_8_fused(const float *x, float *y, int64_t columns, zoo_activation activation) {
  activate<8>(x, y, columns, activation);
}

void activate_8(const float *x, float *y, int64_t columns, zoo_activation activation) {
  activate<8>(x, y, columns, activation);
}

}  // namespace

extern "C" {

void zoo_sequences_use_threads(int32_t threads) { omp_set_num_threads(threads < 1 ? omp_get_num_procs() : threads); }

void zoo_normalize_rows(const float *input, int64_t input_row, float *output, int64_t output_row, int64_t rows,
                        int64_t columns, const float *weight, const float *bias, float epsilon) {
  auto kernel = zoo::fitting(normalize_16, normalize_8_fused, normalize_8);
  zoo::share(rows, columns, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++)
      kernel(input + row * input_row, output + row * output_row, columns, weight, bias, epsilon);
  });
}

void zoo_add_rows(const float *a, int64_t a_row, const float *b, int64_t b_row, float *output, int64_t output_row,
                  int64_t rows, int64_t columns) {
  combine(a, a_row, b, b_row, output, output_row, rows, columns, [](float x, float y) { return x + y; });
}

void zoo_multiply_rows(const float *a, int64_t a_row, const float *b, int64_t b_row, float *output, int64_t output_row,
                       int64_t rows, int64_t columns) {
  combine(a, a_row, b, b_row, output, output_row, rows, columns, [](float x, float y) { return x * y; });
}

void zoo_scale_rows(const float *a, int64_t a_row, float factor, float *output, int64_t output_row, int64_t rows,
                    int64_t columns) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t place = 0; place < columns; place++) output[row * output_row + place] = a[row * a_row + place] * factor;
}

void zoo_activate_rows(const float *a, int64_t a_row, zoo_activation activation, float *output, int64_t output_row,
                       int64_t rows, int64_t columns) {
  auto kernel = zoo::fitting(activate_16, activate_8_fused, activate_8);
  zoo::share(rows, columns, [&](int64_t first, int64_t last) {
    for (auto row = first; row < last; row++) kernel(a + row * a_row, output + row * output_row, columns, activation);
  });
}

}  // extern "C"
