#include "pixel_loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "parallel.hpp"
#include "vectors.hpp"

namespace {

// Pixels whose sums stay in the fastest cache while their classes pass by.
constexpr int64_t tile = 64;
// Tiles whose loss is one sum.
constexpr int64_t run = 64;

struct Sums {
  double loss = 0;
  int64_t correct = 0;
};

// What all tiles share.
struct Shared {
  const zoo_pixel_task &task;
  float *gradient;
  uint8_t *likeliest;
  // Of the mean: 1 over the weight of all pixels.
  double scale;
  // Weights of all classes together.
  double all_weights;

  float weight(int64_t number) const { return task.weights ? task.weights[number] : 1.0f; }
};

// A tile of one class, zeros where the picture has ended.
ALWAYS_INLINE void load(float *__restrict to, const float *from, int64_t count) {
  std::memcpy(to, from, count * sizeof(float));
  for (auto pixel = count; pixel < tile; pixel++) to[pixel] = 0;
}

// Up to `tile` pixels from `first` on of one picture.
template <int lanes>
ALWAYS_INLINE void tile_loss(const Shared &shared, int64_t picture, int64_t first, int64_t count, Sums &sums) {
  auto &task = shared.task;
  auto start = picture * task.classes * task.pixels + first;
  auto logits = task.logits + start;
  auto truth = task.truth + picture * task.pixels + first;
  float row[tile], highest[tile], total[tile] = {}, weighted[tile] = {}, power[tile];
  int32_t likeliest[tile] = {};
  load(highest, logits, count);
  for (int64_t number = 1; number < task.classes; number++) {
    load(row, logits + number * task.pixels, count);
    for (int64_t pixel = 0; pixel < tile; pixel++) {
      bool is_higher = row[pixel] > highest[pixel];
      highest[pixel] = is_higher ? row[pixel] : highest[pixel];
      likeliest[pixel] = is_higher ? static_cast<int32_t>(number) : likeliest[pixel];
    }
  }
  for (int64_t number = 0; number < task.classes; number++) {
    load(row, logits + number * task.pixels, count);
    auto weight = shared.weight(number);
    for (int64_t pixel = 0; pixel < tile; pixel += lanes) {
      auto value = zoo::vector_at<lanes>(row + pixel);
      zoo::vector_at<lanes>(weighted + pixel) += value * weight;
      auto shifted = zoo::clamped<lanes>(value - zoo::vector_at<lanes>(highest + pixel), -87, 0);
      zoo::exponentiate<lanes>(shifted);
      zoo::vector_at<lanes>(power + pixel) = shifted;
      zoo::vector_at<lanes>(total + pixel) += shifted;
    }
    if (shared.gradient)
      std::memcpy(shared.gradient + start + number * task.pixels, power, count * sizeof(float));
  }
  auto rest = task.smoothing / static_cast<double>(task.classes), main = 1.0 - task.smoothing;
  float factor[tile] = {}, counts[tile] = {};
  for (int64_t pixel = 0; pixel < count; pixel++) {
    if (shared.likeliest)
      shared.likeliest[picture * task.pixels + first + pixel] = static_cast<uint8_t>(likeliest[pixel]);
    int64_t number = truth[pixel];
    if (number == ZOO_IGNORED_CLASS) continue;
    double weight = shared.weight(number), logarithm = std::log(static_cast<double>(total[pixel])) + highest[pixel];
    sums.loss += main * weight * (logarithm - logits[number * task.pixels + pixel]);
    if (task.smoothing > 0) sums.loss += rest * (shared.all_weights * logarithm - weighted[pixel]);
    sums.correct += likeliest[pixel] == number;
    factor[pixel] = static_cast<float>((main * weight + rest * shared.all_weights) * shared.scale / total[pixel]);
    counts[pixel] = 1;
  }
  if (!shared.gradient) return;
  auto gradient = shared.gradient + start;
  for (int64_t number = 0; number < task.classes; number++) {
    auto slope = gradient + number * task.pixels;
    auto spread = static_cast<float>(rest * shared.weight(number) * shared.scale);
    for (int64_t pixel = 0; pixel < count; pixel++)
      slope[pixel] = slope[pixel] * factor[pixel] - spread * counts[pixel];
  }
  for (int64_t pixel = 0; pixel < count; pixel++)
    if (int64_t number = truth[pixel]; number != ZOO_IGNORED_CLASS)
      gradient[number * task.pixels + pixel] -= static_cast<float>(main * shared.weight(number) * shared.scale);
}

#define ZOO_KERNELS(name, lanes, attributes)                                                                    \
  attributes void tile_##name(const Shared &shared, int64_t picture, int64_t first, int64_t count, Sums &sums) { \
    tile_loss<lanes>(shared, picture, first, count, sums);                                                      \
  }

ZOO_KERNELS(wide, 16, ZOO_WIDE)
ZOO_KERNELS(middle, 8, ZOO_MIDDLE)
ZOO_KERNELS(narrow, 4, )

}  // namespace

extern "C" {

int32_t zoo_pixel_cross_entropy(const zoo_pixel_task *task, float *gradient, uint8_t *likeliest,
                                zoo_pixel_outcome *outcome) {
  if (task->classes < 1 || task->classes > ZOO_IGNORED_CLASS) return -1;
  int64_t numbers[256] = {};
  for (int64_t place = 0; place < task->pictures * task->pixels; place++) numbers[task->truth[place]]++;
  *outcome = {};
  Shared shared{*task, gradient, likeliest, 0, 0};
  for (int64_t number = 0; number < ZOO_IGNORED_CLASS; number++) {
    if (number >= task->classes) {
      if (numbers[number] > 0) return -1;
      continue;
    }
    outcome->counted += numbers[number];
    outcome->weight += static_cast<double>(shared.weight(number)) * static_cast<double>(numbers[number]);
    shared.all_weights += shared.weight(number);
  }
  shared.scale = outcome->weight > 0 ? 1 / outcome->weight : 0;
  auto kernel = zoo::fitting(tile_wide, tile_middle, tile_narrow);
  auto runs = (task->pixels + run * tile - 1) / (run * tile);
  std::vector<Sums> sums(task->pictures * runs);
  zoo::share(static_cast<int64_t>(sums.size()), run * tile * task->classes, [&](int64_t begin, int64_t end) {
    for (auto index = begin; index < end; index++) {
      auto picture = index / runs, from = index % runs * run * tile, to = std::min(from + run * tile, task->pixels);
      for (auto first = from; first < to; first += tile)
        kernel(shared, picture, first, std::min(tile, to - first), sums[index]);
    }
  });
  for (auto &part : sums) {
    outcome->loss += part.loss;
    outcome->correct += part.correct;
  }
  return 0;
}

void zoo_count_confusion(const uint8_t *truth, const uint8_t *found, int64_t count, int64_t classes, int64_t *counts) {
  for (int64_t place = 0; place < count; place++)
    if (truth[place] < classes && found[place] < classes) counts[truth[place] * classes + found[place]]++;
}

}  // extern "C"
