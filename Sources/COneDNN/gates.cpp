// Inference steps that weigh and reorder channels.
#include <algorithm>
#include <cstring>

#include "guarded.hpp"
#include "parallel.hpp"

namespace {

// Channel-blocked pictures: `blocks` times `pixels` times `block` floats each.
struct Blocked {
  int64_t pictures, channels, pixels, block, blocks;

  explicit Blocked(const zoo::Tensor &tensor) {
    auto dims = tensor.desc.dims();
    pictures = dims[0], channels = dims[1], pixels = dims[2] * dims[3];
    block = zoo_channel_block();
    blocks = (channels + block - 1) / block;
  }
  int64_t picture_size() const { return blocks * pixels * block; }
};

template <typename Body>
int add_step(zoo_network *network, const char *name, std::vector<zoo::Operand> operands, Body body) {
  zoo::Step step;
  step.kernel = name;
  step.operands = std::move(operands);
  auto index = network->steps.size();
  step.loop = [network, index, body](const float *source, float *target) {
    body(source, target, [&](int argument) {
      return static_cast<const float *>(network->steps[index].arguments.at(argument).get_data_handle());
    });
  };
  network->steps.push_back(std::move(step));
  return static_cast<int>(index);
}

// `block` lanes of consecutive pixels by the same gates; in and out may be the same memory.
template <int block>
void multiply(const float *from, const float *gates, float *to, int64_t pixels) {
  for (int64_t pixel = 0; pixel < pixels; pixel++, from += block, to += block)
    for (int lane = 0; lane < block; lane++) to[lane] = from[lane] * gates[lane];
}

// Where the channels of one output block come from: how far into a picture of which input, and how large its pictures are.
struct Lane {
  int argument;
  int64_t start, picture_size;
};

// Pixels whose lanes are gathered together, so that what is read stays in the first cache.
constexpr int64_t tile = 64;

void gather(const std::vector<const float *> &lanes, float *to, int64_t pixels, int64_t block) {
  for (int64_t first = 0; first < pixels; first += tile) {
    auto last = std::min(first + tile, pixels);
    for (int64_t lane = 0; lane < block; lane++) {
      auto from = lane < static_cast<int64_t>(lanes.size()) ? lanes[lane] : nullptr;
      for (auto pixel = first; pixel < last; pixel++) to[pixel * block + lane] = from ? from[pixel * block] : 0;
    }
  }
}

}  // namespace

int zoo::add_hard_activation(zoo_network *network, int input, int output, zoo_activation activation) {
  return guarded(network, -1, [&] {
    auto &tensor = network->tensors[input];
    auto dims = tensor.desc.dims();
    // Lanes beyond the last channel stay zero, which a hard sigmoid of zero is not.
    int64_t block = tensor.blocked ? zoo_channel_block() : 1, pixels = tensor.blocked ? dims[2] * dims[3] : 1;
    int64_t channels = dims[1], blocks = (channels + block - 1) / block, count = 1;
    if (!tensor.blocked) channels = blocks = 1;
    for (size_t axis = 0; axis < dims.size(); axis++)
      if (!tensor.blocked || axis == 0) count *= dims[axis];
    bool is_swish = activation == ZOO_HARD_SWISH;
    return add_step(network, "hard activation", {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}},
                    [=](const float *source, float *target, auto) {
                      zoo::parallel(count * blocks, [&](int64_t first, int64_t last) {
                        for (auto plane = first; plane < last; plane++) {
                          auto lanes = std::min(block, channels - plane % blocks * block);
                          for (int64_t pixel = 0; pixel < pixels; pixel++)
                            for (int64_t lane = 0; lane < block; lane++) {
                              auto index = (plane * pixels + pixel) * block + lane;
                              auto x = source[index], slope = std::min(std::max(x + 3, 0.0f), 6.0f) / 6;
                              target[index] = lane >= lanes ? 0 : is_swish ? x * slope : slope;
                            }
                        }
                      });
                    });
  });
}

extern "C" {

int32_t zoo_network_add_gate(zoo_network *network, int32_t input, int32_t gates, int32_t output) {
  return zoo::guarded(network, -1, [&] {
    Blocked shape(network->tensors[input]);
    auto multiply_lanes = shape.block == 16 ? multiply<16> : multiply<8>;
    return add_step(network, "gate", {{DNNL_ARG_SRC, input}, {DNNL_ARG_SRC_1, gates}, {DNNL_ARG_DST, output}},
                    [=](const float *source, float *target, auto argument) {
                      const float *factors = argument(DNNL_ARG_SRC_1);
                      auto size = shape.pixels * shape.block;
                      zoo::parallel(shape.pictures * shape.blocks, [&](int64_t first, int64_t last) {
                        for (auto index = first; index < last; index++)
                          multiply_lanes(source + index * size, factors + index * shape.block, target + index * size,
                                         shape.pixels);
                      });
                    });
  });
}

int32_t zoo_network_add_channel_gather(zoo_network *network, int32_t count, const int32_t *inputs, int32_t output,
                                       const int32_t *channels) {
  return zoo::guarded(network, -1, [&] {
    Blocked shape(network->tensors[output]);
    // The first input is what steps call their source.
    auto argument_of = [](int part) { return part == 0 ? DNNL_ARG_SRC : DNNL_ARG_MULTIPLE_SRC + part; };
    std::vector<zoo::Operand> operands{{DNNL_ARG_DST, output}};
    std::vector<Blocked> parts;
    for (int part = 0; part < count; part++) {
      operands.push_back({argument_of(part), inputs[part]});
      parts.emplace_back(network->tensors[inputs[part]]);
    }
    std::vector<Lane> lanes;
    for (int64_t index = 0; index < shape.channels; index++) {
      int64_t channel = channels[index];
      int part = 0;
      while (channel >= parts[part].channels) channel -= parts[part++].channels;
      auto start = channel / shape.block * shape.pixels * shape.block + channel % shape.block;
      lanes.push_back({argument_of(part), start, parts[part].picture_size()});
    }
    return add_step(network, "gather channels", std::move(operands), [=](const float *, float *target, auto argument) {
      zoo::parallel(shape.pictures * shape.blocks, [&](int64_t first, int64_t last) {
        std::vector<const float *> places;
        for (auto index = first; index < last; index++) {
          auto picture = index / shape.blocks, begin = index % shape.blocks * shape.block;
          auto end = std::min(begin + shape.block, shape.channels);
          places.clear();
          for (auto lane = begin; lane < end; lane++)
            places.push_back(argument(lanes[lane].argument) + picture * lanes[lane].picture_size + lanes[lane].start);
          gather(places, target + index * shape.pixels * shape.block, shape.pixels, shape.block);
        }
      });
    });
  });
}

}  // extern "C"
