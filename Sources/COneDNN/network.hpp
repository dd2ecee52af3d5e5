// The network behind onednn_inference.h, shared by the files that implement it.
#pragma once
#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "onednn_inference.h"

namespace zoo {

// Memory aligned to a page and, where it is large, in huge pages: packed weights of fully connected layers are read once
// a run, at the memory's speed.
class Pages {
 public:
  Pages() = default;
  explicit Pages(size_t bytes);
  ~Pages();
  Pages(Pages &&other) noexcept;
  Pages &operator=(Pages &&other) noexcept;
  void *data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void *data_ = nullptr;
  size_t bytes_ = 0;
};

struct Tensor {
  dnnl::memory::desc desc;
  int64_t offset = -1;
  bool blocked = false;
};

struct Operand {
  int argument;
  int tensor;
};

struct Step {
  dnnl::primitive primitive;
  std::string kernel;
  std::vector<Operand> operands;
  std::unordered_map<int, dnnl::memory> arguments;
  // Where set, called instead of a primitive.
  std::function<void(const float *, float *)> loop;
};

}  // namespace zoo

struct zoo_network {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads = 1;
  std::vector<zoo::Tensor> tensors;
  std::vector<zoo::Step> steps;
  std::vector<zoo::Pages> packed;
  zoo::Pages arena, scratch;
  size_t scratch_bytes = 0;
  std::vector<std::vector<std::pair<size_t, int>>> uses;  // by tensor: step and argument
  std::string error;
};
