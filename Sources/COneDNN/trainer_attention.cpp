// Attention in training: the forward pass of inference, and gradients from products that are made again.
//
// Every sum runs in an order that does not depend on the threads, so that a run can be repeated to the bit.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "attention.hpp"
#include "parallel.hpp"
#include "trainer.hpp"

using dnnl::memory;
using zoo::AttentionShape;
using zoo::floats;
using zoo::Run;

namespace {

// As zoo_trainer_add_tensor lays pictures out.
int64_t block_of(const memory &value) { return value.get_desc().dims()[1] > 3 ? zoo_channel_block() : 1; }

// What a head of one picture adds to the gradients of the parameters.
struct HeadSums {
  float *table;  // table_rows; NULL where nobody wants it
  double scale;
};

// Gradients of one head of one group. With P the softmax of the products S: dV = Pᵀ dO, dP = dO Vᵀ, dS = P ∘ (dP - the
// row's sum of P ∘ dP), dQ = f dS K, dK = f dSᵀ Q.
class HeadGradient {
 public:
  HeadGradient(const AttentionShape &shape, float factor)
      : shape_(shape), row_(shape.padded_width), factor_(factor) {
    for (auto rows : {&queries_, &keys_, &values_, &slopes_, &query_slopes_, &key_slopes_, &value_slopes_})
      rows->resize(shape.columns * row_);
    for (auto panels : {&key_panels_, &value_panels_})
      panels->resize(zoo::rounded_up(shape.columns, zoo::product_columns) * shape.width);
    powers_.resize(shape.columns * shape.columns);
    product_slopes_.resize(shape.columns * shape.columns);
    query_norms_.resize(shape.length);
    key_norms_.resize(shape.length);
  }

  void run(const float *picture, const float *slopes, float *target, int64_t group, int64_t head, const float *bias,
           HeadSums &sums) {
    shape_.gather(picture, 0, head, group, queries_.data(), row_);
    shape_.gather(picture, 1, head, group, keys_.data(), row_);
    shape_.gather(picture, 2, head, group, values_.data(), row_);
    zoo::gather_rows(shape_.output, slopes, head * shape_.width, shape_.width, shape_.tokens(group), shape_.length,
                     slopes_.data(), row_);
    if (shape_.is_cosine) {
      zoo::normalize_rows(queries_.data(), row_, shape_.length, shape_.width, query_norms_.data());
      zoo::normalize_rows(keys_.data(), row_, shape_.length, shape_.width, key_norms_.data());
    }
    make_powers(bias, shape_.mask(group));
    make_product_slopes();
    if (sums.table) add_to_table(sums.table);
    sums.scale += scale_slope();
    multiply_back();
    if (shape_.is_cosine) {
      through_norms(queries_, query_norms_, query_slopes_);
      through_norms(keys_, key_norms_, key_slopes_);
    }
    if (!target) return;
    int part = 0;
    for (auto rows : {&query_slopes_, &key_slopes_, &value_slopes_})
      zoo::scatter_rows(shape_.input, target, (part++ * shape_.heads + head) * shape_.width, shape_.width,
                        shape_.tokens(group), shape_.length, rows->data(), row_);
  }

 private:
  // to [rows, columns] = left · rightᵀ, both of them tokens × width.
  void multiply_by_transposed(const std::vector<float> &left, std::vector<float> &panels,
                              const std::vector<float> &right, std::vector<float> &to) {
    zoo::transpose_into_panels(right.data(), row_, shape_.length, shape_.width, panels.data());
    for (int64_t column = 0; column < shape_.columns; column += zoo::product_columns)
      zoo::multiply(left.data(), row_, 1, panels.data() + column * shape_.width, zoo::product_columns,
                    to.data() + column, shape_.columns, shape_.rows,
                    std::min(zoo::product_columns, shape_.columns - column), shape_.width, false);
  }

