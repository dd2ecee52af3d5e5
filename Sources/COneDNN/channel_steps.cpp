// Inference steps that work on channels: normalising over them, laying tensors side by side.
#include <algorithm>
#include <cmath>

#include "guarded.hpp"
#include "parallel.hpp"

using dnnl::memory;

namespace {

// Pixels that are normalised together: their sums stay in registers or the first cache.
constexpr int tile = 8;

template <int block>
struct Lanes {
  typedef float type __attribute__((vector_size(block * sizeof(float)), aligned(sizeof(float))));
};

// One picture of channel-blocked values. Lanes beyond the last channel are zero and stay so, as scale and shift are zero
// there.
template <int block>
inline __attribute__((always_inline)) void normalize_tile(const float *from, float *to, const float *scale,
                                                          const float *shift, int64_t channels, int64_t pixels,
                                                          int64_t first, int64_t count, float epsilon) {
  using Vector = typename Lanes<block>::type;
  int64_t blocks = (channels + block - 1) / block;
  Vector last_lanes;
  for (int lane = 0; lane < block; lane++) last_lanes[lane] = (blocks - 1) * block + lane < channels ? 1.0f : 0.0f;
  Vector sums[tile] = {};
  for (int64_t b = 0; b < blocks; b++) {
    auto source = from + (b * pixels + first) * block;
    for (int64_t p = 0; p < count; p++) sums[p] += *reinterpret_cast<const Vector *>(source + p * block);
  }
  float means[tile], factors[tile];
  for (int64_t p = 0; p < count; p++) {
    double sum = 0;
    for (int lane = 0; lane < block; lane++) sum += sums[p][lane];
    means[p] = static_cast<float>(sum / static_cast<double>(channels));
    sums[p] = Vector{};
  }
  for (int64_t b = 0; b < blocks; b++) {
    auto source = from + (b * pixels + first) * block;
    for (int64_t p = 0; p < count; p++) {
      Vector centred = *reinterpret_cast<const Vector *>(source + p * block) - means[p];
      if (b == blocks - 1) centred *= last_lanes;
      sums[p] += centred * centred;
    }
  }
  for (int64_t p = 0; p < count; p++) {
    double sum = 0;
    for (int lane = 0; lane < block; lane++) sum += sums[p][lane];
    factors[p] = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(channels) + epsilon));
  }
  for (int64_t b = 0; b < blocks; b++) {
    auto source = from + (b * pixels + first) * block;
    auto target = to + (b * pixels + first) * block;
    Vector factor = *reinterpret_cast<const Vector *>(scale + b * block);
    Vector offset = *reinterpret_cast<const Vector *>(shift + b * block);
    for (int64_t p = 0; p < count; p++)
      *reinterpret_cast<Vector *>(target + p * block) =
          (*reinterpret_cast<const Vector *>(source + p * block) - means[p]) * factors[p] * factor + offset;
  }
}

using Normalize = void (*)(const float *, float *, const float *, const float *, int64_t, int64_t, int64_t, int64_t,
                           float);

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void normalize_16(const float *from, float *to, const float *scale,
                                                     const float *shift, int64_t channels, int64_t pixels,
                                                     int64_t first, int64_t count, float epsilon) {
  normalize_tile<16>(from, to, scale, shift, channels, pixels, first, count, epsilon);
}
#else
void normalize_16(const float *from, float *to, const float *scale, const float *shift, int64_t channels,
                  int64_t pixels, int64_t first, int64_t count, float epsilon) {
  normalize_tile<16>(from, to, scale, shift, channels, pixels, first, count, epsilon);
}
#endif

void normalize_8(const float *from, float *to, const float *scale, const float *shift, int64_t channels,
                 int64_t pixels, int64_t first, int64_t count, float epsilon) {
  normalize_tile<8>(from, to, scale, shift, channels, pixels, first, count, epsilon);
}

// Row-major values: `size` of them, `inner` apart, for each of outer × inner places.
void normalize_plain(const float *from, float *to, const float *scale, const float *shift, int64_t size, int64_t inner,
                     int64_t place, double epsilon) {
  auto start = place / inner * size * inner + place % inner;
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < size; i++) sum += from[start + i * inner];
  auto mean = sum / static_cast<double>(size);
  for (int64_t i = 0; i < size; i++) squares += (from[start + i * inner] - mean) * (from[start + i * inner] - mean);
  auto factor = 1 / std::sqrt(squares / static_cast<double>(size) + epsilon);
  for (int64_t i = 0; i < size; i++)
    to[start + i * inner] =
        static_cast<float>((from[start + i * inner] - mean) * factor) * scale[i] + shift[i];
}

