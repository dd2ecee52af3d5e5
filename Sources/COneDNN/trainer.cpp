#include "trainer.hpp"

#include <algorithm>

#include "parallel.hpp"

using dnnl::memory;

namespace zoo {

memory take(zoo_trainer &trainer, const memory::desc &desc) {
  auto pages = std::make_shared<Pages>(desc.get_size());
  trainer.memory.push_back(pages);
  return memory(desc, trainer.engine, pages->data());
}

// Loops of plain C++ leave the padding of blocked channels as they find it, and kernels rely on zeros there.
static bool is_padded(const memory::desc &desc) {
  int64_t count = 1;
  for (auto size : desc.dims()) count *= size;
  return desc.get_size() != static_cast<size_t>(count) * sizeof(float);
}

Planned plan(zoo_trainer &trainer, const memory::desc &desc) {
  memory planned(desc, trainer.engine, DNNL_MEMORY_NONE);
  return {planned, trainer.plan.add(planned, trainer.step)};
}

static Planned plan_value(zoo_trainer &trainer, const memory::desc &desc) {
  if (is_padded(desc)) return {take(trainer, desc), -1};
  return plan(trainer, desc);
}

void keep(zoo_trainer &trainer, const Planned &planned) {
  if (planned.slot >= 0) trainer.plan.use(planned.slot, trainer.step);
}

memory data(zoo_trainer &trainer, int index) {
  trainer.touched.push_back(index);
  keep(trainer, trainer.values[index].data);
  return trainer.values[index].data.memory;
}

memory gradient(zoo_trainer &trainer, int index) {
  auto &value = trainer.values[index];
  // One that nobody writes is zero.
  if (!value.has_gradient) value.gradient = {take(trainer, value.data.memory.get_desc()), -1};
  keep(trainer, value.gradient);
  return value.gradient.memory;
}

void append(zoo_trainer &trainer, Layer layer) {
  layer.touched = std::move(trainer.touched);
  trainer.touched.clear();
  trainer.layers.push_back(std::move(layer));
  trainer.step = static_cast<int>(trainer.layers.size());
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

void copy(float *to, const float *from, size_t count) {
  by_pieces(static_cast<int64_t>(count), [=](int64_t first, int64_t last) {
    std::copy(from + first, from + last, to + first);
  });
}

void accumulate(float *to, const float *from, size_t count) {
  by_pieces(static_cast<int64_t>(count), [=](int64_t first, int64_t last) {
    for (auto place = first; place < last; place++) to[place] += from[place];
  });
}

Target gradient_target(zoo_trainer &trainer, int index) {
  auto &value = trainer.values[index];
  auto desc = value.data.memory.get_desc();
  if (!value.has_gradient) {
    value.has_gradient = true;
    value.gradient = plan_value(trainer, desc);
    return {value.gradient.memory, [] {}};
  }
  auto extra = plan_value(trainer, desc).memory, total = gradient(trainer, index);
  auto count = desc.get_size() / sizeof(float);
  return {extra, [&trainer, extra, total, count] {
            trainer.stream.wait();
            accumulate(floats(total), floats(extra), count);
          }};
}

// Layers that are built later and write the value's gradient: they add to what is there.
static std::vector<int> later_writers(const zoo_trainer &trainer, int index) {
  std::vector<int> writers;
  auto now = 2 * static_cast<int>(trainer.layers.size()) - trainer.step;
  for (int layer = trainer.values[index].maker + 1; layer < now; layer++) {
    auto &touched = trainer.layers[layer].touched;
    if (std::find(touched.begin(), touched.end(), index) != touched.end()) writers.push_back(layer);
  }
  return writers;
}

bool share_gradient(zoo_trainer &trainer, int index, int other) {
  auto &value = trainer.values[index], &from = trainer.values[other];
  if (value.has_gradient || !from.has_gradient || from.gradient.slot < 0) return false;
  auto &sharers = trainer.sharers[from.gradient.slot];
  if (sharers.empty()) sharers.push_back(other);
  auto writers = later_writers(trainer, index);
  // Backward steps run from the last layer to the first: whoever adds must come after all that read what was there before.
  for (int sharer : sharers) {
    for (int writer : writers)
      if (trainer.values[sharer].maker <= writer) return false;
    for (int writer : later_writers(trainer, sharer))
      if (value.maker <= writer) return false;
  }
  sharers.push_back(index);
  value.has_gradient = true;
  value.gradient = from.gradient;
  keep(trainer, value.gradient);
  return true;
}

memory::desc plain_weights(const zoo_trainer &trainer, int input, int output, int64_t groups, const zoo_window *window,
                           tag format) {
  auto channels = [&](int value) { return trainer.values[value].data.memory.get_desc().dims()[1]; };
  auto in = channels(input), out = channels(output);
  if (groups == 1) return memory::desc({out, in, window->kernel[0], window->kernel[1]}, f32, format);
  return memory::desc({groups, out / groups, in / groups, window->kernel[0], window->kernel[1]}, f32, format);
}

// Whether no gradient has come to what the layer makes.
static bool leads_nowhere(const zoo_trainer &trainer, int layer) {
  bool has_values = false;
  for (auto &value : trainer.values)
    if (value.maker == layer && value.wants_gradient) {
      if (value.has_gradient) return false;
      has_values = true;
    }
  return has_values;
}

// The arena grows with the largest batch that has come.
static void bind(zoo_trainer &trainer) {
  auto &pages = trainer.arena->pages;
  if (pages.bytes() < trainer.arena->wanted) {
    pages = Pages();
    pages = Pages(trainer.arena->wanted);
  }
  if (trainer.bound == pages.data()) return;
  trainer.plan.bind(static_cast<char *>(pages.data()));
  trainer.bound = pages.data();
}

// Row-major description of a value.
static memory::desc row_major(const memory::desc &desc) {
  auto dims = desc.dims();
  return memory::desc(dims, f32, dims.size() == 2 ? tag::nc : tag::nchw);
}

}  // namespace zoo

using zoo::guarded;

extern "C" {

zoo_trainer *zoo_trainer_create(int32_t threads, zoo_arena *arena) {
  try {
    auto trainer = new zoo_trainer;
    trainer->arena = arena;
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
    value.data = zoo::plan_value(*trainer, desc);
    value.maker = static_cast<int>(trainer->layers.size());
    value.wants_gradient = wants_gradient;
    trainer->values.push_back(value);
    return static_cast<int>(trainer->values.size()) - 1;
  });
}

int32_t zoo_trainer_finish(zoo_trainer *trainer, int32_t input, int32_t output) {
  return guarded(trainer, -1, [&] {
    trainer->input = input;
    trainer->output = output;
    auto in = trainer->values[input].data.memory.get_desc(), out = trainer->values[output].data.memory.get_desc();
    trainer->read_input = zoo::reorder(*trainer, zoo::row_major(in), in);
    trainer->write_output = zoo::reorder(*trainer, out, zoo::row_major(out));
    trainer->read_gradient = zoo::reorder(*trainer, zoo::row_major(out), out);
    zoo::data(*trainer, output);
    zoo::gradient_target(*trainer, output);
    auto count = static_cast<int>(trainer->layers.size());
    for (int place = count - 1; place >= 0; place--) {
      auto &layer = trainer->layers[place];
      trainer->step = 2 * count - place;
      if (!layer.build_backward || zoo::leads_nowhere(*trainer, place)) continue;
      for (int value : layer.kept.value_or(layer.touched)) zoo::keep(*trainer, trainer->values[value].data);
      trainer->backward.push_back(layer.build_backward());
    }
    return 0;
  });
}

int32_t zoo_trainer_slot_count(const zoo_trainer *trainer) {
  return static_cast<int32_t>(trainer->plan.slots().size());
}

zoo_slot zoo_trainer_slot(const zoo_trainer *trainer, int32_t slot) {
  auto &found = trainer->plan.slots()[slot];
  return {static_cast<int64_t>(found.memory.get_desc().get_size()), found.first, found.last};
}

void zoo_trainer_place(zoo_trainer *trainer, const int64_t *offsets, int64_t bytes) {
  trainer->plan.place(offsets);
  trainer->arena->wanted = std::max(trainer->arena->wanted, static_cast<size_t>(bytes));
}

int32_t zoo_trainer_forward(zoo_trainer *trainer, const float *input, const float *parameters, float *buffers,
                            uint64_t seed, float *output) {
  return guarded(trainer, -1, [&] {
    zoo::bind(*trainer);
    trainer->read_input(const_cast<float *>(input), trainer->values[trainer->input].data.memory.get_data_handle());
    zoo::Run run{parameters, buffers, nullptr, seed};
    for (auto &layer : trainer->layers) layer.forward(run);
    trainer->write_output(trainer->values[trainer->output].data.memory.get_data_handle(), output);
    trainer->stream.wait();
    return 0;
  });
}

int32_t zoo_trainer_backward(zoo_trainer *trainer, const float *output_gradient, const float *parameters,
                             float *gradients) {
  return guarded(trainer, -1, [&] {
    trainer->read_gradient(const_cast<float *>(output_gradient),
                           trainer->values[trainer->output].gradient.memory.get_data_handle());
    zoo::Run run{parameters, nullptr, gradients, 0};
    for (auto &step : trainer->backward) step(run);
    trainer->stream.wait();
    return 0;
  });
}

}  // extern "C"
