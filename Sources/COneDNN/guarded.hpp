// What every file of the inference network needs: errors kept inside, steps appended.
#pragma once
#include <algorithm>
#include <stdexcept>

#include "network.hpp"

// From libgomp, which oneDNN runs on; Swift's clang ships no omp.h.
extern "C" void omp_set_num_threads(int);

namespace zoo {

// oneDNN reports failure by exception; none may cross into Swift.
template <typename Result, typename Body>
Result guarded(zoo_network *network, Result failure, Body body) {
  try {
    omp_set_num_threads(network->threads);
    return body();
  } catch (const std::exception &error) {
    network->error = error.what();
  } catch (...) {
    network->error = "unknown failure";
  }
  return failure;
}

/// Activations that oneDNN's versions don't agree on.
int add_hard_activation(zoo_network *network, int input, int output, zoo_activation activation);

template <typename Primitive>
int append(zoo_network *network, const typename Primitive::primitive_desc &desc, std::vector<Operand> operands,
           std::unordered_map<int, dnnl::memory> constants = {}) {
  Step step;
  step.primitive = Primitive(desc);
  step.kernel = desc.impl_info_str();
  step.operands = std::move(operands);
  step.arguments = std::move(constants);
  network->scratch_bytes = std::max(network->scratch_bytes, desc.scratchpad_desc().get_size());
  step.arguments[DNNL_ARG_SCRATCHPAD] = dnnl::memory(desc.scratchpad_desc(), network->engine, nullptr);
  network->steps.push_back(std::move(step));
  return static_cast<int>(network->steps.size()) - 1;
}

}  // namespace zoo
