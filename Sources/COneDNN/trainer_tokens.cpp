// Training's layers between pictures and tokens: parameters as values, pixels put elsewhere, positions.
#include <algorithm>
#include <cstring>

#include "attention.hpp"
#include "parallel.hpp"
#include "trainer.hpp"

using dnnl::memory;
using zoo::floats;
using zoo::PictureLayout;
using zoo::Run;

namespace {

// As zoo_trainer_add_tensor lays values out.
PictureLayout layout_of(const memory &value) {
  auto dims = value.get_desc().dims();
  bool is_picture = dims.size() == 4;
  return PictureLayout(dims[1], is_picture ? dims[2] * dims[3] : 1,
                       is_picture && dims[1] > 3 ? zoo_channel_block() : 1);
}

struct Map {
  int64_t pictures;
  PictureLayout from, to;
  std::vector<int32_t> sources;

  // Calls `body` with the places of each number in the output and in the input, -1 for a zero.
  template <typename Body>
  void each(const Body &body) const {
    zoo::parallel(pictures * to.channels, [&](int64_t first, int64_t last) {
      for (auto index = first; index < last; index++) {
        auto picture = index / to.channels, channel = index % to.channels;
        auto part = channel / from.channels * to.pixels;
        for (int64_t pixel = 0; pixel < to.pixels; pixel++) {
          auto source = sources[part + pixel];
          body(picture * to.size() + to.place(channel, pixel),
               source < 0 ? -1 : picture * from.size() + from.place(channel % from.channels, source));
        }
      }
    });
  }
};

struct Tokens {
  int64_t pictures, taps;
  PictureLayout patches, tokens;
  std::vector<int32_t> places;
  std::vector<float> factors;

  void forward(const float *x, const float *class_token, const float *positions, float *y) const {
    auto width = tokens.channels;
    zoo::parallel(pictures * width, [&](int64_t first, int64_t last) {
      for (auto index = first; index < last; index++) {
        auto from = x + index / width * patches.size();
        auto to = y + index / width * tokens.size();
        auto channel = index % width;
        to[tokens.place(channel, 0)] = class_token[channel] + positions[channel];
        for (int64_t patch = 0; patch < patches.pixels; patch++) {
          float sum = from[patches.place(channel, patch)];
          for (auto tap = patch * taps; tap < (patch + 1) * taps; tap++)
            sum += factors[tap] * positions[(places[tap] + 1) * width + channel];
          to[tokens.place(channel, patch + 1)] = sum;
        }
      }
    });
  }

  // Each of the targets may be NULL.
  void backward(const float *slopes, float *x, float *class_token, float *positions, int64_t rows) const {
    auto width = tokens.channels;
    if (positions) std::memset(positions, 0, rows * width * sizeof(float));
    zoo::parallel(width, [&](int64_t first, int64_t last) {
      for (auto channel = first; channel < last; channel++) {
        double sum = 0;
        for (int64_t picture = 0; picture < pictures; picture++) {
          auto from = slopes + picture * tokens.size();
          sum += from[tokens.place(channel, 0)];
          for (int64_t patch = 0; patch < patches.pixels; patch++) {
            auto slope = from[tokens.place(channel, patch + 1)];
            if (x) x[picture * patches.size() + patches.place(channel, patch)] = slope;
            if (!positions) continue;
            for (auto tap = patch * taps; tap < (patch + 1) * taps; tap++)
              positions[(places[tap] + 1) * width + channel] += factors[tap] * slope;
          }
        }
        if (class_token) class_token[channel] = static_cast<float>(sum);
        if (positions) positions[channel] = static_cast<float>(sum);
      }
    });
  }
};

}  // namespace

extern "C" {

int32_t zoo_trainer_add_parameter(zoo_trainer *trainer, int64_t rows, int64_t columns, int64_t offset,
                                  int32_t is_buffer, int32_t trains) {
  return zoo::guarded(trainer, -1, [&] {
    int64_t sizes[] = {rows, columns};
    auto number = zoo_trainer_add_tensor(trainer, 2, sizes, trains);
    if (number < 0) return number;
    auto bytes = static_cast<size_t>(rows * columns) * sizeof(float);
    auto data = zoo::data(*trainer, number);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &run) {
      std::memcpy(floats(data), (is_buffer ? run.buffers : run.parameters) + offset, bytes);
    };
    if (trains)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        if (!trainer->values[number].has_gradient) return [](const Run &) {};
        auto slopes = zoo::gradient(*trainer, number);
        return [=](const Run &run) {
          trainer->stream.wait();
          std::memcpy(run.gradients + offset, floats(slopes), bytes);
        };
      };
    zoo::append(*trainer, std::move(layer));
    return number;
  });
}

