#include "trainer.hpp"

#include <cstring>

using dnnl::memory;

namespace zoo {

memory take(zoo_trainer &trainer, const memory::desc &desc) {
  auto pages = std::make_shared<Pages>(desc.get_size());
  trainer.memory.push_back(pages);
  return memory(desc, trainer.engine, pages->data());
}

std::function<void(void *, void *)> reorder(zoo_trainer &trainer, const memory::desc &from, const memory::desc &to) {
  auto source = memory(from, trainer.engine, nullptr), target = memory(to, trainer.engine, nullptr);
  auto primitive = dnnl::reorder(dnnl::reorder::primitive_desc(trainer.engine, from, trainer.engine, to));
  return [&trainer, source, target, primitive](void *from, void *to) mutable {
    source.set_data_handle(from);
    target.set_data_handle(to);
    primitive.execute(trainer.stream, source, target);
  };
}

Target gradient_target(zoo_trainer &trainer, int index) {
  auto &value = trainer.values[index];
  if (!value.has_gradient) {
    value.has_gradient = true;
    return {value.gradient, [] {}};
  }
  auto extra = take(trainer, value.gradient.get_desc());
  auto total = value.gradient;
  auto count = value.gradient.get_desc().get_size() / sizeof(float);
  return {extra, [&trainer, extra, total, count] {
            trainer.stream.wait();
            auto to = static_cast<float *>(total.get_data_handle());
            auto from = static_cast<const float *>(extra.get_data_handle());
            for (size_t i = 0; i < count; i++) to[i] += from[i];
          }};
}

memory::desc plain_weights(const zoo_trainer &trainer, int input, int output, int64_t groups, const zoo_window *window,
                           tag format) {
  auto in = trainer.values[input].data.get_desc().dims()[1], out = trainer.values[output].data.get_desc().dims()[1];
  if (groups == 1) return memory::desc({out, in, window->kernel[0], window->kernel[1]}, f32, format);
  return memory::desc({groups, out / groups, in / groups, window->kernel[0], window->kernel[1]}, f32, format);
}

// Row-major description of a value.
static memory::desc row_major(const memory::desc &desc) {
  auto dims = desc.dims();
  return memory::desc(dims, f32, dims.size() == 2 ? tag::nc : tag::nchw);
}

}  // namespace zoo

using zoo::guarded;

extern "C" {

zoo_trainer *zoo_trainer_create(int32_t threads) {
  try {
    auto trainer = new zoo_trainer;
    trainer->threads = threads < 1 ? omp_get_num_procs() : threads;
    return trainer;
  } catch (...) {
    return nullptr;
  }
}

void zoo_trainer_destroy(zoo_trainer *trainer) { delete trainer; }
const char *zoo_trainer_error(const zoo_trainer *trainer) { return trainer->error.c_str(); }

int32_t zoo_trainer_add_tensor(zoo_trainer *trainer, int32_t rank, const int64_t *sizes, int32_t wants_gradient) {
  return guarded(trainer, -1, [&] {
    memory::dims dims(sizes, sizes + rank);
    auto blocked = zoo_channel_block() == 16 ? zoo::tag::nChw16c : zoo::tag::nChw8c;
    // Pictures stay as they are: no fast kernel reads three channels from a block of sixteen.
    auto is_picture = rank == 4 && dims[1] <= 3;
    memory::desc desc(dims, zoo::f32, rank == 2 ? zoo::tag::nc : is_picture ? zoo::tag::nchw : blocked);
    zoo::Value value;
    value.data = zoo::take(*trainer, desc);
    value.wants_gradient = wants_gradient;
    if (wants_gradient) value.gradient = zoo::take(*trainer, desc);
    trainer->values.push_back(value);
    return static_cast<int>(trainer->values.size()) - 1;
  });
}

int32_t zoo_trainer_finish(zoo_trainer *trainer, int32_t input, int32_t output) {
  return guarded(trainer, -1, [&] {
    trainer->input = input;
    trainer->output = output;
    auto in = trainer->values[input].data.get_desc(), out = trainer->values[output].data.get_desc();
    trainer->read_input = zoo::reorder(*trainer, zoo::row_major(in), in);
    trainer->write_output = zoo::reorder(*trainer, out, zoo::row_major(out));
    trainer->read_gradient = zoo::reorder(*trainer, zoo::row_major(out), out);
    trainer->values[output].has_gradient = true;
    for (auto layer = trainer->layers.rbegin(); layer != trainer->layers.rend(); ++layer)
      if (layer->build_backward) trainer->backward.push_back(layer->build_backward());
    return 0;
  });
}

int32_t zoo_trainer_forward(zoo_trainer *trainer, const float *input, const float *parameters, float *buffers,
                            uint64_t seed, float *output) {
  return guarded(trainer, -1, [&] {
    trainer->read_input(const_cast<float *>(input), trainer->values[trainer->input].data.get_data_handle());
    zoo::Run run{parameters, buffers, nullptr, seed};
    for (auto &layer : trainer->layers) layer.forward(run);
    trainer->write_output(trainer->values[trainer->output].data.get_data_handle(), output);
    trainer->stream.wait();
    return 0;
  });
}

int32_t zoo_trainer_backward(zoo_trainer *trainer, const float *output_gradient, const float *parameters,
                             float *gradients) {
  return guarded(trainer, -1, [&] {
    trainer->read_gradient(const_cast<float *>(output_gradient),
                           trainer->values[trainer->output].gradient.get_data_handle());
    zoo::Run run{parameters, nullptr, gradients, 0};
    for (auto &step : trainer->backward) step(run);
    trainer->stream.wait();
    return 0;
  });
}

}  // extern "C"
