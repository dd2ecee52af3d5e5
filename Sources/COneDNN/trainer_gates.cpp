// Layers that weigh and reorder channels, and activations that oneDNN's versions don't agree on.
#include <algorithm>
#include <cstring>

#include "trainer_layout.hpp"

using zoo::each_channel;
using zoo::floats;
using zoo::Layout;
using zoo::Run;

namespace {

// Calls `body` with every place in memory that a channel's pixels have.
template <typename Body>
void each_place(const Layout &layout, const Body &body) {
  each_channel(layout, [&](int64_t picture, int64_t channel) {
    auto place = layout.start(picture, channel);
    for (int64_t pixel = 0; pixel < layout.pixels; pixel++, place += layout.block) body(place);
  });
}

float hard_sigmoid(float x) { return std::min(std::max(x + 3, 0.0f), 6.0f) / 6; }

float hard_slope(zoo_activation kind, float x) {
  if (kind == ZOO_HARD_SIGMOID) return x > -3 && x < 3 ? 1.0f / 6 : 0;
  return x < -3 ? 0 : x <= 3 ? x / 3 + 0.5f : 1;
}

// Where channels come from: the input's number and the channel in it.
std::vector<std::pair<int, int64_t>> origins(const zoo_trainer &trainer, const std::vector<int> &parts,
                                             const int32_t *channels, int64_t count) {
  std::vector<std::pair<int, int64_t>> origins;
  for (int64_t index = 0; index < count; index++) {
    int64_t channel = channels[index];
    int part = 0;
    for (auto width = Layout(trainer.values[parts[part]].data.memory).channels; channel >= width;
         width = Layout(trainer.values[parts[part]].data.memory).channels) {
      channel -= width;
      part++;
    }
    origins.push_back({part, channel});
  }
  return origins;
}

}  // namespace

int32_t zoo::add_hard_activation(zoo_trainer *trainer, int32_t input, int32_t output, zoo_activation kind) {
  return guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    Layout layout(x);
    zoo::Layer layer;
    layer.kept = {input};
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      auto from = floats(x), to = floats(y);
      each_place(layout, [=](int64_t place) {
        auto gate = hard_sigmoid(from[place]);
        to[place] = kind == ZOO_HARD_SIGMOID ? gate : from[place] * gate;
      });
    };
    if (trainer->values[input].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        auto target = zoo::gradient_target(*trainer, input);
        auto gradient = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          trainer->stream.wait();
          auto from = floats(x), slope = floats(gradient), to = floats(target.memory);
          each_place(layout, [=](int64_t place) { to[place] = slope[place] * hard_slope(kind, from[place]); });
          target.finish();
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

extern "C" {

int32_t zoo_trainer_add_gate(zoo_trainer *trainer, int32_t input, int32_t gates, int32_t output) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), g = zoo::data(*trainer, gates), y = zoo::data(*trainer, output);
    Layout layout(x), gate_layout(g);
    auto scaled = [=](const float *from, float *to) {
      auto factors = floats(g);
      each_channel(layout, [&](int64_t picture, int64_t channel) {
        auto place = layout.start(picture, channel);
        auto factor = factors[gate_layout.start(picture, channel)];
        for (int64_t pixel = 0; pixel < layout.pixels; pixel++, place += layout.block) to[place] = from[place] * factor;
      });
    };
    zoo::Layer layer;
    layer.kept = {input, gates};
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      scaled(floats(x), floats(y));
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        bool wants_input = trainer->values[input].wants_gradient, wants_gates = trainer->values[gates].wants_gradient;
        zoo::Target target{dnnl::memory(), [] {}}, gate_target{dnnl::memory(), [] {}};
        if (wants_input) target = zoo::gradient_target(*trainer, input);
        if (wants_gates) gate_target = zoo::gradient_target(*trainer, gates);
        auto gradient = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          trainer->stream.wait();
          if (wants_input) {
            scaled(floats(gradient), floats(target.memory));
            target.finish();
          }
          if (!wants_gates) return;
          auto source = floats(x), slope = floats(gradient), to = floats(gate_target.memory);
          each_channel(layout, [&](int64_t picture, int64_t channel) {
            auto place = layout.start(picture, channel);
            double sum = 0;
            for (int64_t pixel = 0; pixel < layout.pixels; pixel++, place += layout.block)
              sum += static_cast<double>(slope[place]) * source[place];
            to[gate_layout.start(picture, channel)] = static_cast<float>(sum);
          });
          gate_target.finish();
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_channel_gather(zoo_trainer *trainer, int32_t count, const int32_t *inputs, int32_t output,
                                       const int32_t *channels) {
  return zoo::guarded(trainer, -1, [&] {
    std::vector<int> parts(inputs, inputs + count);
    std::vector<dnnl::memory> sources;
    for (int part : parts) sources.push_back(zoo::data(*trainer, part));
    auto y = zoo::data(*trainer, output);
    Layout layout(y);
    auto from = origins(*trainer, parts, channels, layout.channels);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      auto to = floats(y);
      each_channel(layout, [&](int64_t picture, int64_t channel) {
        auto &part = sources[from[channel].first];
        auto source = floats(part);
        Layout there(part);
        auto in = there.start(picture, from[channel].second), out = layout.start(picture, channel);
        for (int64_t pixel = 0; pixel < layout.pixels; pixel++, in += there.block, out += layout.block)
          to[out] = source[in];
      });
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        std::vector<std::pair<int, zoo::Target>> targets;
        for (int part = 0; part < count; part++)
          if (trainer->values[parts[part]].wants_gradient)
            targets.push_back({part, zoo::gradient_target(*trainer, parts[part])});
        auto gradient = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          trainer->stream.wait();
          auto slope = floats(gradient);
          for (auto &[part, target] : targets) {
            auto to = floats(target.memory);
            std::memset(to, 0, target.memory.get_desc().get_size());
            Layout there(target.memory);
            // A channel may be gathered twice: pictures side by side, channels one after another.
            zoo::parallel(layout.pictures, [&, number = part](int64_t first, int64_t last) {
              for (auto picture = first; picture < last; picture++)
                for (int64_t channel = 0; channel < layout.channels; channel++) {
                  if (from[channel].first != number) continue;
                  auto out = there.start(picture, from[channel].second), in = layout.start(picture, channel);
                  for (int64_t pixel = 0; pixel < layout.pixels; pixel++, in += layout.block, out += there.block)
                    to[out] += slope[in];
                }
            });
            target.finish();
          }
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

}  // extern "C"
