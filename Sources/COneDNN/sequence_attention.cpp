// Attention of sequences: many queries by tiles of products, few of them key by key. No matrix of scores is larger than a
// tile.
#include <algorithm>
#include <cstring>

#include "parallel.hpp"
#include "sequence_head.hpp"
#include "small_product.hpp"
#include "vectors.hpp"

namespace {

using zoo::Head;
using zoo::Lanes;
using zoo::rounded_up;
using zoo::vector_at;

constexpr int64_t query_tile = 48, key_tile = 512;
// Up to so many queries, keys are read where they stand.
constexpr int64_t few_queries = 4;

struct Scratch {
  float *queries, *panels, *values, *products, *sums, *end;

  Scratch(float *start, const zoo_sequence_attention &attention, int64_t keys) {
    auto row = rounded_up(attention.width, zoo::product_lanes);
    queries = start;
    panels = queries + query_tile * row;
    values = panels + rounded_up(keys, zoo::product_columns) * attention.width;
    products = values + keys * row;
    sums = products + query_tile * std::max(key_tile, rounded_up(keys, zoo::product_columns));
    end = sums + query_tile * row;
  }
};

void copy_rows(const float *from, int64_t from_row, float *to, int64_t to_row, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; row++) {
    std::memcpy(to + row * to_row, from + row * from_row, width * sizeof(float));
    for (auto place = width; place < to_row; place++) to[row * to_row + place] = 0;
  }
}

// Streams over the keys: what earlier ones have summed up shrinks whenever a larger product turns up.
void attend_tile(const Head &head, const Scratch &scratch, int64_t first, int64_t count) {
  auto width = head.attention.width, row = rounded_up(width, zoo::product_lanes);
  auto rows = rounded_up(count, zoo::product_rows);
  zoo::SoftmaxRow states[query_tile];
  auto last_key = head.visible(first + count - 1);
  for (int64_t start = 0; start < last_key; start += key_tile) {
    auto keys = std::min(key_tile, last_key - start);
    for (int64_t column = 0; column < keys; column += zoo::product_columns)
      zoo::multiply(scratch.queries, row, 1, scratch.panels + (start + column) * width, zoo::product_columns,
                    scratch.products + column, key_tile, rows,
                    rounded_up(std::min(zoo::product_columns, keys - column), zoo::product_lanes), width, false);
    for (int64_t query = 0; query < count; query++) {
      auto products = scratch.products + query * key_tile;
      auto visible = std::min(keys, head.visible(first + query) - start);
      float earlier = 1;
      if (visible > 0)
        earlier = zoo::add_to_softmax(products, head.bias(first + query, start), nullptr, visible, states[query]);
      for (auto key = std::max<int64_t>(visible, 0); key < keys; key++) products[key] = 0;
      if (start > 0)
        for (int64_t place = 0; place < row; place++) scratch.sums[query * row + place] *= earlier;
    }
    zoo::multiply(scratch.products, key_tile, 1, scratch.values + start * row, row, scratch.sums, row, rows, row, keys,
                  start > 0);
  }
  for (int64_t query = 0; query < count; query++) {
    auto to = head.output(first + query);
    for (int64_t place = 0; place < width; place++) to[place] = scratch.sums[query * row + place] / states[query].sum;
  }
}

void attend_by_tiles(const Head &head, const Scratch &scratch) {
  auto width = head.attention.width, row = rounded_up(width, zoo::product_lanes), keys = head.sequence.key_count;
  for (int64_t start = 0; start < keys; start += zoo::product_columns) {
    auto panel = scratch.panels + start * width;
    auto columns = std::min(zoo::product_columns, keys - start);
    for (int64_t column = 0; column < columns; column++) {
      auto key = head.key(start + column);
      for (int64_t place = 0; place < width; place++) panel[place * zoo::product_columns + column] = key[place];
    }
  }
  copy_rows(head.value(0), head.sequence.value_row, scratch.values, row, keys, width);
  for (int64_t first = 0; first < head.sequence.query_count; first += query_tile) {
    auto count = std::min(query_tile, head.sequence.query_count - first);
    copy_rows(head.query(first), head.sequence.query_row, scratch.queries, row, count, width);
    for (int64_t place = 0; place < count * row; place++) scratch.queries[place] *= head.attention.scale;
    attend_tile(head, scratch, first, count);
  }
}

template <int lanes>
ALWAYS_INLINE void attend_key_by_key(const Head &head, float *products, int64_t query) {
  using Vector = typename Lanes<lanes>::type;
  auto width = head.attention.width, whole = width / lanes * lanes, keys = head.visible(query);
  auto own = head.query(query);
  for (int64_t key = 0; key < keys; key++) {
    auto other = head.key(key);
    Vector sums{};
    for (int64_t place = 0; place < whole; place += lanes)
      sums += vector_at<lanes>(own + place) * vector_at<lanes>(other + place);
    float product = zoo::sum_of<lanes>(sums);
    for (auto place = whole; place < width; place++) product += own[place] * other[place];
    products[key] = product * head.attention.scale;
  }
  zoo::SoftmaxRow state;
  zoo::add_to_softmax(products, head.bias(query, 0), nullptr, keys, state);
  auto to = head.output(query);
  for (int64_t place = 0; place < width; place++) to[place] = 0;
  for (int64_t key = 0; key < keys; key++) {
    auto factor = products[key] / state.sum;
    auto value = head.value(key);
    for (int64_t place = 0; place < whole; place += lanes)
      vector_at<lanes>(to + place) += vector_at<lanes>(value + place) * factor;
    for (auto place = whole; place < width; place++) to[place] += value[place] * factor;
  }
}

ZOO_WIDE void attend_16(const Head &head, float *products, int64_t query) { attend_key_by_key<16>(head, products, query); }
ZOO_MIDDLE void attend_8_fused(const Head &head, float *products, int64_t query) {
  attend_key_by_key<8>(head, products, query);
}
void attend_8(const Head &head, float *products, int64_t query) { attend_key_by_key<8>(head, products, query); }

void attend_few(const Head &head, float *products) {
  for (int64_t query = 0; query < head.sequence.query_count; query++) switch (zoo::instruction_set()) {
      case zoo::InstructionSet::wide: attend_16(head, products, query); break;
      case zoo::InstructionSet::middle: attend_8_fused(head, products, query); break;
      case zoo::InstructionSet::narrow: attend_8(head, products, query); break;
    }
}

int64_t scratch_of_thread(const zoo_sequence_attention &attention, int64_t keys) {
  return rounded_up(Scratch(nullptr, attention, keys).end - static_cast<float *>(nullptr), zoo::product_lanes);
}

}  // namespace

extern "C" int omp_get_max_threads(void);

extern "C" int64_t zoo_attend_scratch(const zoo_sequence_attention *attention, int64_t longest_keys) {
  return scratch_of_thread(*attention, longest_keys) * omp_get_max_threads();
}

extern "C" void zoo_attend(const zoo_sequence_attention *attention, const zoo_sequence *sequences, int64_t count,
                           float *scratch) {
  int64_t longest = 0;
  for (int64_t index = 0; index < count; index++) longest = std::max(longest, sequences[index].key_count);
  auto each = scratch_of_thread(*attention, longest);
  zoo::parallel(count * attention->heads, [&](int64_t first, int64_t last) {
    Scratch own(scratch + omp_get_thread_num() * each, *attention, longest);
    for (auto item = first; item < last; item++) {
      Head head{*attention, sequences[item / attention->heads], item % attention->heads};
      if (head.sequence.query_count <= few_queries)
        attend_few(head, own.products);
      else
        attend_by_tiles(head, own);
    }
  });
}
