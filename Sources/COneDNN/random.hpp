// Numbers that follow from a seed and an index, on any thread.
#pragma once
#include <cstdint>

namespace zoo {

/// SplitMix64 (Steele et al. 2014): a number in [0, 1).
inline float uniform(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24f;
}

}  // namespace zoo
