// Layers without parameters: pooling, activations, sums, flatten, dropout.
#include <cstring>

#include "parallel.hpp"
#include "random.hpp"
#include "trainer_layout.hpp"

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using zoo::floats;
using zoo::Run;

namespace {

size_t physical_count(const memory &value) { return value.get_desc().get_size() / sizeof(float); }

// The gradient of one input by a primitive, which `arguments` gives what more it reads.
std::function<void(const Run &)> backward_step(zoo_trainer *trainer, int input, int output,
                                               const dnnl::primitive &primitive, const zoo::Arguments &arguments) {
  auto step = [=](const Run &, const memory &gradient, const memory &target) {
    auto all = arguments;
    all[DNNL_ARG_DIFF_DST] = gradient;
    all[DNNL_ARG_DIFF_SRC] = target;
    primitive.execute(trainer->stream, all);
  };
  return zoo::gradient_step(*trainer, input, output, step);
}

}  // namespace

extern "C" {

int32_t zoo_trainer_add_pooling(zoo_trainer *trainer, int32_t input, int32_t output, zoo_pooling_kind kind,
                                const zoo_window *window) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto method = kind == ZOO_MAX                      ? algorithm::pooling_max
                  : kind == ZOO_AVERAGE_WITH_PADDING ? algorithm::pooling_avg_include_padding
                                                       : algorithm::pooling_avg_exclude_padding;
    memory::dims stride{window->stride[0], window->stride[1]}, kernel{window->kernel[0], window->kernel[1]};
    memory::dims before{window->before[0], window->before[1]}, after{window->after[0], window->after[1]};
#if DNNL_VERSION_MAJOR >= 3
    dnnl::pooling_forward::primitive_desc desc(trainer->engine, prop_kind::forward_training, method, x.get_desc(),
                                               y.get_desc(), stride, kernel, {0, 0}, before, after);
#else
    dnnl::pooling_forward::primitive_desc desc(
        {prop_kind::forward_training, method, x.get_desc(), y.get_desc(), stride, kernel, before, after},
        trainer->engine);
#endif
    auto primitive = dnnl::pooling_forward(desc);
    zoo::Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}};
    zoo::Planned workspace;
    if (kind == ZOO_MAX) {
      workspace = zoo::plan(*trainer, desc.workspace_desc());
      arguments[DNNL_ARG_WORKSPACE] = workspace.memory;
    }
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) { primitive.execute(trainer->stream, arguments); };
    if (trainer->values[input].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
#if DNNL_VERSION_MAJOR >= 3
        dnnl::pooling_backward::primitive_desc backward_desc(
            trainer->engine, method, x.get_desc(), y.get_desc(), stride, kernel, {0, 0}, before, after, desc);
#else
        dnnl::pooling_backward::primitive_desc backward_desc(
            {method, x.get_desc(), y.get_desc(), stride, kernel, before, after}, trainer->engine, desc);
#endif
        auto backward = dnnl::pooling_backward(backward_desc);
        zoo::Arguments more;
        if (kind == ZOO_MAX) {
          zoo::keep(*trainer, workspace);
          more[DNNL_ARG_WORKSPACE] = workspace.memory;
        }
        return backward_step(trainer, input, output, backward, more);
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_activation(zoo_trainer *trainer, int32_t input, int32_t output, zoo_activation activation) {
  if (activation == ZOO_HARD_SIGMOID || activation == ZOO_HARD_SWISH)
    return zoo::add_hard_activation(trainer, input, output, activation);
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    // ReLU's gradient is known from its output, which the next layer keeps anyway.
    bool reads_output = activation == ZOO_RELU;
    auto method = activation == ZOO_RELU      ? algorithm::eltwise_relu_use_dst_for_bwd
                  : activation == ZOO_RELU6   ? algorithm::eltwise_clip
                  : activation == ZOO_SIGMOID ? algorithm::eltwise_logistic
                  : activation == ZOO_SILU    ? algorithm::eltwise_swish
                  : activation == ZOO_TANH    ? algorithm::eltwise_tanh
                  : activation == ZOO_GELU_TANH ? algorithm::eltwise_gelu_tanh
                                              : algorithm::eltwise_gelu_erf;
    float alpha = activation == ZOO_SILU ? 1.0f : 0.0f, beta = activation == ZOO_RELU6 ? 6.0f : 0.0f;
    auto shape = x.get_desc();
#if DNNL_VERSION_MAJOR >= 3
    dnnl::eltwise_forward::primitive_desc desc(
        trainer->engine, prop_kind::forward_training, method, shape, shape, alpha, beta);
#else
    dnnl::eltwise_forward::primitive_desc desc(
        {prop_kind::forward_training, method, shape, alpha, beta}, trainer->engine);
#endif
    auto primitive = dnnl::eltwise_forward(desc);
    zoo::Layer layer;
    layer.kept = {reads_output ? output : input};
    layer.forward = [=](const Run &) { primitive.execute(trainer->stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}}); };
    if (trainer->values[input].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
#if DNNL_VERSION_MAJOR >= 3
        dnnl::eltwise_backward::primitive_desc backward_desc(
            trainer->engine, method, shape, shape, shape, alpha, beta, desc);
#else
        dnnl::eltwise_backward::primitive_desc backward_desc(
            {method, shape, shape, alpha, beta}, trainer->engine, desc);
#endif
        auto backward = dnnl::eltwise_backward(backward_desc);
        return backward_step(
            trainer, input, output, backward, {{reads_output ? DNNL_ARG_DST : DNNL_ARG_SRC, reads_output ? y : x}});
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_sum(zoo_trainer *trainer, int32_t first, int32_t second, int32_t output) {
  return zoo::guarded(trainer, -1, [&] {
    auto a = zoo::data(*trainer, first), b = zoo::data(*trainer, second), y = zoo::data(*trainer, output);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) {
      trainer->stream.wait();
      auto from = floats(a), other = floats(b), to = floats(y);
      zoo::by_pieces(static_cast<int64_t>(physical_count(y)), [=](int64_t first, int64_t last) {
        for (auto place = first; place < last; place++) to[place] = from[place] + other[place];
      });
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        auto gradient = zoo::gradient(*trainer, output);
        std::vector<memory> copies, sums;
        for (int operand : {first, second}) {
          if (!trainer->values[operand].wants_gradient || zoo::share_gradient(*trainer, operand, output)) continue;
          if (trainer->values[operand].has_gradient)
            sums.push_back(zoo::gradient(*trainer, operand));
          else
            copies.push_back(zoo::gradient_target(*trainer, operand).memory);
        }
        return [=](const Run &) {
          trainer->stream.wait();
          auto count = physical_count(gradient);
          for (auto &copy : copies) zoo::copy(floats(copy), floats(gradient), count);
          for (auto &sum : sums) zoo::accumulate(floats(sum), floats(gradient), count);
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_flatten(zoo_trainer *trainer, int32_t input, int32_t output) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto dims = x.get_desc().dims();
    memory::desc plain(dims, zoo::f32, dims.size() == 2 ? zoo::tag::nc : zoo::tag::nchw);
    auto forward = zoo::reorder(*trainer, x.get_desc(), plain);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) { forward(x.get_data_handle(), y.get_data_handle()); };
    if (trainer->values[input].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        auto backward = zoo::reorder(*trainer, plain, x.get_desc());
        auto step = [=](const Run &, const memory &gradient, const memory &target) {
          backward(gradient.get_data_handle(), target.get_data_handle());
        };
        return zoo::gradient_step(*trainer, input, output, step);
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_dropout(zoo_trainer *trainer, int32_t input, int32_t output, float probability) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto mask = std::make_shared<std::vector<float>>(physical_count(x));
    auto number = static_cast<uint64_t>(trainer->layers.size());
    auto forward = [=](const Run &run) {
      float kept = probability < 1 ? 1 / (1 - probability) : 0;
      for (size_t i = 0; i < mask->size(); i++) {
        (*mask)[i] = zoo::uniform(run.seed ^ (number << 40), i) < probability ? 0 : kept;
        floats(y)[i] = floats(x)[i] * (*mask)[i];
      }
    };
    return zoo::add_loops(*trainer, input, output, {}, forward, [=](const Run &, const float *slope, float *to) {
      for (size_t i = 0; to && i < mask->size(); i++) to[i] = slope[i] * (*mask)[i];
    });
  });
}

int32_t zoo_trainer_add_adaptive_average(zoo_trainer *trainer, int32_t input, int32_t output) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto from = x.get_desc().dims(), to = y.get_desc().dims();
    zoo::Layout layout(x);
    int64_t block = layout.block, planes = layout.pictures * layout.blocks;
    // Calls `body` with an output cell, an input cell in its window and the window's size, both in floats.
    auto each = [=](auto body) {
      for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t row = 0; row < to[2]; row++)
          for (int64_t column = 0; column < to[3]; column++) {
            int64_t top = row * from[2] / to[2], bottom = ((row + 1) * from[2] + to[2] - 1) / to[2];
            int64_t left = column * from[3] / to[3], right = ((column + 1) * from[3] + to[3] - 1) / to[3];
            float share = 1.0f / static_cast<float>((bottom - top) * (right - left));
            for (int64_t r = top; r < bottom; r++)
              for (int64_t c = left; c < right; c++)
                for (int64_t lane = 0; lane < block; lane++)
                  body(((plane * to[2] + row) * to[3] + column) * block + lane,
                       ((plane * from[2] + r) * from[3] + c) * block + lane, share);
          }
    };
    auto forward = [=](const Run &) {
      auto source = floats(x), target = floats(y);
      std::memset(target, 0, physical_count(y) * sizeof(float));
      each([=](int64_t out, int64_t in, float share) { target[out] += source[in] * share; });
    };
    return zoo::add_loops(*trainer, input, output, {}, forward, [=](const Run &, const float *slope, float *to) {
      if (!to) return;
      std::memset(to, 0, physical_count(x) * sizeof(float));
      each([=](int64_t out, int64_t in, float share) { to[in] += slope[out] * share; });
    });
  });
}

}  // extern "C"
