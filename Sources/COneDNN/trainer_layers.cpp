// Layers with parameters: convolution, linear, BatchNorm.
#include <cstring>

#include "trainer.hpp"
#include "trainer_depthwise.hpp"

#if DNNL_VERSION_MAJOR >= 3
#define ZOO_DESC(kind, attr, ...) kind::primitive_desc(trainer->engine, __VA_ARGS__, attr)
#define ZOO_BACKWARD_DESC(kind, hint, ...) kind::primitive_desc(trainer->engine, __VA_ARGS__, hint)
#else
#define ZOO_DESC(kind, attr, ...) kind::primitive_desc(kind::desc(__VA_ARGS__), attr, trainer->engine)
#define ZOO_BACKWARD_DESC(kind, hint, ...) kind::primitive_desc(kind::desc(__VA_ARGS__), trainer->engine, hint)
#endif

using dnnl::memory;
using dnnl::prop_kind;
using zoo::Arguments;
using zoo::Run;

namespace {

// Brings parameters from the flat buffer into a primitive's layout and gradients back.
struct Packed {
  memory data;
  std::function<void(void *, void *)> reorder;
};

Packed packed(zoo_trainer &trainer, const memory::desc &plain, const memory::desc &wanted) {
  return {zoo::scratch(trainer, wanted), zoo::reorder(trainer, plain, wanted)};
}

float *at(const float *base, int64_t offset) { return const_cast<float *>(base) + offset; }

// Whether oneDNN has nothing better than its loop of reference.
template <typename Desc>
bool is_plain_loop(const Desc &desc) {
  return std::strncmp(desc.impl_info_str(), "ref", 3) == 0;
}

// Backward steps of a layer whose weights multiply: convolution and linear.
template <typename BackwardData, typename BackwardWeights>
std::function<void(const Run &)> backward(zoo_trainer *trainer, int input, int output, zoo_parameters parameters,
                                          const memory::desc &plain, const memory::desc &bias,
                                          const typename BackwardData::primitive_desc *data_desc,
                                          const typename BackwardWeights::primitive_desc *weights_desc,
                                          const zoo::Depthwise &depthwise = {}) {
  auto slope = zoo::gradient(*trainer, output);
  std::vector<std::function<void(const Run &)>> steps;
  if (weights_desc && depthwise.weights && is_plain_loop(*weights_desc)) {
    auto source = zoo::data(*trainer, input);
    steps.push_back([=](const Run &run) {
      trainer->stream.wait();
      depthwise.weights(zoo::floats(source), zoo::floats(slope),
                        parameters.weight_trains ? run.gradients + parameters.weight : nullptr,
                        parameters.bias >= 0 && parameters.bias_trains ? run.gradients + parameters.bias : nullptr);
    });
  } else if (weights_desc) {
    auto primitive = BackwardWeights(*weights_desc);
    auto gradient = zoo::scratch(*trainer, weights_desc->diff_weights_desc());
    auto unpack = zoo::reorder(*trainer, weights_desc->diff_weights_desc(), plain);
    Arguments arguments{
        {DNNL_ARG_SRC, zoo::data(*trainer, input)}, {DNNL_ARG_DIFF_DST, slope}, {DNNL_ARG_DIFF_WEIGHTS, gradient}};
    memory bias_gradient;
    if (parameters.bias >= 0) {
      bias_gradient = zoo::take(*trainer, bias);
      arguments[DNNL_ARG_DIFF_BIAS] = bias_gradient;
    }
    steps.push_back([=](const Run &run) {
      primitive.execute(trainer->stream, arguments);
      trainer->stream.wait();
      if (parameters.weight_trains) unpack(gradient.get_data_handle(), run.gradients + parameters.weight);
      if (parameters.bias >= 0 && parameters.bias_trains)
        std::memcpy(run.gradients + parameters.bias, bias_gradient.get_data_handle(), bias.get_size());
    });
  }
  if (data_desc && depthwise.input && is_plain_loop(*data_desc)) {
    auto target = zoo::gradient_target(*trainer, input);
    steps.push_back([=](const Run &run) {
      trainer->stream.wait();
      depthwise.input(run.parameters + parameters.weight, zoo::floats(slope), zoo::floats(target.memory));
      target.finish();
    });
  } else if (data_desc) {
    auto primitive = BackwardData(*data_desc);
    auto weights = packed(*trainer, plain, data_desc->weights_desc());
    auto target = zoo::gradient_target(*trainer, input);
    Arguments arguments{
        {DNNL_ARG_DIFF_SRC, target.memory}, {DNNL_ARG_DIFF_DST, slope}, {DNNL_ARG_WEIGHTS, weights.data}};
    steps.push_back([=](const Run &run) {
      weights.reorder(at(run.parameters, parameters.weight), weights.data.get_data_handle());
      primitive.execute(trainer->stream, arguments);
      target.finish();
    });
  }
  return [steps](const Run &run) {
    for (auto &step : steps) step(run);
  };
}

}  // namespace

