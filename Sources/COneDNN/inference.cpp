#include <algorithm>
#include <chrono>
#include <cstring>

#include "guarded.hpp"

extern "C" int omp_get_num_procs(void);

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using zoo::append;
using zoo::guarded;
using zoo::Step;
using tag = memory::format_tag;
static constexpr auto f32 = memory::data_type::f32;

static bool has_avx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

static tag blocked_tag() { return has_avx512() ? tag::nChw16c : tag::nChw8c; }

extern "C" {

int32_t zoo_channel_block(void) { return has_avx512() ? 16 : 8; }

void zoo_onednn_version(int32_t version[3]) {
  auto found = dnnl_version();
  version[0] = found->major, version[1] = found->minor, version[2] = found->patch;
}

zoo_network *zoo_network_create(int32_t threads) {
  try {
    auto network = new zoo_network;
    network->threads = threads < 1 ? omp_get_num_procs() : threads;
    return network;
  } catch (...) {
    return nullptr;
  }
}

void zoo_network_destroy(zoo_network *network) { delete network; }
const char *zoo_network_error(const zoo_network *network) { return network->error.c_str(); }

int32_t zoo_network_add_tensor(zoo_network *network, int32_t rank, const int64_t *sizes, zoo_layout layout) {
  return guarded(network, -1, [&] {
    zoo::Tensor tensor;
    tensor.blocked = layout == ZOO_BLOCKED;
    tensor.desc = memory::desc(
        memory::dims(sizes, sizes + rank), f32, rank == 2 ? tag::nc : tensor.blocked ? blocked_tag() : tag::nchw);
    network->tensors.push_back(tensor);
    return static_cast<int>(network->tensors.size()) - 1;
  });
}

int64_t zoo_network_tensor_bytes(zoo_network *network, int32_t tensor) {
  return static_cast<int64_t>(network->tensors[tensor].desc.get_size());
}

void zoo_network_place(zoo_network *network, int32_t tensor, int64_t offset) { network->tensors[tensor].offset = offset; }

}  // extern "C"

static dnnl::primitive_attr attributes(zoo_epilogue epilogue) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops operations;
  if (epilogue.adds_output) operations.append_sum(1.0f);
  switch (epilogue.activation) {
    case ZOO_NO_ACTIVATION: break;
    case ZOO_RELU: operations.append_eltwise(1.0f, algorithm::eltwise_relu, 0.0f, 0.0f); break;
    case ZOO_RELU6: operations.append_eltwise(1.0f, algorithm::eltwise_clip, 0.0f, 6.0f); break;
    case ZOO_SIGMOID: operations.append_eltwise(1.0f, algorithm::eltwise_logistic, 0.0f, 0.0f); break;
    case ZOO_SILU: operations.append_eltwise(1.0f, algorithm::eltwise_swish, 1.0f, 0.0f); break;
    case ZOO_GELU: operations.append_eltwise(1.0f, algorithm::eltwise_gelu_erf, 0.0f, 0.0f); break;
    case ZOO_HARD_SIGMOID:
      operations.append_eltwise(1.0f, algorithm::eltwise_linear, 1.0f / 6, 0.5f);
      operations.append_eltwise(1.0f, algorithm::eltwise_clip, 0.0f, 1.0f);
      break;
    // Version 2 has the slope and the offset built in.
    case ZOO_HARD_SWISH: operations.append_eltwise(1.0f, algorithm::eltwise_hardswish, 1.0f / 6, 0.5f); break;
    case ZOO_GELU_TANH: operations.append_eltwise(1.0f, algorithm::eltwise_gelu_tanh, 0.0f, 0.0f); break;
    case ZOO_TANH: operations.append_eltwise(1.0f, algorithm::eltwise_tanh, 0.0f, 0.0f); break;
  }
  attr.set_post_ops(operations);
  return attr;
}

// Packs row-major values into the layout that a primitive asked for.
static memory pack(zoo_network *network, const float *values, const memory::desc &plain, const memory::desc &wanted) {
  memory source(plain, network->engine, const_cast<float *>(values));
  network->packed.emplace_back(wanted.get_size());
  memory target(wanted, network->engine, network->packed.back().data());
  dnnl::reorder(source, target).execute(network->stream, source, target);
  network->stream.wait();
  return target;
}

static memory::desc weights_desc(const zoo::Tensor &input, const zoo::Tensor &output, int64_t groups,
                                 const zoo_window *window, tag format) {
  auto in = input.desc.dims()[1], out = output.desc.dims()[1];
  if (groups == 1) return memory::desc({out, in, window->kernel[0], window->kernel[1]}, f32, format);
  return memory::desc({groups, out / groups, in / groups, window->kernel[0], window->kernel[1]}, f32, format);
}