int32_t zoo_trainer_add_pixel_map(zoo_trainer *trainer, int32_t input, int32_t output, int64_t parts,
                                  const int32_t *sources) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto map = std::make_shared<Map>(Map{x.get_desc().dims()[0], layout_of(x), layout_of(y), {}});
    map->sources.assign(sources, sources + parts * map->to.pixels);
    auto forward = [=](const Run &) {
      auto from = floats(x), to = floats(y);
      map->each([=](int64_t target, int64_t source) { to[target] = source < 0 ? 0 : from[source]; });
    };
    return zoo::add_loops(*trainer, input, output, {}, forward, [=](const Run &, const float *slope, float *to) {
      if (!to) return;
      // Pixels that nobody reads have no slope.
      std::memset(to, 0, x.get_desc().get_size());
      map->each([=](int64_t place, int64_t source) {
        if (source >= 0) to[source] = slope[place];
      });
    });
  });
}

int32_t zoo_trainer_add_tokens(zoo_trainer *trainer, int32_t input, int32_t output, int32_t class_token,
                               int32_t positions, int64_t taps, const int32_t *places, const float *factors) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto token = zoo::data(*trainer, class_token), table = zoo::data(*trainer, positions);
    auto tokens = std::make_shared<Tokens>(
        Tokens{x.get_desc().dims()[0], taps, layout_of(x), layout_of(y), {}, {}});
    tokens->places.assign(places, places + taps * tokens->patches.pixels);
    tokens->factors.assign(factors, factors + taps * tokens->patches.pixels);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      tokens->forward(floats(x), floats(token), floats(table), floats(y));
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        std::vector<zoo::Target> targets;
        for (int value : {input, class_token, positions})
          targets.push_back(trainer->values[value].wants_gradient ? zoo::gradient_target(*trainer, value)
                                                                  : zoo::Target{memory(), [] {}});
        auto slopes = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          trainer->stream.wait();
          auto where = [](const zoo::Target &target) { return target.memory ? floats(target.memory) : nullptr; };
          tokens->backward(floats(slopes), where(targets[0]), where(targets[1]), where(targets[2]),
                           table.get_desc().dims()[0]);
          for (auto &target : targets) target.finish();
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_channel_shift(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters,
                                      int64_t first, int64_t last) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto pictures = x.get_desc().dims()[0];
    auto layout = layout_of(x);
    // Calls `body` with a channel and each of its places.
    auto each = [=](auto body) {
      zoo::parallel(layout.channels, [&](int64_t begin, int64_t end) {
        for (auto channel = begin; channel < end; channel++)
          for (int64_t picture = 0; picture < pictures; picture++)
            for (int64_t pixel = 0; pixel < layout.pixels; pixel++)
              body(channel, picture * layout.size() + layout.place(channel, pixel));
      });
    };
    auto is_shifted = [=](int64_t channel) { return channel < first || channel >= last; };
    auto forward = [=](const Run &run) {
      auto from = floats(x), to = floats(y);
      auto shift = run.parameters + parameters.weight;
      each([=](int64_t channel, int64_t place) { to[place] = from[place] + (is_shifted(channel) ? shift[channel] : 0); });
    };
    return zoo::add_loops(*trainer, input, output, {}, forward, [=](const Run &run, const float *slope, float *to) {
      if (parameters.weight_trains) {
        std::vector<double> sums(layout.channels);
        each([&](int64_t channel, int64_t place) { sums[channel] += slope[place]; });
        for (int64_t channel = 0; channel < layout.channels; channel++)
          run.gradients[parameters.weight + channel] = is_shifted(channel) ? static_cast<float>(sums[channel]) : 0;
      }
      if (to) std::memcpy(to, slope, x.get_desc().get_size());
    });
  });
}

}  // extern "C"
