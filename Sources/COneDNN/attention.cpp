#include "attention.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "guarded.hpp"
#include "parallel.hpp"

namespace zoo {

// Queries whose products are held at once, and keys that they are multiplied by before the next: their products stay in
// the second cache however long the sequence is.
static constexpr int64_t query_tile = 8 * product_rows, key_tile = 8 * product_columns;

AttentionShape::AttentionShape(const zoo_attention &attention, int64_t pictures, int64_t pixels, int64_t input_block,
                               int64_t output_block)
    : pictures(pictures), heads(attention.heads), width(attention.width), groups(attention.groups),
      length(attention.length), table_rows(attention.table_rows), scale(attention.scale),
      is_cosine(attention.is_cosine != 0), input(3 * heads * width, pixels, input_block),
      output(heads * width, pixels, output_block), rows(rounded_up(length, product_rows)),
      columns(rounded_up(rows, product_lanes)), padded_width(rounded_up(width, product_lanes)),
      tokens_(attention.tokens, attention.tokens + groups * length), mask_of_(groups, -1) {
  if (attention.bias_rows) bias_rows.assign(attention.bias_rows, attention.bias_rows + length * length);
  if (!attention.regions) return;
  // Few windows differ: those inside, those at an edge, the one in the corner.
  std::map<std::vector<int32_t>, int64_t> known;
  for (int64_t group = 0; group < groups; group++) {
    std::vector<int32_t> regions(attention.regions + group * length, attention.regions + (group + 1) * length);
    if (std::all_of(regions.begin(), regions.end(), [&](int32_t region) { return region == regions[0]; })) continue;
    auto [place, is_new] = known.insert({regions, static_cast<int64_t>(known.size())});
    mask_of_[group] = place->second;
    if (!is_new) continue;
    masks_.resize((place->second + 1) * length * columns);
    auto mask = masks_.data() + place->second * length * columns;
    for (int64_t query = 0; query < length; query++)
      for (int64_t key = 0; key < length; key++)
        mask[query * columns + key] = regions[query] == regions[key] ? 0 : attention.masked_product;
  }
}

std::vector<float> AttentionShape::biases(const float *table) const {
  std::vector<float> result(heads * length * columns);
  for (int64_t head = 0; head < heads; head++)
    for (int64_t query = 0; query < length; query++)
      for (int64_t key = 0; key < length; key++)
        result[(head * length + query) * columns + key] = table[bias_rows[query * length + key] * heads + head];
  return result;
}

void AttentionShape::gather(const float *picture, int part, int64_t head, int64_t group, float *to, int64_t row) const {
  gather_rows(input, picture, (part * heads + head) * width, width, tokens(group), length, to, row);
}

void gather_rows(const PictureLayout &layout, const float *picture, int64_t channel, int64_t count,
                 const int32_t *pixels, int64_t length, float *to, int64_t row) {
  auto block = layout.block;
  if (block > 1 && channel % block == 0 && count % block == 0) {
    for (int64_t part = 0; part < count / block; part++) {
      auto plane = picture + layout.place(channel + part * block, 0);
      for (int64_t index = 0; index < length; index++)
        std::memcpy(to + index * row + part * block, plane + pixels[index] * block, block * sizeof(float));
    }
    return;
  }
  for (int64_t index = 0; index < length; index++)
    for (int64_t offset = 0; offset < count; offset++)
      to[index * row + offset] = picture[layout.place(channel + offset, pixels[index])];
}

void scatter_rows(const PictureLayout &layout, float *picture, int64_t channel, int64_t count, const int32_t *pixels,
                  int64_t length, const float *from, int64_t row) {
  auto block = layout.block;
  if (block > 1 && channel % block == 0 && count % block == 0) {
    for (int64_t part = 0; part < count / block; part++) {
      auto plane = picture + layout.place(channel + part * block, 0);
      for (int64_t index = 0; index < length; index++)
        std::memcpy(plane + pixels[index] * block, from + index * row + part * block, block * sizeof(float));
    }
    return;
  }
  for (int64_t index = 0; index < length; index++)
    for (int64_t offset = 0; offset < count; offset++)
      picture[layout.place(channel + offset, pixels[index])] = from[index * row + offset];
}

void normalize_rows(float *rows, int64_t row, int64_t count, int64_t width, float *norms) {
  for (int64_t index = 0; index < count; index++) {
    double sum = 0;
    for (int64_t place = 0; place < width; place++)
      sum += static_cast<double>(rows[index * row + place]) * rows[index * row + place];
    norms[index] = std::max(static_cast<float>(std::sqrt(sum)), 1e-12f);
    for (int64_t place = 0; place < width; place++) rows[index * row + place] /= norms[index];
  }
}

void transpose_into_panels(const float *rows, int64_t row, int64_t count, int64_t width, float *panels) {
  for (int64_t first = 0; first < count; first += product_columns) {
    auto panel = panels + first * width;
    auto columns = std::min(product_columns, count - first);
    for (int64_t place = 0; place < width; place++)
      for (int64_t index = 0; index < columns; index++)
        panel[place * product_columns + index] = rows[(first + index) * row + place];
  }
}

namespace {

// One head of one group, on one thread.
class HeadRun {
 public:
  HeadRun(const AttentionShape &shape, float *scratch) : shape_(shape), row_(shape.padded_width) {
    queries_ = scratch;
    keys_ = queries_ + rounded_up(shape.length, query_tile) * row_;
    values_ = keys_ + shape.length * row_;
    panels_ = values_ + shape.length * row_;
    products_ = panels_ + rounded_up(shape.length, product_columns) * shape.width;
    sums_ = products_ + query_tile * product_row();
    norms_ = sums_ + query_tile * row_;
    end_ = norms_ + shape.length;
  }

