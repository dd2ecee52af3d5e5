// Where a trainer's values stand: memory that shares an arena with whatever isn't needed at the same time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "network.hpp"

/// Memory that the trainers of one network share, whatever their batch: only one of them runs at a time, and none leaves
/// anything in it between two steps.
struct zoo_arena {
  zoo::Pages pages;
  // Of those who plan their values in it.
  size_t wanted = 0;
};

namespace zoo {

/// The steps in which memory is needed: layers forward, then the loss, then layers backward, counted through.
class MemoryPlan {
 public:
  struct Slot {
    dnnl::memory memory;
    int64_t offset;
    int first, last;
  };
  /// - Returns: the number of a slot; `memory` gets its place by `bind`.
  int add(const dnnl::memory &memory, int step);
  /// The slot's memory is read or written in `step` too.
  void use(int slot, int step);
  const std::vector<Slot> &slots() const { return slots_; }
  /// - Parameter offsets: a byte offset for each slot.
  void place(const int64_t *offsets);
  void bind(char *base);

 private:
  std::vector<Slot> slots_;
};

}  // namespace zoo
