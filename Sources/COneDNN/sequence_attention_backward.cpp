// Gradients of attention. Powers are made again tile by tile from queries and keys, so that nothing of it is kept between
// forward and backward (Dao et al. 2022, arXiv:2205.14135, algorithm 4).
#include <algorithm>
#include <cstring>

#include "parallel.hpp"
#include "sequence_head.hpp"
#include "sequence_training.h"
#include "small_product.hpp"
#include "vectors.hpp"

extern "C" int omp_get_max_threads(void);

namespace {

using zoo::Head;
using zoo::rounded_up;

constexpr int64_t query_tile = 48;

struct Scratch {
  // Rows of a head are `row` floats, rows of products `keys` floats; `padded_keys` rows have room for whole tiles.
  int64_t row, keys, padded_keys;
  float *turned_keys, *turned_values, *own_keys, *key_sums, *value_sums, *queries, *slopes, *powers, *products, *query_sums;
  float *end;

  Scratch(float *start, int64_t width, int64_t key_count)
      : row(rounded_up(width, zoo::product_lanes)),
        keys(rounded_up(key_count, zoo::product_lanes)),
        padded_keys(rounded_up(key_count, zoo::product_rows)) {
    auto take = [&start](int64_t count) {
      auto place = start;
      start += rounded_up(count, zoo::product_lanes);
      return place;
    };
    turned_keys = take(width * keys);
    turned_values = take(width * keys);
    own_keys = take(padded_keys * row);
    key_sums = take(padded_keys * row);
    value_sums = take(padded_keys * row);
    queries = take(query_tile * row);
    slopes = take(query_tile * row);
    // Products read up to padded_keys columns of the last row.
    powers = take(query_tile * keys + zoo::product_lanes);
    products = take(query_tile * keys + zoo::product_lanes);
    query_sums = take(query_tile * row);
    end = start;
  }
};

void turn(const float *from, int64_t from_row, int64_t rows, int64_t width, float *to, int64_t to_row) {
  for (int64_t place = 0; place < width; place++) {
    for (int64_t row = 0; row < rows; row++) to[place * to_row + row] = from[row * from_row + place];
    for (auto row = rows; row < to_row; row++) to[place * to_row + row] = 0;
  }
}

// `count` rows of `width`, times a factor; rows up to `padded` and floats up to `to_row` become 0.
void copy(const float *from, int64_t from_row, int64_t count, int64_t padded, int64_t width, float factor, float *to,
          int64_t to_row) {
  std::memset(to, 0, padded * to_row * sizeof(float));
  for (int64_t row = 0; row < count; row++)
    for (int64_t place = 0; place < width; place++) to[row * to_row + place] = from[row * from_row + place] * factor;
}

void add(const float *from, int64_t from_row, int64_t rows, int64_t width, float factor, float *to, int64_t to_row) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t place = 0; place < width; place++) to[row * to_row + place] += factor * from[row * from_row + place];
}

// Makes the products of a query's row its powers, and the slopes of the powers those of the products.
void soften(const Head &head, int64_t query, float *powers, float *slopes, int64_t keys, float *bias_slopes) {
  auto visible = head.visible(query);
  zoo::SoftmaxRow state;
  zoo::add_to_softmax(powers, head.bias(query, 0), nullptr, visible, state);
  float share = 1 / state.sum, mean = 0;
  for (int64_t key = 0; key < visible; key++) {
    powers[key] *= share;
    mean += powers[key] * slopes[key];
  }
  for (int64_t key = 0; key < visible; key++) slopes[key] = powers[key] * (slopes[key] - mean);
  for (auto key = visible; key < keys; key++) powers[key] = slopes[key] = 0;
  if (!bias_slopes) return;
  auto to = bias_slopes + head.distance(query, 0);
  for (int64_t key = 0; key < visible; key++) to[key] += slopes[key];
}

void attend_backward(const Head &head, const zoo_sequence_gradient &gradient, const Scratch &scratch) {
  auto &sequence = gradient.forward;
  auto width = head.attention.width, row = scratch.row, keys = scratch.keys;
  auto first_column = head.head * width;
  turn(head.key(0), sequence.key_row, sequence.key_count, width, scratch.turned_keys, keys);
  turn(head.value(0), sequence.value_row, sequence.key_count, width, scratch.turned_values, keys);
  copy(head.key(0), sequence.key_row, sequence.key_count, scratch.padded_keys, width, 1, scratch.own_keys, row);
  for (int64_t first = 0; first < sequence.query_count; first += query_tile) {
    auto count = std::min(query_tile, sequence.query_count - first);
    auto rows = rounded_up(count, zoo::product_rows);
    copy(head.query(first), sequence.query_row, count, rows, width, head.attention.scale, scratch.queries, row);
    copy(gradient.slopes + first * sequence.output_row + first_column, sequence.output_row, count, rows, width, 1,
         scratch.slopes, row);
    zoo::multiply(scratch.queries, row, 1, scratch.turned_keys, keys, scratch.powers, keys, rows, keys, width, false);
    zoo::multiply(scratch.slopes, row, 1, scratch.turned_values, keys, scratch.products, keys, rows, keys, width, false);
    for (int64_t query = 0; query < count; query++)
      soften(head, first + query, scratch.powers + query * keys, scratch.products + query * keys, keys,
             gradient.bias_slopes);
    for (auto query = count; query < rows; query++)
      std::memset(scratch.products + query * keys, 0, keys * sizeof(float));
    zoo::multiply(scratch.powers, 1, keys, scratch.slopes, row, scratch.value_sums, row, scratch.padded_keys, row, count,
                  first > 0);
    zoo::multiply(scratch.products, 1, keys, scratch.queries, row, scratch.key_sums, row, scratch.padded_keys, row, count,
                  first > 0);
    zoo::multiply(scratch.products, keys, 1, scratch.own_keys, row, scratch.query_sums, row, rows, row, sequence.key_count,
                  false);
    if (gradient.query_slopes)
      add(scratch.query_sums, row, count, width, head.attention.scale,
          gradient.query_slopes + first * sequence.query_row + first_column, sequence.query_row);
  }
  if (gradient.key_slopes)
    add(scratch.key_sums, row, sequence.key_count, width, 1, gradient.key_slopes + first_column, sequence.key_row);
  if (gradient.value_slopes)
    add(scratch.value_sums, row, sequence.key_count, width, 1, gradient.value_slopes + first_column, sequence.value_row);
}

int64_t scratch_of_thread(const zoo_sequence_attention &attention, int64_t keys) {
  return Scratch(nullptr, attention.width, keys).end - static_cast<float *>(nullptr);
}

}  // namespace

extern "C" int64_t zoo_attend_backward_scratch(const zoo_sequence_attention *attention, int64_t longest_keys) {
  return scratch_of_thread(*attention, longest_keys) * omp_get_max_threads();
}

extern "C" void zoo_attend_backward(const zoo_sequence_attention *attention, const zoo_sequence_gradient *sequences,
                                    int64_t count, float *scratch) {
  int64_t longest = 0;
  for (int64_t index = 0; index < count; index++) longest = std::max(longest, sequences[index].forward.key_count);
  auto each = scratch_of_thread(*attention, longest);
  zoo::parallel(count * attention->heads, [&](int64_t first, int64_t last) {
    for (auto item = first; item < last; item++) {
      auto &gradient = sequences[item / attention->heads];
      Head head{*attention, gradient.forward, item % attention->heads};
      attend_backward(head, gradient,
                      Scratch(scratch + omp_get_thread_num() * each, attention->width, gradient.forward.key_count));
    }
  });
}
