// Pictures at another size, bilinear between pixels' centres: inference and training.
#include "guarded.hpp"
#include "trainer.hpp"

using dnnl::algorithm;
using dnnl::prop_kind;
using zoo::Run;

namespace {

dnnl::resampling_forward::primitive_desc described(const dnnl::engine &engine, prop_kind kind,
                                                   const dnnl::memory::desc &from, const dnnl::memory::desc &to,
                                                   const dnnl::primitive_attr &attr = {}) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, algorithm::resampling_linear, from, to, attr};
#else
  return {{kind, algorithm::resampling_linear, from, to}, attr, engine};
#endif
}

}  // namespace

extern "C" {

int32_t zoo_network_add_resize(zoo_network *network, int32_t input, int32_t output) {
  return zoo::guarded(network, -1, [&] {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    auto desc = described(network->engine, prop_kind::forward_inference, network->tensors[input].desc,
                          network->tensors[output].desc, attr);
    return zoo::append<dnnl::resampling_forward>(network, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
  });
}

int32_t zoo_trainer_add_resize(zoo_trainer *trainer, int32_t input, int32_t output) {
  return zoo::guarded(trainer, -1, [&] {
    auto x = zoo::data(*trainer, input), y = zoo::data(*trainer, output);
    auto from = x.get_desc(), to = y.get_desc();
    auto desc = described(trainer->engine, prop_kind::forward_training, from, to);
    auto primitive = dnnl::resampling_forward(desc);
    zoo::Layer layer;
    layer.kept.emplace();
    layer.forward = [=](const Run &) {
      primitive.execute(trainer->stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    };
    if (trainer->values[input].wants_gradient)
      layer.build_backward = [=]() -> std::function<void(const Run &)> {
#if DNNL_VERSION_MAJOR >= 3
        dnnl::resampling_backward::primitive_desc backward_desc(trainer->engine, algorithm::resampling_linear, from,
                                                                to, desc);
#else
        dnnl::resampling_backward::primitive_desc backward_desc({algorithm::resampling_linear, from, to},
                                                                trainer->engine, desc);
#endif
        auto backward = dnnl::resampling_backward(backward_desc);
        auto target = zoo::gradient_target(*trainer, input);
        auto gradient = zoo::gradient(*trainer, output);
        return [=](const Run &) {
          backward.execute(trainer->stream, {{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, target.memory}});
          target.finish();
        };
      };
    zoo::append(*trainer, std::move(layer));
    return 0;
  });
}

}  // extern "C"
