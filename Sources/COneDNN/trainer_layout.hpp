// Where the elements of a trainer's values stand, for loops of our own.
#pragma once
#include "parallel.hpp"
#include "trainer.hpp"

namespace zoo {

// Where the elements of a value stand: channels in blocks, or row-major where a block is one.
struct Layout {
  int64_t pictures, channels, pixels, block, blocks;

  explicit Layout(const dnnl::memory &value) {
    auto dims = value.get_desc().dims();
    pictures = dims[0], channels = dims[1], pixels = 1;
    for (size_t axis = 2; axis < dims.size(); axis++) pixels *= dims[axis];
    // As zoo_trainer_add_tensor lays values out.
    block = dims.size() == 4 && channels > 3 ? zoo_channel_block() : 1;
    blocks = (channels + block - 1) / block;
  }

  // The first pixel of a channel; the next are `block` apart.
  int64_t start(int64_t picture, int64_t channel) const {
    return (picture * blocks + channel / block) * pixels * block + channel % block;
  }
};

// Calls `body` with picture and channel for every pair, on several threads.
template <typename Body>
void each_channel(const Layout &layout, const Body &body) {
  zoo::parallel(layout.pictures * layout.channels, [&](int64_t first, int64_t last) {
    for (auto index = first; index < last; index++) body(index / layout.channels, index % layout.channels);
  });
}

}  // namespace zoo
