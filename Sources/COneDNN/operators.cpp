#include "include/onednn_operators.h"

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "network.hpp"

// From libgomp, which oneDNN runs on; Swift's clang ships no omp.h.
extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_num_procs(void);

using dnnl::memory;
using tag = memory::format_tag;
static constexpr auto f32 = memory::data_type::f32;

struct zoo_operators {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads = 1;
  std::string error;
};

// An operand in the caller's layout, and where the primitive wants another one, room for that.
struct Side {
  int argument = 0;
  memory::desc plain, wanted;
  zoo::Pages room;
  // Packed once; else given with each run.
  bool is_constant = false;

  bool differs() const { return plain != wanted; }
};

struct zoo_prepared {
  dnnl::primitive primitive;
  Side first, second, output;
  std::unordered_map<int, memory> constants;
  zoo::Pages bias;
};

template <typename Result, typename Body>
static Result guarded(zoo_operators *operators, Result failure, Body body) {
  try {
    omp_set_num_threads(operators->threads);
    return body();
  } catch (const std::exception &error) {
    operators->error = error.what();
  } catch (...) {
    operators->error = "unknown failure";
  }
  return failure;
}

static void reorder(zoo_operators *operators, const memory &from, const memory &to) {
  memory source = from, target = to;
  dnnl::reorder(source, target).execute(operators->stream, source, target);
  operators->stream.wait();
}

static memory at(zoo_operators *operators, const memory::desc &desc, const float *values) {
  return memory(desc, operators->engine, const_cast<float *>(values));
}

static void make_room(Side &side) {
  if (side.differs()) side.room = zoo::Pages(side.wanted.get_size());
}

static void pack(zoo_operators *operators, zoo_prepared &prepared, const float *values) {
  Side &side = prepared.second;
  side.is_constant = true;
  side.room = zoo::Pages(side.wanted.get_size());
  memory target(side.wanted, operators->engine, side.room.data());
  reorder(operators, at(operators, side.plain, values), target);
  prepared.constants[side.argument] = target;
}

static void keep_bias(zoo_operators *operators, zoo_prepared &prepared, const memory::desc &desc, const float *values) {
  prepared.bias = zoo::Pages(desc.get_size());
  std::copy(values, values + desc.get_size() / sizeof(float), static_cast<float *>(prepared.bias.data()));
  prepared.constants[DNNL_ARG_BIAS] = memory(desc, operators->engine, prepared.bias.data());
}