static dnnl::convolution_forward::primitive_desc convolution_desc(
    zoo_network *network, int32_t input, int32_t output, bool has_bias, int64_t groups, const zoo_window *window,
    zoo_algorithm algorithm, zoo_epilogue epilogue) {
  auto &from = network->tensors[input], &to = network->tensors[output];
  auto weights = weights_desc(from, to, groups, window, tag::any);
  auto kind = algorithm == ZOO_WINOGRAD ? algorithm::convolution_winograd : algorithm::convolution_direct;
  memory::dims stride{window->stride[0], window->stride[1]};
  memory::dims dilation{window->dilation[0] - 1, window->dilation[1] - 1};
  memory::dims before{window->before[0], window->before[1]}, after{window->after[0], window->after[1]};
  memory::desc bias = has_bias ? memory::desc({to.desc.dims()[1]}, f32, tag::x) : memory::desc();
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::convolution_forward::primitive_desc(
      network->engine, prop_kind::forward_inference, kind, from.desc, weights, bias, to.desc, stride, dilation, before,
      after, attributes(epilogue));
#else
  dnnl::convolution_forward::desc desc(
      prop_kind::forward_inference, kind, from.desc, weights, bias, to.desc, stride, dilation, before, after);
  return dnnl::convolution_forward::primitive_desc(desc, attributes(epilogue), network->engine);
#endif
}

extern "C" {

int32_t zoo_network_add_convolution(
    zoo_network *network, int32_t input, int32_t output, const float *weights, const float *bias, int64_t groups,
    const zoo_window *window, zoo_algorithm algorithm, zoo_epilogue epilogue) {
  return guarded(network, -1, [&] {
    auto &from = network->tensors[input], &to = network->tensors[output];
    auto desc = convolution_desc(network, input, output, bias != nullptr, groups, window, algorithm, epilogue);
    auto plain = weights_desc(from, to, groups, window, groups == 1 ? tag::oihw : tag::goihw);
    std::unordered_map<int, memory> constants{{DNNL_ARG_WEIGHTS, pack(network, weights, plain, desc.weights_desc())}};
    if (bias) constants[DNNL_ARG_BIAS] = pack(network, bias, desc.bias_desc(), desc.bias_desc());
    return append<dnnl::convolution_forward>(network, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}}, std::move(constants));
  });
}

int32_t zoo_network_convolution_is_slow(
    zoo_network *network, int32_t input, int32_t output, int64_t groups, const zoo_window *window,
    zoo_epilogue epilogue) {
  return guarded(network, -1, [&] {
    auto desc = convolution_desc(network, input, output, true, groups, window, ZOO_DIRECT, epilogue);
    return std::strncmp(desc.impl_info_str(), "ref", 3) == 0 ? 1 : 0;
  });
}

double zoo_network_measure_convolution(
    zoo_network *network, int32_t input, int32_t output, int64_t groups, const zoo_window *window,
    zoo_algorithm algorithm, zoo_epilogue epilogue) {
  return guarded(network, -1.0, [&] {
    auto desc = convolution_desc(network, input, output, true, groups, window, algorithm, epilogue);
    auto zeros = [&](const memory::desc &desc) {
      auto pages = std::make_shared<zoo::Pages>(desc.get_size());
      std::memset(pages->data(), 0, pages->bytes());
      return std::make_pair(memory(desc, network->engine, pages->data()), pages);
    };
    auto source = zeros(desc.src_desc()), target = zeros(desc.dst_desc()), weights = zeros(desc.weights_desc()),
         bias = zeros(desc.bias_desc()), scratch = zeros(desc.scratchpad_desc());
    dnnl::convolution_forward primitive(desc);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, source.first}, {DNNL_ARG_DST, target.first}, {DNNL_ARG_WEIGHTS, weights.first},
        {DNNL_ARG_BIAS, bias.first}, {DNNL_ARG_SCRATCHPAD, scratch.first}};
    std::vector<double> times;
    for (int run = 0; run < 6; run++) {
      auto start = std::chrono::steady_clock::now();
      primitive.execute(network->stream, arguments);
      network->stream.wait();
      if (run > 0) times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  });
}