int add_loop(zoo_network *network, const char *name, int input, int output,
             std::function<void(const float *, float *)> loop) {
  zoo::Step step;
  step.kernel = name;
  step.operands = {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}};
  step.loop = std::move(loop);
  network->steps.push_back(std::move(step));
  return static_cast<int>(network->steps.size()) - 1;
}

}  // namespace

extern "C" {

int32_t zoo_network_add_layer_normalization(zoo_network *network, int32_t input, int32_t output, int32_t axis,
                                            const float *scale, const float *shift, float epsilon) {
  return zoo::guarded(network, -1, [&] {
    auto &from = network->tensors[input];
    auto dims = from.desc.dims();
    int64_t size = dims[axis], block = from.blocked ? zoo_channel_block() : 1;
    auto padded = (size + block - 1) / block * block;
    std::vector<float> factors(padded), offsets(padded);
    std::copy(scale, scale + size, factors.begin());
    std::copy(shift, shift + size, offsets.begin());
    int64_t outer = 1, inner = 1;
    for (size_t index = 0; index < dims.size(); index++)
      if (static_cast<int32_t>(index) != axis) (static_cast<int32_t>(index) < axis ? outer : inner) *= dims[index];
    if (!from.blocked)
      return add_loop(network, "normalize", input, output, [=](const float *source, float *target) {
        zoo::parallel(outer * inner, [&](int64_t first, int64_t last) {
          for (auto place = first; place < last; place++)
            normalize_plain(source, target, factors.data(), offsets.data(), size, inner, place, epsilon);
        });
      });
    if (axis != 1) throw std::runtime_error("channel-blocked values are normalised over channels alone");
    Normalize normalize = block == 16 ? normalize_16 : normalize_8;
    auto tiles = (inner + tile - 1) / tile;
    return add_loop(network, "normalize channels", input, output, [=](const float *source, float *target) {
      zoo::parallel(outer * tiles, [&](int64_t first, int64_t last) {
        for (auto index = first; index < last; index++) {
          auto picture = index / tiles * padded * inner, pixel = index % tiles * tile;
          normalize(source + picture, target + picture, factors.data(), offsets.data(), size, inner, pixel,
                    std::min<int64_t>(tile, inner - pixel), epsilon);
        }
      });
    });
  });
}

int32_t zoo_network_add_pixel_scale(zoo_network *network, int32_t input, int32_t output, const float *factors) {
  return zoo::guarded(network, -1, [&] {
    auto dims = network->tensors[input].desc.dims();
    int64_t block = zoo_channel_block(), pixels = dims[2] * dims[3];
    auto planes = dims[0] * ((dims[1] + block - 1) / block);
    std::vector<float> kept(factors, factors + pixels);
    return add_loop(network, "scale pixels", input, output, [=](const float *source, float *target) {
      zoo::parallel(planes * pixels, [&](int64_t first, int64_t last) {
        for (auto index = first; index < last; index++)
          for (int64_t lane = 0; lane < block; lane++)
            target[index * block + lane] = source[index * block + lane] * kept[index % pixels];
      });
    });
  });
}

int32_t zoo_network_add_concatenation(zoo_network *network, int32_t count, const int32_t *inputs, int32_t output,
                                      int32_t axis) {
  return zoo::guarded(network, -1, [&] {
    std::vector<memory::desc> parts;
    std::vector<zoo::Operand> operands{{DNNL_ARG_DST, output}};
    for (int index = 0; index < count; index++) {
      parts.push_back(network->tensors[inputs[index]].desc);
      operands.push_back({DNNL_ARG_MULTIPLE_SRC + index, inputs[index]});
    }
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
    dnnl::concat::primitive_desc desc(network->engine, network->tensors[output].desc, axis, parts, attr);
#else
    dnnl::concat::primitive_desc desc(network->tensors[output].desc, axis, parts, network->engine, attr);
#endif
    return zoo::append<dnnl::concat>(network, desc, std::move(operands));
  });
}

}  // extern "C"
