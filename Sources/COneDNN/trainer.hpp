// The network behind onednn_training.h, shared by the files that implement it.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "network.hpp"
#include "onednn_training.h"
#include "trainer_memory.hpp"

extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_num_procs(void);

namespace zoo {

using Arguments = std::unordered_map<int, dnnl::memory>;
using tag = dnnl::memory::format_tag;
constexpr auto f32 = dnnl::memory::data_type::f32;

/// What a step needs from outside.
struct Run {
  const float *parameters;
  float *buffers;
  float *gradients;
  uint64_t seed;
};

/// Memory of a trainer and its slot in the plan; -1 where it has a place of its own for good.
struct Planned {
  dnnl::memory memory;
  int slot = -1;
};

/// A value and the gradient of the loss with respect to it.
struct Value {
  Planned data, gradient;
  // The layer that makes it.
  int maker = 0;
  bool wants_gradient = false;
  // Set while backward steps are built: whether an earlier one has written the gradient.
  bool has_gradient = false;
};

/// A layer's two directions. `build_backward` is called in reverse order once every layer is known.
struct Layer {
  std::function<void(const Run &)> forward;
  std::function<std::function<void(const Run &)>()> build_backward;
  // Values whose data the backward step reads; all that the forward one touches where it isn't said.
  std::optional<std::vector<int>> kept;
  // Values that the forward step reads and writes.
  std::vector<int> touched;
};

/// A value's data or gradient for the layer that is being built, which is noted in the plan.
dnnl::memory data(zoo_trainer &trainer, int index);
dnnl::memory gradient(zoo_trainer &trainer, int index);
void append(zoo_trainer &trainer, Layer layer);

/// Memory that stays for the trainer's life, zeroed.
dnnl::memory take(zoo_trainer &trainer, const dnnl::memory::desc &desc);
/// Memory with any content, for the step that is being built and those that `keep` names later.
Planned plan(zoo_trainer &trainer, const dnnl::memory::desc &desc);
void keep(zoo_trainer &trainer, const Planned &planned);
inline dnnl::memory scratch(zoo_trainer &trainer, const dnnl::memory::desc &desc) { return plan(trainer, desc).memory; }
/// A reorder between two descriptions, ready to run; nothing where they are the same and only a handle is set.
std::function<void(void *, void *)> reorder(zoo_trainer &trainer, const dnnl::memory::desc &from,
                                            const dnnl::memory::desc &to);
/// Where a backward step writes the gradient of `index`, and what to do afterwards: the first writer writes in place, later
/// ones into memory of their own that is then added.
struct Target {
  dnnl::memory memory;
  std::function<void()> finish;
};
Target gradient_target(zoo_trainer &trainer, int index);
/// Gives a value the gradient of another in the same memory, where nothing can come of it.
/// - Returns: whether it has.
bool share_gradient(zoo_trainer &trainer, int index, int other);
/// to = from and to += from, on several threads.
void copy(float *to, const float *from, size_t count);
void accumulate(float *to, const float *from, size_t count);

inline float *floats(const dnnl::memory &value) { return static_cast<float *>(value.get_data_handle()); }

/// A backward step: `body` gets the gradient of the layer's output and where the input's goes.
template <typename Body>
std::function<void(const Run &)> gradient_step(zoo_trainer &trainer, int input, int output, Body body);
/// Adds a layer of plain loops over one input. `backward` gets the output's gradient and where the input's goes, null where
/// nobody wants it; `kept` are the values that it reads besides.
template <typename Forward, typename Backward>
int32_t add_loops(zoo_trainer &trainer, int input, int output, std::vector<int> kept, Forward forward,
                  Backward backward);
/// Activations that oneDNN's versions don't agree on.
int32_t add_hard_activation(zoo_trainer *trainer, int32_t input, int32_t output, zoo_activation kind);
/// Descriptions that a primitive's own choice is brought from and to.
dnnl::memory::desc plain_weights(const zoo_trainer &trainer, int input, int output, int64_t groups,
                                 const zoo_window *window, tag format);

template <typename Result, typename Body>
Result guarded(zoo_trainer *trainer, Result failure, Body body);

}  // namespace zoo

struct zoo_trainer {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads = 1;
  std::vector<zoo::Value> values;
  std::vector<zoo::Layer> layers;
  std::vector<std::function<void(const zoo::Run &)>> backward;
  std::vector<std::shared_ptr<zoo::Pages>> memory;
  zoo::MemoryPlan plan;
  zoo_arena *arena = nullptr;
  // The arena's place when the plan was bound to it.
  void *bound = nullptr;
  // While layers are built: the step, and the values that it touches.
  int step = 0;
  std::vector<int> touched;
  // Values whose gradients have one place, by its slot.
  std::unordered_map<int, std::vector<int>> sharers;
  std::function<void(void *, void *)> read_input, write_output, read_gradient;
  int input = -1, output = -1;
  std::string error;
};

template <typename Result, typename Body>
Result zoo::guarded(zoo_trainer *trainer, Result failure, Body body) {
  try {
    omp_set_num_threads(trainer->threads);
    return body();
  } catch (const std::exception &error) {
    trainer->error = error.what();
  } catch (...) {
    trainer->error = "unknown failure";
  }
  return failure;
}

template <typename Body>
std::function<void(const zoo::Run &)> zoo::gradient_step(zoo_trainer &trainer, int input, int output, Body body) {
  auto slope = gradient(trainer, output);
  auto target = gradient_target(trainer, input);
  return [=](const Run &run) {
    body(run, slope, target.memory);
    target.finish();
  };
}

template <typename Forward, typename Backward>
int32_t zoo::add_loops(zoo_trainer &trainer, int input, int output, std::vector<int> kept, Forward forward,
                       Backward backward) {
  auto owner = &trainer;
  Layer layer;
  layer.kept = std::move(kept);
  layer.forward = [=](const Run &run) {
    owner->stream.wait();
    forward(run);
  };
  if (trainer.values[output].wants_gradient)
    layer.build_backward = [=]() -> std::function<void(const Run &)> {
      auto gradient = zoo::gradient(*owner, output);
      if (!owner->values[input].wants_gradient)
        return [=](const Run &run) {
          owner->stream.wait();
          backward(run, floats(gradient), static_cast<float *>(nullptr));
        };
      return gradient_step(*owner, input, output, [=](const Run &run, const dnnl::memory &, const dnnl::memory &target) {
        owner->stream.wait();
        backward(run, floats(gradient), floats(target));
      });
    };
  append(trainer, std::move(layer));
  return 0;
}