int32_t zoo_network_add_linear(
    zoo_network *network, int32_t input, int32_t output, const float *weights, const float *bias,
    zoo_epilogue epilogue) {
  return guarded(network, -1, [&] {
    auto &from = network->tensors[input].desc, &to = network->tensors[output].desc;
    memory::dims sizes{to.dims()[1], from.dims()[1]};
    memory::desc any(sizes, f32, tag::any), plain(sizes, f32, tag::oi);
    memory::desc bias_desc = bias ? memory::desc({sizes[0]}, f32, tag::x) : memory::desc();
#if DNNL_VERSION_MAJOR >= 3
    dnnl::inner_product_forward::primitive_desc desc(
        network->engine, prop_kind::forward_inference, from, any, bias_desc, to, attributes(epilogue));
#else
    dnnl::inner_product_forward::primitive_desc desc(
        {prop_kind::forward_inference, from, any, bias_desc, to}, attributes(epilogue), network->engine);
#endif
    std::unordered_map<int, memory> constants{{DNNL_ARG_WEIGHTS, pack(network, weights, plain, desc.weights_desc())}};
    if (bias) constants[DNNL_ARG_BIAS] = pack(network, bias, bias_desc, bias_desc);
    return append<dnnl::inner_product_forward>(network, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}}, std::move(constants));
  });
}

