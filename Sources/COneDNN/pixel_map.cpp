// Pixels put elsewhere, in inference.
#include <algorithm>
#include <cstring>

#include "attention.hpp"
#include "guarded.hpp"
#include "parallel.hpp"

namespace {

struct Map {
  int64_t pictures, parts;
  zoo::PictureLayout from, to;
  std::vector<int32_t> sources;
  // [pixels, channels], or none.
  std::vector<float> summands;

  // Channels of a part keep their places in blocks, so that blocks move whole.
  bool moves_blocks() const { return from.block == to.block && (parts == 1 || from.channels % from.block == 0); }

  void move_block(const float *picture, float *output, int64_t block) const {
    auto size = from.block;
    auto part = block / from.blocks;
    auto source = picture + block % from.blocks * from.pixels * size;
    auto target = output + block * to.pixels * size;
    for (int64_t pixel = 0; pixel < to.pixels; pixel++) {
      auto index = sources[part * to.pixels + pixel];
      if (index < 0)
        std::memset(target + pixel * size, 0, size * sizeof(float));
      else
        std::memcpy(target + pixel * size, source + index * size, size * sizeof(float));
    }
  }

  // Channel by channel, lanes beyond the last one included, which are zero.
  void move_channels(const float *picture, float *output, int64_t block) const {
    for (auto channel = block * to.block; channel < (block + 1) * to.block; channel++)
      for (int64_t pixel = 0; pixel < to.pixels; pixel++) {
        auto index = channel < to.channels ? sources[channel / from.channels * to.pixels + pixel] : -1;
        output[to.place(channel, pixel)] = index < 0 ? 0 : picture[from.place(channel % from.channels, index)];
      }
  }

  void add_summands(float *output, int64_t block) const {
    auto channels = std::min(to.block, to.channels - block * to.block);
    for (int64_t pixel = 0; pixel < to.pixels; pixel++)
      for (int64_t lane = 0; lane < channels; lane++)
        output[to.place(block * to.block, pixel) + lane] += summands[pixel * to.channels + block * to.block + lane];
  }

  void run(const float *source, float *target) const {
    zoo::parallel(pictures * to.blocks, [&](int64_t first, int64_t last) {
      for (auto index = first; index < last; index++) {
        auto picture = source + index / to.blocks * from.size();
        auto output = target + index / to.blocks * to.size();
        if (moves_blocks())
          move_block(picture, output, index % to.blocks);
        else
          move_channels(picture, output, index % to.blocks);
        if (!summands.empty()) add_summands(output, index % to.blocks);
      }
    });
  }
};

}  // namespace

extern "C" int32_t zoo_network_add_pixel_map(zoo_network *network, int32_t input, int32_t output, int64_t parts,
                                             const int32_t *sources, const float *summands) {
  return zoo::guarded(network, -1, [&] {
    auto from = network->tensors[input].desc.dims(), to = network->tensors[output].desc.dims();
    int64_t block = zoo_channel_block(), pixels = to.size() == 4 ? to[2] * to[3] : 1;
    auto map = std::make_shared<Map>(
        Map{from[0], parts, zoo::PictureLayout(from[1], from[2] * from[3], block),
            zoo::PictureLayout(to[1], pixels, to.size() == 4 ? block : 1), {}, {}});
    map->sources.assign(sources, sources + parts * pixels);
    if (summands) map->summands.assign(summands, summands + pixels * to[1]);
    zoo::Step step;
    step.kernel = "pixel map";
    step.operands = {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}};
    step.loop = [map](const float *source, float *target) { map->run(source, target); };
    network->steps.push_back(std::move(step));
    return static_cast<int>(network->steps.size()) - 1;
  });
}