extern "C" {

zoo_operators *zoo_operators_create(int32_t threads) {
  try {
    auto operators = new zoo_operators;
    operators->threads = threads < 1 ? omp_get_num_procs() : threads;
    return operators;
  } catch (...) {
    return nullptr;
  }
}

void zoo_operators_destroy(zoo_operators *operators) { delete operators; }
const char *zoo_operators_error(const zoo_operators *operators) { return operators->error.c_str(); }
void zoo_prepared_destroy(zoo_prepared *prepared) { delete prepared; }

zoo_prepared *zoo_operators_matmul(
    zoo_operators *operators, int32_t rank, const int64_t *a_sizes, const int64_t *a_strides, const int64_t *b_sizes,
    const int64_t *b_strides, const float *b_values, const float *bias) {
  return guarded(operators, static_cast<zoo_prepared *>(nullptr), [&] {
    auto prepared = std::make_unique<zoo_prepared>();
    auto dims = [rank](const int64_t *values) { return memory::dims(values, values + rank); };
    memory::desc a(dims(a_sizes), f32, dims(a_strides)), b(dims(b_sizes), f32, dims(b_strides));
    memory::dims sizes(rank), strides(rank, 1), bias_sizes(rank, 1), bias_strides(rank, 1);
    for (int axis = 0; axis < rank; axis++) sizes[axis] = std::max(a_sizes[axis], b_sizes[axis]);
    sizes[rank - 2] = a_sizes[rank - 2];
    sizes[rank - 1] = bias_sizes[rank - 1] = b_sizes[rank - 1];
    for (int axis = rank - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * sizes[axis + 1];
    for (int axis = rank - 2; axis >= 0; axis--) bias_strides[axis] = sizes[rank - 1];
    memory::desc c(sizes, f32, strides);
    memory::desc bias_desc = bias ? memory::desc(bias_sizes, f32, bias_strides) : memory::desc();
    memory::desc wanted = b_values ? memory::desc(dims(b_sizes), f32, tag::any) : b;
#if DNNL_VERSION_MAJOR >= 3
    auto desc = bias ? dnnl::matmul::primitive_desc(operators->engine, a, wanted, bias_desc, c)
                     : dnnl::matmul::primitive_desc(operators->engine, a, wanted, c);
#else
    auto desc = bias ? dnnl::matmul::primitive_desc({a, wanted, bias_desc, c}, operators->engine)
                     : dnnl::matmul::primitive_desc({a, wanted, c}, operators->engine);
#endif
    prepared->primitive = dnnl::matmul(desc);
    prepared->first.argument = DNNL_ARG_SRC;
    prepared->first.plain = prepared->first.wanted = a;
    prepared->second.argument = DNNL_ARG_WEIGHTS;
    prepared->second.plain = b;
    prepared->second.wanted = desc.weights_desc();
    prepared->output.argument = DNNL_ARG_DST;
    prepared->output.plain = prepared->output.wanted = c;
    if (b_values) pack(operators, *prepared, b_values);
    if (bias) keep_bias(operators, *prepared, bias_desc, bias);
    return prepared.release();
  });
}

zoo_prepared *zoo_operators_convolution(
    zoo_operators *operators, const int64_t *x_sizes, const int64_t *weight_sizes, const int64_t *y_sizes,
    int64_t groups, const zoo_spatial_window *window, const float *weights, const float *bias) {
  return guarded(operators, static_cast<zoo_prepared *>(nullptr), [&] {
    auto prepared = std::make_unique<zoo_prepared>();
    int axes = window->axes, rank = axes + 2;
    tag plain = axes == 1 ? tag::ncw : axes == 2 ? tag::nchw : tag::ncdhw;
    tag plain_weights = groups == 1 ? (axes == 1 ? tag::oiw : axes == 2 ? tag::oihw : tag::oidhw)
                                    : (axes == 1 ? tag::goiw : axes == 2 ? tag::goihw : tag::goidhw);
    memory::dims x(x_sizes, x_sizes + rank), y(y_sizes, y_sizes + rank), w(weight_sizes, weight_sizes + rank);
    if (groups != 1) {
      w[0] /= groups;
      w.insert(w.begin(), groups);
    }
    auto part = [axes](const int64_t *values) { return memory::dims(values, values + axes); };
    memory::dims dilation = part(window->dilation);
    for (auto &step : dilation) step -= 1;
    memory::desc bias_desc = bias ? memory::desc({y[1]}, f32, tag::x) : memory::desc();
    memory::desc any_x(x, f32, tag::any), any_w(w, f32, tag::any), any_y(y, f32, tag::any);
#if DNNL_VERSION_MAJOR >= 3
    dnnl::convolution_forward::primitive_desc desc(
        operators->engine, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, any_x, any_w,
        bias_desc, any_y, part(window->stride), dilation, part(window->before), part(window->after));
#else
    dnnl::convolution_forward::primitive_desc desc(
        {dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, any_x, any_w, bias_desc, any_y,
         part(window->stride), dilation, part(window->before), part(window->after)},
        operators->engine);
#endif
    prepared->primitive = dnnl::convolution_forward(desc);
    prepared->first.argument = DNNL_ARG_SRC;
    prepared->first.plain = memory::desc(x, f32, plain);
    prepared->first.wanted = desc.src_desc();
    prepared->second.argument = DNNL_ARG_WEIGHTS;
    prepared->second.plain = memory::desc(w, f32, plain_weights);
    prepared->second.wanted = desc.weights_desc();
    prepared->output.argument = DNNL_ARG_DST;
    prepared->output.plain = memory::desc(y, f32, plain);
    prepared->output.wanted = desc.dst_desc();
    make_room(prepared->first);
    make_room(prepared->output);
    if (weights) {
      pack(operators, *prepared, weights);
    } else {
      make_room(prepared->second);
    }
    if (bias) keep_bias(operators, *prepared, bias_desc, bias);
    return prepared.release();
  });
}

int32_t zoo_operators_run(
    zoo_operators *operators, zoo_prepared *prepared, const float *first, const float *second, float *output) {
  return guarded(operators, -1, [&] {
    auto arguments = prepared->constants;
    auto give = [&](Side &side, const float *values) {
      auto plain = at(operators, side.plain, values);
      if (!side.differs()) {
        arguments[side.argument] = plain;
        return;
      }
      memory target(side.wanted, operators->engine, side.room.data());
      reorder(operators, plain, target);
      arguments[side.argument] = target;
    };
    give(prepared->first, first);
    if (!prepared->second.is_constant) give(prepared->second, second);
    auto plain = at(operators, prepared->output.plain, output);
    auto target = prepared->output.differs()
                      ? memory(prepared->output.wanted, operators->engine, prepared->output.room.data())
                      : plain;
    arguments[DNNL_ARG_DST] = target;
    prepared->primitive.execute(operators->stream, arguments);
    operators->stream.wait();
    if (prepared->output.differs()) reorder(operators, target, plain);
    return 0;
  });
}

}  // extern "C"
