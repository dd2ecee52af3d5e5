// Layers that work on channels: normalising over them, scaling them, laying them side by side.
//
// Every sum runs in an order that does not depend on the threads, so that a run can be repeated to the bit.
#include <algorithm>
#include <cmath>

#include "trainer_layout.hpp"

using dnnl::memory;
using zoo::each_channel;
using zoo::floats;
using zoo::Layout;
using zoo::Run;

namespace {

// Sums over pictures and pixels for every channel, of what `term` makes of a place in memory and the pixel's number.
template <typename Term>
void sum_by_channel(const Layout &layout, float *sums, const Term &term) {
  zoo::parallel(layout.channels, [&](int64_t first, int64_t last) {
    for (auto channel = first; channel < last; channel++) {
      double sum = 0;
      for (int64_t picture = 0; picture < layout.pictures; picture++) {
        auto place = layout.start(picture, channel);
        for (int64_t pixel = 0; pixel < layout.pixels; pixel++, place += layout.block)
          sum += term(place, picture * layout.pixels + pixel);
      }
      sums[channel] = static_cast<float>(sum);
    }
  });
}

// Mean over the channels of what `term` makes of each place, for every pixel of every picture.
template <typename Term>
void mean_by_pixel(const Layout &layout, std::vector<double> &means, const Term &term) {
  constexpr int64_t tile = 64;
  auto tiles = (layout.pixels + tile - 1) / tile;
  zoo::parallel(layout.pictures * tiles, [&](int64_t first, int64_t last) {
    for (auto index = first; index < last; index++) {
      auto picture = index / tiles, begin = index % tiles * tile, end = std::min(begin + tile, layout.pixels);
      auto out = means.data() + picture * layout.pixels;
      std::fill(out + begin, out + end, 0.0);
      for (int64_t channel = 0; channel < layout.channels; channel++) {
        auto place = layout.start(picture, channel) + begin * layout.block;
        for (auto pixel = begin; pixel < end; pixel++, place += layout.block)
          out[pixel] += term(place, picture * layout.pixels + pixel, channel);
      }
      for (auto pixel = begin; pixel < end; pixel++) out[pixel] /= static_cast<double>(layout.channels);
    }
  });
}

// What the backward pass of a normalisation needs of its forward pass.
struct Statistics {
  std::vector<double> means, factors, first, second;

  explicit Statistics(const Layout &layout)
      : means(layout.pictures * layout.pixels), factors(means.size()), first(means.size()), second(means.size()) {}
};

void normalize(const Layout &layout, const float *source, float *target, const float *scale, const float *shift,
               double epsilon, Statistics &statistics) {
  auto &means = statistics.means, &factors = statistics.factors;
  mean_by_pixel(layout, means, [&](int64_t place, int64_t, int64_t) { return static_cast<double>(source[place]); });
  mean_by_pixel(layout, factors, [&](int64_t place, int64_t pixel, int64_t) {
    return (source[place] - means[pixel]) * (source[place] - means[pixel]);
  });
  for (auto &factor : factors) factor = 1 / std::sqrt(factor + epsilon);
  each_channel(layout, [&](int64_t picture, int64_t channel) {
    auto place = layout.start(picture, channel), pixel = picture * layout.pixels;
    for (auto end = pixel + layout.pixels; pixel < end; pixel++, place += layout.block)
      target[place] =
          static_cast<float>((source[place] - means[pixel]) * factors[pixel] * scale[channel] + shift[channel]);
  });
}

// With x̂ the normalised value and g = gradient · scale: factor · (g - mean(g) - x̂ · mean(g · x̂)).
void normalize_backward(const Layout &layout, const float *source, const float *gradient, const float *scale,
                        float *target, Statistics &statistics) {
  auto &means = statistics.means, &factors = statistics.factors, &first = statistics.first,
       &second = statistics.second;
  mean_by_pixel(layout, first, [&](int64_t place, int64_t, int64_t channel) {
    return static_cast<double>(gradient[place]) * scale[channel];
  });
  mean_by_pixel(layout, second, [&](int64_t place, int64_t pixel, int64_t channel) {
    return gradient[place] * scale[channel] * (source[place] - means[pixel]) * factors[pixel];
  });
  each_channel(layout, [&](int64_t picture, int64_t channel) {
    auto place = layout.start(picture, channel), pixel = picture * layout.pixels;
    for (auto end = pixel + layout.pixels; pixel < end; pixel++, place += layout.block) {
      auto normal = (source[place] - means[pixel]) * factors[pixel];
      target[place] = static_cast<float>(
          factors[pixel] * (gradient[place] * scale[channel] - first[pixel] - normal * second[pixel]));
    }
  });
}

void copy_channels(const Layout &from, const float *source, int64_t source_channel, const Layout &to, float *target,
                   int64_t target_channel, int64_t count) {
  zoo::parallel(from.pictures * count, [&](int64_t first, int64_t last) {
    for (auto index = first; index < last; index++) {
      auto in = from.start(index / count, source_channel + index % count);
      auto out = to.start(index / count, target_channel + index % count);
      for (int64_t pixel = 0; pixel < from.pixels; pixel++, in += from.block, out += to.block)
        target[out] = source[in];
    }
  });
}

}  // namespace