int32_t zoo_network_add_pooling(
    zoo_network *network, int32_t input, int32_t output, zoo_pooling_kind kind, const zoo_window *window) {
  return guarded(network, -1, [&] {
    auto &from = network->tensors[input].desc, &to = network->tensors[output].desc;
    auto method = kind == ZOO_MAX                      ? algorithm::pooling_max
                  : kind == ZOO_AVERAGE_WITH_PADDING ? algorithm::pooling_avg_include_padding
                                                       : algorithm::pooling_avg_exclude_padding;
    memory::dims stride{window->stride[0], window->stride[1]}, kernel{window->kernel[0], window->kernel[1]};
    memory::dims before{window->before[0], window->before[1]}, after{window->after[0], window->after[1]};
    auto attr = attributes({0, ZOO_NO_ACTIVATION});
#if DNNL_VERSION_MAJOR >= 3
    dnnl::pooling_forward::primitive_desc desc(
        network->engine, prop_kind::forward_inference, method, from, to, stride, kernel, {0, 0}, before, after, attr);
#else
    dnnl::pooling_forward::primitive_desc desc(
        {prop_kind::forward_inference, method, from, to, stride, kernel, before, after}, attr, network->engine);
#endif
    return append<dnnl::pooling_forward>(network, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
  });
}

int32_t zoo_network_add_activation(zoo_network *network, int32_t input, int32_t output, zoo_activation activation) {
  if (activation == ZOO_HARD_SIGMOID || activation == ZOO_HARD_SWISH)
    return zoo::add_hard_activation(network, input, output, activation);
  return guarded(network, -1, [&] {
    auto &from = network->tensors[input].desc;
    auto method = activation == ZOO_RELU    ? algorithm::eltwise_relu
                  : activation == ZOO_RELU6   ? algorithm::eltwise_clip
                  : activation == ZOO_SIGMOID ? algorithm::eltwise_logistic
                  : activation == ZOO_SILU    ? algorithm::eltwise_swish
                  : activation == ZOO_TANH    ? algorithm::eltwise_tanh
                  : activation == ZOO_GELU_TANH ? algorithm::eltwise_gelu_tanh
                                              : algorithm::eltwise_gelu_erf;
    float alpha = activation == ZOO_SILU ? 1.0f : 0.0f, beta = activation == ZOO_RELU6 ? 6.0f : 0.0f;
    auto attr = attributes({0, ZOO_NO_ACTIVATION});
#if DNNL_VERSION_MAJOR >= 3
    dnnl::eltwise_forward::primitive_desc desc(
        network->engine, prop_kind::forward_inference, method, from, from, alpha, beta, attr);
#else
    dnnl::eltwise_forward::primitive_desc desc(
        {prop_kind::forward_inference, method, from, alpha, beta}, attr, network->engine);
#endif
    return append<dnnl::eltwise_forward>(network, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
  });
}

int32_t zoo_network_add_sum(zoo_network *network, int32_t first, int32_t second, int32_t output) {
  return guarded(network, -1, [&] {
    auto &a = network->tensors[first].desc, &b = network->tensors[second].desc, &to = network->tensors[output].desc;
    auto attr = attributes({0, ZOO_NO_ACTIVATION});
#if DNNL_VERSION_MAJOR >= 3
    dnnl::binary::primitive_desc desc(network->engine, algorithm::binary_add, a, b, to, attr);
#else
    dnnl::binary::primitive_desc desc({algorithm::binary_add, a, b, to}, attr, network->engine);
#endif
    return append<dnnl::binary>(network, desc, {{DNNL_ARG_SRC_0, first}, {DNNL_ARG_SRC_1, second}, {DNNL_ARG_DST, output}});
  });
}

int32_t zoo_network_add_softmax(zoo_network *network, int32_t input, int32_t output) {
  return guarded(network, -1, [&] {
    auto &from = network->tensors[input].desc;
    int axis = static_cast<int>(from.dims().size()) - 1;
    auto attr = attributes({0, ZOO_NO_ACTIVATION});
#if DNNL_VERSION_MAJOR >= 3
    dnnl::softmax_forward::primitive_desc desc(
        network->engine, prop_kind::forward_inference, algorithm::softmax_accurate, from, from, axis, attr);
#else
    dnnl::softmax_forward::primitive_desc desc({prop_kind::forward_inference, from, axis}, attr, network->engine);
#endif
    return append<dnnl::softmax_forward>(network, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
  });
}

int32_t zoo_network_add_reorder(zoo_network *network, int32_t input, int32_t output) {
  return guarded(network, -1, [&] {
    dnnl::reorder::primitive_desc desc(
        network->engine, network->tensors[input].desc, network->engine, network->tensors[output].desc,
        attributes({0, ZOO_NO_ACTIVATION}));
    return append<dnnl::reorder>(network, desc, {{DNNL_ARG_FROM, input}, {DNNL_ARG_TO, output}});
  });
}

int32_t zoo_network_add_adaptive_average(zoo_network *network, int32_t input, int32_t output) {
  return guarded(network, -1, [&] {
    auto from = network->tensors[input].desc.dims(), to = network->tensors[output].desc.dims();
    Step step;
    step.kernel = "adaptive";
    step.operands = {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}};
    step.loop = [from, to](const float *source, float *target) {
      for (int64_t plane = 0; plane < from[0] * from[1]; plane++)
        for (int64_t y = 0; y < to[2]; y++)
          for (int64_t x = 0; x < to[3]; x++) {
            int64_t top = y * from[2] / to[2], bottom = ((y + 1) * from[2] + to[2] - 1) / to[2];
            int64_t left = x * from[3] / to[3], right = ((x + 1) * from[3] + to[3] - 1) / to[3];
            double sum = 0;
            for (int64_t row = top; row < bottom; row++)
              for (int64_t column = left; column < right; column++)
                sum += source[(plane * from[2] + row) * from[3] + column];
            target[(plane * to[2] + y) * to[3] + x] = static_cast<float>(sum / ((bottom - top) * (right - left)));
          }
    };
    network->steps.push_back(std::move(step));
    return static_cast<int>(network->steps.size()) - 1;
  });
}

const char *zoo_network_step_kernel(const zoo_network *network, int32_t step) {
  return network->steps[step].kernel.c_str();
}

int32_t zoo_network_finish(zoo_network *network, int64_t arena_bytes) {
  return guarded(network, -1, [&] {
    network->arena = zoo::Pages(static_cast<size_t>(arena_bytes));
    network->scratch = zoo::Pages(network->scratch_bytes);
    network->uses.resize(network->tensors.size());
    auto base = static_cast<char *>(network->arena.data());
    // Padded channels must read as zero; kernels keep them so once they are.
    if (base) std::memset(base, 0, network->arena.bytes());
    for (size_t index = 0; index < network->steps.size(); index++) {
      auto &step = network->steps[index];
      for (auto operand : step.operands) {
        auto &tensor = network->tensors[operand.tensor];
        step.arguments[operand.argument] =
            memory(tensor.desc, network->engine, tensor.offset < 0 ? nullptr : base + tensor.offset);
        network->uses[operand.tensor].push_back({index, operand.argument});
      }
      auto scratch = step.arguments.find(DNNL_ARG_SCRATCHPAD);
      if (scratch != step.arguments.end()) scratch->second.set_data_handle(network->scratch.data());
    }
    return 0;
  });
}

int64_t zoo_network_memory(const zoo_network *network) {
  size_t total = network->arena.bytes() + network->scratch.bytes();
  for (auto &pages : network->packed) total += pages.bytes();
  return static_cast<int64_t>(total);
}

int32_t zoo_network_run(
    zoo_network *network, int32_t input_tensor, const float *input, int32_t output_count,
    const int32_t *output_tensors, float *const *outputs) {
  return guarded(network, -1, [&] {
    auto stand_in = [&](int tensor, float *data) {
      for (auto [step, argument] : network->uses[tensor]) network->steps[step].arguments[argument].set_data_handle(data);
    };
    stand_in(input_tensor, const_cast<float *>(input));
    for (int index = 0; index < output_count; index++) stand_in(output_tensors[index], outputs[index]);
    for (auto &step : network->steps) {
      if (step.loop) {
        step.loop(static_cast<const float *>(step.arguments[DNNL_ARG_SRC].get_data_handle()),
                  static_cast<float *>(step.arguments[DNNL_ARG_DST].get_data_handle()));
      } else {
        step.primitive.execute(network->stream, step.arguments);
      }
    }
    network->stream.wait();
    return 0;
  });
}

}  // extern "C"