  void make_powers(const float *bias, const float *mask) {
    multiply_by_transposed(queries_, key_panels_, keys_, powers_);
    for (int64_t query = 0; query < shape_.length; query++) {
      auto row = powers_.data() + query * shape_.columns;
      for (int64_t key = 0; key < shape_.length; key++) row[key] *= factor_;
      zoo::SoftmaxRow state;
      auto offset = query * shape_.columns;
      zoo::add_to_softmax(row, bias ? bias + offset : nullptr, mask ? mask + offset : nullptr, shape_.length, state);
      for (int64_t key = 0; key < shape_.length; key++) row[key] /= state.sum;
    }
  }

  void make_product_slopes() {
    multiply_by_transposed(slopes_, value_panels_, values_, product_slopes_);
    for (int64_t query = 0; query < shape_.length; query++) {
      auto power = powers_.data() + query * shape_.columns, slope = product_slopes_.data() + query * shape_.columns;
      double sum = 0;
      for (int64_t key = 0; key < shape_.length; key++) sum += static_cast<double>(power[key]) * slope[key];
      for (int64_t key = 0; key < shape_.length; key++) slope[key] = power[key] * (slope[key] - static_cast<float>(sum));
    }
  }

  void add_to_table(float *table) const {
    for (int64_t query = 0; query < shape_.length; query++)
      for (int64_t key = 0; key < shape_.length; key++)
        table[shape_.bias_rows[query * shape_.length + key]] += product_slopes_[query * shape_.columns + key];
  }

  // Sum of dS ∘ cosines; keys' panels are still there.
  double scale_slope() {
    if (!shape_.is_cosine) return 0;
    zoo::multiply(product_slopes_.data(), shape_.columns, 1, keys_.data(), row_, query_slopes_.data(), row_, shape_.rows,
                  row_, shape_.length, false);
    double sum = 0;
    for (int64_t query = 0; query < shape_.length; query++)
      for (int64_t place = 0; place < shape_.width; place++)
        sum += static_cast<double>(query_slopes_[query * row_ + place]) * queries_[query * row_ + place];
    return sum;
  }

  void multiply_back() {
    auto rows = shape_.rows, columns = shape_.columns, length = shape_.length;
    zoo::multiply(powers_.data(), 1, columns, slopes_.data(), row_, value_slopes_.data(), row_, rows, row_, length, false);
    zoo::multiply(product_slopes_.data(), columns, 1, keys_.data(), row_, query_slopes_.data(), row_, rows, row_, length,
                  false);
    zoo::multiply(product_slopes_.data(), 1, columns, queries_.data(), row_, key_slopes_.data(), row_, rows, row_, length,
                  false);
    for (auto slopes : {&query_slopes_, &key_slopes_})
      for (auto &slope : *slopes) slope *= factor_;
  }

  // Of x / |x|: (d - x̂ (x̂ · d)) / |x|.
  void through_norms(const std::vector<float> &normal, const std::vector<float> &norms, std::vector<float> &slopes) {
    for (int64_t token = 0; token < shape_.length; token++) {
      auto x = normal.data() + token * row_;
      auto d = slopes.data() + token * row_;
      double along = 0;
      for (int64_t place = 0; place < shape_.width; place++) along += static_cast<double>(x[place]) * d[place];
      for (int64_t place = 0; place < shape_.width; place++)
        d[place] = (d[place] - x[place] * static_cast<float>(along)) / norms[token];
    }
  }

  const AttentionShape &shape_;
  int64_t row_;
  float factor_;
  std::vector<float> queries_, keys_, values_, slopes_, query_slopes_, key_slopes_, value_slopes_;
  std::vector<float> key_panels_, value_panels_, powers_, product_slopes_, query_norms_, key_norms_;
};

// What both passes of a layer share.
struct Layer {
  AttentionShape shape;
  float largest_scale;
  int table, logarithms;
  std::vector<float> biases, scales, scratch;

