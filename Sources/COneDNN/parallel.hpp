// Loops over threads. Swift's clang ships no omp.h, so libgomp, which oneDNN runs on, is called by its own interface.
#pragma once
#include <cstdint>

extern "C" void GOMP_parallel(void (*)(void *), void *, unsigned, unsigned);
extern "C" int omp_get_thread_num(void);
extern "C" int omp_get_num_threads(void);

namespace zoo {

/// Calls `body(first, last)` with ranges that together are 0 ..< count, each on a thread of its own.
template <typename Body>
void parallel(int64_t count, const Body &body) {
  struct Work {
    int64_t count;
    const Body &body;
  } work{count, body};
  GOMP_parallel(
      [](void *data) {
        auto &work = *static_cast<Work *>(data);
        int64_t threads = omp_get_num_threads(), index = omp_get_thread_num();
        auto first = work.count * index / threads, last = work.count * (index + 1) / threads;
        if (first < last) work.body(first, last);
      },
      &work, 0, 0);
}

/// As `parallel`, or all on this thread where `count` items of `size` floats are too few to be worth another.
template <typename Body>
void share(int64_t count, int64_t size, const Body &body) {
  constexpr int64_t least = 1 << 14;
  if (count * size < least)
    body(0, count);
  else
    parallel(count, body);
}

/// Floats of a piece: a multiple of every vector's.
constexpr int64_t piece = 1 << 12;

/// Calls `body(first, last)` with parts of `count` floats that begin at a piece.
template <typename Body>
void by_pieces(int64_t count, const Body &body) {
  share((count + piece - 1) / piece, piece, [&](int64_t first, int64_t last) {
    auto end = last * piece < count ? last * piece : count;
    body(first * piece, end);
  });
}

}  // namespace zoo
