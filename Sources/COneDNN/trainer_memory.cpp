#include "trainer_memory.hpp"

#include <algorithm>

namespace zoo {

int MemoryPlan::add(const dnnl::memory &memory, int step) {
  slots_.push_back({memory, 0, step, step});
  return static_cast<int>(slots_.size()) - 1;
}

void MemoryPlan::use(int slot, int step) {
  auto &used = slots_[slot];
  used.first = std::min(used.first, step);
  used.last = std::max(used.last, step);
}

void MemoryPlan::place(const int64_t *offsets) {
  for (auto &slot : slots_) slot.offset = *offsets++;
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
