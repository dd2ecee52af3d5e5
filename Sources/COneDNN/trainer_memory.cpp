#include "trainer_memory.hpp"

#include <algorithm>
#include <numeric>

namespace zoo {

int MemoryPlan::add(const dnnl::memory &memory, int step) {
  constexpr size_t line = 64;
  auto bytes = (memory.get_desc().get_size() + line - 1) / line * line;
  slots_.push_back({memory, bytes, 0, step, step});
  return static_cast<int>(slots_.size()) - 1;
}

void MemoryPlan::use(int slot, int step) {
  auto &used = slots_[slot];
  used.first = std::min(used.first, step);
  used.last = std::max(used.last, step);
}

// The largest first, each into the lowest gap among those that are needed at the same time: Pisarchyk and Lee, "Efficient
// memory management for deep neural net inference", 2020, "greedy by size".
size_t MemoryPlan::place() {
  std::vector<int> order(slots_.size());
  std::iota(order.begin(), order.end(), 0);
  // A stable sort would ask for what C++ calls deprecated.
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return slots_[a].bytes != slots_[b].bytes ? slots_[a].bytes > slots_[b].bytes : a < b;
  });
  std::vector<int> placed;  // by offset
  size_t total = 0;
  for (int index : order) {
    auto &slot = slots_[index];
    size_t offset = 0;
    for (int other : placed) {
      auto &there = slots_[other];
      if (there.first > slot.last || there.last < slot.first) continue;
      if (there.offset >= offset + slot.bytes) break;
      offset = std::max(offset, there.offset + there.bytes);
    }
    slot.offset = offset;
    total = std::max(total, offset + slot.bytes);
    auto behind = std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](size_t offset, int other) { return offset < slots_[other].offset; });
    placed.insert(behind, index);
  }
  return total;
}

void MemoryPlan::bind(char *base) {
  for (auto &slot : slots_) slot.memory.set_data_handle(base + slot.offset);
}

}  // namespace zoo

extern "C" {

zoo_arena *zoo_arena_create(void) {
  try {
    return new zoo_arena;
  } catch (...) {
    return nullptr;
  }
}

void zoo_arena_destroy(zoo_arena *arena) { delete arena; }

}  // extern "C"