extern "C" {

int32_t zoo_trainer_add_concatenation(zoo_trainer *trainer, int32_t count, const int32_t *inputs, int32_t output) {
  return zoo::guarded(trainer, -1, [&] {
    std::vector<int> parts(inputs, inputs + count);
    std::vector<memory> sources;
    for (int part : parts) sources.push_back(zoo::data(*trainer, part));
    auto y = zoo::data(*trainer, output);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      int64_t channel = 0;
      for (auto &source : sources) {
        Layout from(source);
        copy_channels(from, floats(source), 0, Layout(y), floats(y), channel, from.channels);
        channel += from.channels;
      }
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        std::vector<std::pair<int64_t, zoo::Target>> targets;
        int64_t channel = 0;
        for (size_t part = 0; part < parts.size(); part++) {
          if (trainer->values[parts[part]].wants_gradient)
            targets.push_back({channel, zoo::gradient_target(*trainer, parts[part])});
          channel += Layout(sources[part]).channels;
        }
        auto gradient = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          trainer->stream.wait();
          for (auto &[channel, target] : targets) {
            Layout to(target.memory);
            copy_channels(Layout(gradient), floats(gradient), channel, to, floats(target.memory), 0, to.channels);
            target.finish();
          }
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_layer_normalization(zoo_trainer *trainer, int32_t input, int32_t output,
                                            zoo_parameters parameters, float epsilon) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    Layout layout(x);
    auto statistics = std::make_shared<Statistics>(layout);
    auto forward = [=](const Run &run) {
      normalize(layout, floats(x), floats(y), run.parameters + parameters.weight, run.parameters + parameters.bias,
                epsilon, *statistics);
    };
    return zoo::add_loops(*trainer, input, output, {input}, forward, [=](const Run &run, const float *slope, float *to) {
      auto source = floats(x);
      if (parameters.weight_trains)
        sum_by_channel(layout, run.gradients + parameters.weight, [&](int64_t place, int64_t pixel) {
          return slope[place] * (source[place] - statistics->means[pixel]) * statistics->factors[pixel];
        });
      if (parameters.bias_trains)
        sum_by_channel(layout, run.gradients + parameters.bias,
                       [&](int64_t place, int64_t) { return static_cast<double>(slope[place]); });
      if (to) normalize_backward(layout, source, slope, run.parameters + parameters.weight, to, *statistics);
    });
  });
}

int32_t zoo_trainer_add_channel_scale(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    Layout layout(x);
    auto scaled = [=](const float *from, float *to, const float *scale) {
      each_channel(layout, [&](int64_t picture, int64_t channel) {
        auto place = layout.start(picture, channel);
        for (int64_t pixel = 0; pixel < layout.pixels; pixel++, place += layout.block)
          to[place] = from[place] * scale[channel];
      });
    };
    auto forward = [=](const Run &run) { scaled(floats(x), floats(y), run.parameters + parameters.weight); };
    return zoo::add_loops(*trainer, input, output, {input}, forward, [=](const Run &run, const float *slope, float *to) {
      auto source = floats(x);
      if (parameters.weight_trains)
        sum_by_channel(layout, run.gradients + parameters.weight, [&](int64_t place, int64_t) {
          return static_cast<double>(slope[place]) * source[place];
        });
      if (to) scaled(slope, to, run.parameters + parameters.weight);
    });
  });
}

int32_t zoo_trainer_add_channel_affine(zoo_trainer *trainer, int32_t input, int32_t output, const float *scale,
                                       const float *shift) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    Layout layout(x);
    std::vector<float> factors(scale, scale + layout.channels), offsets(shift, shift + layout.channels);
    auto apply = [=](const float *from, float *to, bool shifts) {
      each_channel(layout, [&](int64_t picture, int64_t channel) {
        auto place = layout.start(picture, channel);
        for (int64_t pixel = 0; pixel < layout.pixels; pixel++, place += layout.block)
          to[place] = from[place] * factors[channel] + (shifts ? offsets[channel] : 0);
      });
    };
    return zoo::add_loops(
        *trainer, input, output, {}, [=](const Run &) { apply(floats(x), floats(y), true); },
        [=](const Run &, const float *slope, float *to) {
          if (to) apply(slope, to, false);
        });
  });
}

}  // extern "C"