extern "C" {

int32_t zoo_trainer_add_convolution(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters,
                                    int64_t groups, const zoo_window *window_pointer) {
  return zoo::guarded(trainer, -1, [&] {
    auto window = *window_pointer;
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto any = zoo::plain_weights(*trainer, input, output, groups, &window, zoo::tag::any);
    auto plain = zoo::plain_weights(
        *trainer, input, output, groups, &window, groups == 1 ? zoo::tag::oihw : zoo::tag::goihw);
    memory::desc bias = parameters.bias < 0 ? memory::desc()
                                            : memory::desc({y.get_desc().dims()[1]}, zoo::f32, zoo::tag::x);
    memory::dims stride{window.stride[0], window.stride[1]}, dilation{window.dilation[0] - 1, window.dilation[1] - 1};
    memory::dims before{window.before[0], window.before[1]}, after{window.after[0], window.after[1]};
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    auto desc = ZOO_DESC(dnnl::convolution_forward, dnnl::primitive_attr(), prop_kind::forward_training, direct,
                         x.get_desc(), any, bias, y.get_desc(), stride, dilation, before, after);
    auto weights = packed(*trainer, plain, desc.weights_desc());
    auto primitive = dnnl::convolution_forward(desc);
    Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}, {DNNL_ARG_WEIGHTS, weights.data}};
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &run) mutable {
      weights.reorder(at(run.parameters, parameters.weight), weights.data.get_data_handle());
      if (parameters.bias >= 0)
        arguments[DNNL_ARG_BIAS] = memory(bias, trainer->engine, at(run.parameters, parameters.bias));
      primitive.execute(trainer->stream, arguments);
      trainer->stream.wait();
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=] {
        std::unique_ptr<dnnl::convolution_backward_data::primitive_desc> data_desc;
        std::unique_ptr<dnnl::convolution_backward_weights::primitive_desc> weights_desc;
        if (trainer->values[input].wants_gradient)
          data_desc.reset(new dnnl::convolution_backward_data::primitive_desc(ZOO_BACKWARD_DESC(
              dnnl::convolution_backward_data, desc, direct, x.get_desc(), any, y.get_desc(), stride, dilation, before,
              after)));
        if (parameters.weight_trains || parameters.bias_trains)
          weights_desc.reset(new dnnl::convolution_backward_weights::primitive_desc(ZOO_BACKWARD_DESC(
              dnnl::convolution_backward_weights, desc, direct, x.get_desc(), any, bias, y.get_desc(), stride, dilation,
              before, after)));
        return backward<dnnl::convolution_backward_data, dnnl::convolution_backward_weights>(
            trainer, input, output, parameters, plain, bias, data_desc.get(), weights_desc.get(),
            zoo::depthwise(x, y, groups, window));
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_linear(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    memory::dims sizes{y.get_desc().dims()[1], x.get_desc().dims()[1]};
    memory::desc any(sizes, zoo::f32, zoo::tag::any), plain(sizes, zoo::f32, zoo::tag::oi);
    memory::desc bias = parameters.bias < 0 ? memory::desc() : memory::desc({sizes[0]}, zoo::f32, zoo::tag::x);
    auto desc = ZOO_DESC(dnnl::inner_product_forward, dnnl::primitive_attr(), prop_kind::forward_training, x.get_desc(),
                         any, bias, y.get_desc());
    auto weights = packed(*trainer, plain, desc.weights_desc());
    auto primitive = dnnl::inner_product_forward(desc);
    Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}, {DNNL_ARG_WEIGHTS, weights.data}};
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &run) mutable {
      weights.reorder(at(run.parameters, parameters.weight), weights.data.get_data_handle());
      if (parameters.bias >= 0)
        arguments[DNNL_ARG_BIAS] = memory(bias, trainer->engine, at(run.parameters, parameters.bias));
      primitive.execute(trainer->stream, arguments);
      trainer->stream.wait();
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=] {
        std::unique_ptr<dnnl::inner_product_backward_data::primitive_desc> data_desc;
        std::unique_ptr<dnnl::inner_product_backward_weights::primitive_desc> weights_desc;
        if (trainer->values[input].wants_gradient)
          data_desc.reset(new dnnl::inner_product_backward_data::primitive_desc(
              ZOO_BACKWARD_DESC(dnnl::inner_product_backward_data, desc, x.get_desc(), any, y.get_desc())));
        if (parameters.weight_trains || parameters.bias_trains)
          weights_desc.reset(new dnnl::inner_product_backward_weights::primitive_desc(
              ZOO_BACKWARD_DESC(dnnl::inner_product_backward_weights, desc, x.get_desc(), any, bias, y.get_desc())));
        return backward<dnnl::inner_product_backward_data, dnnl::inner_product_backward_weights>(
            trainer, input, output, parameters, plain, bias, data_desc.get(), weights_desc.get());
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

int32_t zoo_trainer_add_batch_normalization(zoo_trainer *trainer, int32_t input, int32_t output,
                                            zoo_parameters parameters, int64_t mean, int64_t variance, float epsilon,
                                            float momentum, int32_t uses_batch, int32_t rectifies) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto dims = x.get_desc().dims();
    int64_t channels = dims[1], count = dims[0];
    for (size_t axis = 2; axis < dims.size(); axis++) count *= dims[axis];
    auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
    if (!uses_batch) flags = flags | dnnl::normalization_flags::use_global_stats;
    if (rectifies) flags = flags | dnnl::normalization_flags::fuse_norm_relu;
#if DNNL_VERSION_MAJOR >= 3
    dnnl::batch_normalization_forward::primitive_desc desc(
        trainer->engine, prop_kind::forward_training, x.get_desc(), y.get_desc(), epsilon, flags);
#else
    dnnl::batch_normalization_forward::primitive_desc desc(
        {prop_kind::forward_training, x.get_desc(), epsilon, flags}, trainer->engine);
#endif
    auto primitive = dnnl::batch_normalization_forward(desc);
    memory::desc vector({channels}, zoo::f32, zoo::tag::x);
    auto batch_mean = zoo::take(*trainer, vector), batch_variance = zoo::take(*trainer, vector);
    auto scale = zoo::take(*trainer, vector), shift = zoo::take(*trainer, vector);
    // Which values the rectifier let through.
    zoo::Planned workspace;
    Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}, {DNNL_ARG_MEAN, batch_mean},
                        {DNNL_ARG_VARIANCE, batch_variance}, {DNNL_ARG_SCALE, scale}, {DNNL_ARG_SHIFT, shift}};
    if (rectifies) {
      workspace = zoo::plan(*trainer, desc.workspace_desc());
      arguments[DNNL_ARG_WORKSPACE] = workspace.memory;
    }
    zoo::Layer layer;
    layer.kept = {input};
    layer.forward = [=](const Run &run) {
      auto bytes = channels * sizeof(float);
      std::memcpy(scale.get_data_handle(), run.parameters + parameters.weight, bytes);
      std::memcpy(shift.get_data_handle(), run.parameters + parameters.bias, bytes);
      if (!uses_batch) {
        std::memcpy(batch_mean.get_data_handle(), run.buffers + mean, bytes);
        std::memcpy(batch_variance.get_data_handle(), run.buffers + variance, bytes);
      }
      primitive.execute(trainer->stream, arguments);
      trainer->stream.wait();
      if (!uses_batch) return;
      auto means = static_cast<const float *>(batch_mean.get_data_handle());
      auto variances = static_cast<const float *>(batch_variance.get_data_handle());
      float unbiased = count > 1 ? static_cast<float>(count) / (count - 1) : 1;
      for (int64_t channel = 0; channel < channels; channel++) {
        float &m = run.buffers[mean + channel], &v = run.buffers[variance + channel];
        m += momentum * (means[channel] - m);
        v += momentum * (variances[channel] * unbiased - v);
      }
    };
    if (trainer->values[output].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
        // With scale and shift oneDNN has no backward_data; what nobody wants of them isn't copied.
        auto kind = prop_kind::backward;
#if DNNL_VERSION_MAJOR >= 3
        dnnl::batch_normalization_backward::primitive_desc backward_desc(
            trainer->engine, kind, x.get_desc(), y.get_desc(), x.get_desc(), epsilon, flags, desc);
#else
        dnnl::batch_normalization_backward::primitive_desc backward_desc(
            {kind, y.get_desc(), x.get_desc(), epsilon, flags}, trainer->engine, desc);
#endif
        auto backward = dnnl::batch_normalization_backward(backward_desc);
        auto gradient = zoo::gradient(*trainer, output);
        // The primitive always gives the input's gradient; where nobody wants it, it goes nowhere.
        auto target = trainer->values[input].wants_gradient
                          ? zoo::gradient_target(*trainer, input)
                          : zoo::Target{zoo::scratch(*trainer, x.get_desc()), [] {}};
        auto scale_gradient = zoo::take(*trainer, vector), shift_gradient = zoo::take(*trainer, vector);
        Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_MEAN, batch_mean},
                            {DNNL_ARG_VARIANCE, batch_variance}, {DNNL_ARG_SCALE, scale}, {DNNL_ARG_SHIFT, shift},
                            {DNNL_ARG_DIFF_SRC, target.memory}, {DNNL_ARG_DIFF_SCALE, scale_gradient},
                            {DNNL_ARG_DIFF_SHIFT, shift_gradient}};
        if (rectifies) {
          zoo::keep(*trainer, workspace);
          arguments[DNNL_ARG_WORKSPACE] = workspace.memory;
        }
        return [=](const Run &run) {
          backward.execute(trainer->stream, arguments);
          target.finish();
          trainer->stream.wait();
          auto bytes = channels * sizeof(float);
          if (parameters.weight_trains)
            std::memcpy(run.gradients + parameters.weight, scale_gradient.get_data_handle(), bytes);
          if (parameters.bias_trains)
            std::memcpy(run.gradients + parameters.bias, shift_gradient.get_data_handle(), bytes);
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

}  // extern "C"