  void read_parameters(const zoo_trainer &trainer) {
    if (table >= 0) biases = shape.biases(floats(trainer.values[table].data.memory));
    if (logarithms < 0) return;
    scales.resize(shape.heads);
    for (int64_t head = 0; head < shape.heads; head++)
      scales[head] = std::min(std::exp(floats(trainer.values[logarithms].data.memory)[head]), largest_scale);
  }
  const float *bias(int64_t head) const {
    return biases.empty() ? nullptr : biases.data() + head * shape.length * shape.columns;
  }
  const float *head_scales() const { return scales.empty() ? nullptr : scales.data(); }
};

void backward(const Layer &layer, const float *input, const float *slopes, float *target, float *table_slopes,
              float *scale_slopes) {
  auto &shape = layer.shape;
  auto items = shape.pictures * shape.heads;
  std::vector<float> tables(table_slopes ? items * shape.table_rows : 0);
  std::vector<double> scales(items);
  zoo::parallel(items, [&](int64_t first, int64_t last) {
    for (auto item = first; item < last; item++) {
      auto picture = item / shape.heads, head = item % shape.heads;
      HeadGradient gradient(shape, shape.factor(head, layer.head_scales()));
      HeadSums sums{table_slopes ? tables.data() + item * shape.table_rows : nullptr, 0};
      for (int64_t group = 0; group < shape.groups; group++)
        gradient.run(input + picture * shape.input.size(), slopes + picture * shape.output.size(),
                     target ? target + picture * shape.input.size() : nullptr, group, head, layer.bias(head), sums);
      scales[item] = sums.scale;
    }
  });
  for (int64_t head = 0; head < shape.heads; head++) {
    if (table_slopes)
      for (int64_t row = 0; row < shape.table_rows; row++) {
        double sum = 0;
        for (int64_t picture = 0; picture < shape.pictures; picture++)
          sum += tables[(picture * shape.heads + head) * shape.table_rows + row];
        table_slopes[row * shape.heads + head] = static_cast<float>(sum);
      }
    if (!scale_slopes) continue;
    double sum = 0;
    for (int64_t picture = 0; picture < shape.pictures; picture++) sum += scales[picture * shape.heads + head];
    // Of the logarithm; beyond the largest scale nothing changes.
    auto scale = layer.scales[head];
    scale_slopes[head] = scale < layer.largest_scale ? static_cast<float>(sum) * scale : 0;
  }
}

}  // namespace

extern "C" int32_t zoo_trainer_add_attention(zoo_trainer *trainer, int32_t input, int32_t output,
                                             const zoo_attention *attention, int32_t table, int32_t logarithms) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto dims = x.get_desc().dims();
    auto state = std::make_shared<Layer>(
        Layer{AttentionShape(*attention, dims[0], dims[2] * dims[3], block_of(x), block_of(y)),
              attention->largest_scale, table, logarithms, {}, {}, {}});
    state->scratch.resize(zoo::attention_scratch(state->shape) * trainer->threads);
    for (int value : {table, logarithms})
      if (value >= 0) zoo::data(*trainer, value);
    zoo::Layer layer;
    layer.kept = {input};
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      state->read_parameters(*trainer);
      zoo::attend(state->shape, state->bias(0), state->head_scales(), floats(x), floats(y), state->scratch.data());
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        auto target_of = [=](int value) {
          zoo::Target none{memory(), [] {}};
          return value >= 0 && trainer->values[value].wants_gradient ? zoo::gradient_target(*trainer, value) : none;
        };
        auto target = target_of(input), table_target = target_of(table), scale_target = target_of(logarithms);
        auto slopes = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          trainer->stream.wait();
          auto where = [](const zoo::Target &target) { return target.memory ? floats(target.memory) : nullptr; };
          backward(*state, floats(x), floats(slopes), where(target), where(table_target), where(scale_target));
          for (auto target : {target, table_target, scale_target}) target.finish();
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}