  static int64_t scratch(const AttentionShape &shape) {
    return rounded_up(HeadRun(shape, nullptr).end_ - static_cast<float *>(nullptr), product_lanes);
  }

  void run(const float *picture, float *output, int64_t group, int64_t head, const float *bias, float factor) {
    shape_.gather(picture, 0, head, group, queries_, row_);
    shape_.gather(picture, 1, head, group, keys_, row_);
    shape_.gather(picture, 2, head, group, values_, row_);
    if (shape_.is_cosine) {
      normalize_rows(queries_, row_, shape_.length, shape_.width, norms_);
      normalize_rows(keys_, row_, shape_.length, shape_.width, norms_);
    }
    for (int64_t place = 0; place < shape_.length * row_; place++) queries_[place] *= factor;
    transpose_into_panels(keys_, row_, shape_.length, shape_.width, panels_);
    for (int64_t first = 0; first < shape_.length; first += query_tile) {
      auto count = std::min(query_tile, shape_.length - first);
      attend_tile(first, count, bias, shape_.mask(group));
      scatter_rows(shape_.output, output, head * shape_.width, shape_.width, shape_.tokens(group) + first, count,
                   sums_, row_);
    }
  }

 private:
  // Streams over the keys: what earlier ones have summed up shrinks whenever a larger product turns up.
  void attend_tile(int64_t first, int64_t count, const float *bias, const float *mask) {
    auto rows = rounded_up(count, product_rows);
    SoftmaxRow states[query_tile];
    for (int64_t start = 0; start < shape_.length; start += key_tile) {
      auto keys = std::min(key_tile, shape_.length - start);
      for (int64_t column = 0; column < keys; column += product_columns)
        multiply(queries_ + first * row_, row_, 1, panels_ + (start + column) * shape_.width,
                 product_columns, products_ + column, product_row(), rows,
                 rounded_up(std::min(product_columns, keys - column), product_lanes), shape_.width, false);
      for (int64_t query = 0; query < count; query++) {
        auto offset = (first + query) * shape_.columns + start;
        auto earlier = add_to_softmax(products_ + query * product_row(), bias ? bias + offset : nullptr,
                                      mask ? mask + offset : nullptr, keys, states[query]);
        if (start > 0)
          for (int64_t place = 0; place < row_; place++) sums_[query * row_ + place] *= earlier;
      }
      multiply(products_, product_row(), 1, values_ + start * row_, row_, sums_, row_, rows, row_,
               keys, start > 0);
    }
    for (int64_t query = 0; query < count; query++)
      for (int64_t place = 0; place < row_; place++) sums_[query * row_ + place] /= states[query].sum;
  }

  int64_t product_row() const { return std::min(key_tile, rounded_up(shape_.length, product_columns)); }

  const AttentionShape &shape_;
  int64_t row_;
  float *queries_, *keys_, *values_, *panels_, *products_, *sums_, *norms_, *end_;
};

}  // namespace

int64_t attention_scratch(const AttentionShape &shape) { return HeadRun::scratch(shape); }

void attend(const AttentionShape &shape, const float *biases, const float *head_scales, const float *input,
            float *output, float *scratch) {
  auto each = attention_scratch(shape);
  parallel(shape.pictures * shape.groups * shape.heads, [&](int64_t first, int64_t last) {
    HeadRun run(shape, scratch + omp_get_thread_num() * each);
    for (auto index = first; index < last; index++) {
      auto head = index % shape.heads, group = index / shape.heads % shape.groups,
           picture = index / shape.heads / shape.groups;
      auto to = output + picture * shape.output.size();
      run.run(input + picture * shape.input.size(), to, group, head,
              biases ? biases + head * shape.length * shape.columns : nullptr, shape.factor(head, head_scales));
      // Lanes beyond the last channel must read as zero.
      if (head + 1 < shape.heads) continue;
      auto tokens = shape.tokens(group);
      for (auto channel = shape.output.channels; channel < shape.output.blocks * shape.output.block; channel++)
        for (int64_t token = 0; token < shape.length; token++) to[shape.output.place(channel, tokens[token])] = 0;
    }
  });
}

}  // namespace zoo

extern "C" int32_t zoo_network_add_attention(zoo_network *network, int32_t input, int32_t output,
                                             const zoo_attention *attention, const float *table,
                                             const float *head_scales) {
  return zoo::guarded(network, -1, [&] {
    auto dims = network->tensors[input].desc.dims();
    int64_t block = zoo_channel_block();
    auto shape = std::make_shared<zoo::AttentionShape>(*attention, dims[0], dims[2] * dims[3], block, block);
    std::vector<float> biases, scales;
    if (attention->bias_rows) biases = shape->biases(table);
    if (head_scales) scales.assign(head_scales, head_scales + attention->heads);
    auto scratch = zoo::attention_scratch(*shape) * network->threads * sizeof(float);
    network->scratch_bytes = std::max<size_t>(network->scratch_bytes, scratch);
    zoo::Step step;
    step.kernel = "attention";
    step.operands = {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}};
    step.loop = [=](const float *source, float *target) {
      zoo::attend(*shape, biases.empty() ? nullptr : biases.data(), scales.empty() ? nullptr : scales.data(), source,
                  target, static_cast<float *>(network->scratch.data()));
    };
    network->steps.push_back(std::move(step));
    return static_cast<int>(network->steps.size()) - 1;
  });
}
