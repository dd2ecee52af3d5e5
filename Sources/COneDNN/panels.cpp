// Linear layers over panels of their weights: for many rows at the speed of arithmetic, for one at that of memory.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <type_traits>

#include "panels.hpp"
#include "parallel.hpp"

namespace {

using zoo::Lanes;
using zoo::block_rows;
using zoo::Finish;
using zoo::tile_rows;
using zoo::vector_at;

// Tiles below which a panel goes by too fast for anything to be fetched meanwhile.
constexpr int64_t least_tiles = 4;

int64_t element_size(zoo_panel_kind kind) {
  return kind == ZOO_PANELS_FLOAT32 ? 4 : kind == ZOO_PANELS_BFLOAT16 ? 2 : 1;
}

uint16_t bfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Part of the next panel, which tiles fetch into the cache while they work on this one: from memory it comes slower than
// it is multiplied.
struct Ahead {
  const char *from = nullptr;
  int64_t lines = 0;
};

template <int lanes, int rows, int vectors, typename Weight>
ALWAYS_INLINE void multiply_tile(const float *a, int64_t a_row, const Weight *panel, float *c, int64_t c_row,
                                 int64_t depth, const Finish &finish, const Ahead &ahead) {
  using Vector = typename Lanes<lanes>::type;
  Vector sums[rows][vectors];
#pragma clang loop unroll(full)
  for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
    for (int vector = 0; vector < vectors; vector++) sums[row][vector] = Vector{};
  if constexpr (std::is_same_v<Weight, uint16_t>)
    zoo::accumulate_pairs<lanes>(sums, a, a_row, panel, zoo_panel_outputs, depth, ahead.from, ahead.lines);
  else
    zoo::accumulate_tile<lanes>(sums, a, a_row, 1, panel, zoo_panel_outputs, depth, ahead.from, ahead.lines);
  zoo::finish_tile<lanes>(sums, c, c_row, finish);
}

template <int lanes, int vectors, typename Weight>
ALWAYS_INLINE void multiply_rows(int64_t rows, const float *a, int64_t a_row, const Weight *panel, float *c,
                                 int64_t c_row, int64_t depth, const Finish &finish, const Ahead &ahead) {
  switch (rows) {
    case 1: return multiply_tile<lanes, 1, vectors>(a, a_row, panel, c, c_row, depth, finish, ahead);
    case 2: return multiply_tile<lanes, 2, vectors>(a, a_row, panel, c, c_row, depth, finish, ahead);
    case 3: return multiply_tile<lanes, 3, vectors>(a, a_row, panel, c, c_row, depth, finish, ahead);
    case 4: return multiply_tile<lanes, 4, vectors>(a, a_row, panel, c, c_row, depth, finish, ahead);
    case 5: return multiply_tile<lanes, 5, vectors>(a, a_row, panel, c, c_row, depth, finish, ahead);
    default: return multiply_tile<lanes, tile_rows, vectors>(a, a_row, panel, c, c_row, depth, finish, ahead);
  }
}

// Rows `first` to before `last` of one panel's outputs.
template <int lanes, int vectors, typename Weight>
ALWAYS_INLINE void multiply_panel(const zoo_panels &panels, const zoo_product &product, int64_t panel, int64_t first,
                                  int64_t last) {
  auto weights = static_cast<const Weight *>(panels.weights.data()) + panel * panels.panel_size();
  auto tiles = (last - first + tile_rows - 1) / tile_rows * (zoo_panel_outputs / (vectors * lanes));
  Ahead ahead;
  if (tiles >= least_tiles && panel + 1 < panels.count()) {
    // Each block of rows fetches its share.
    auto lines = panels.panel_size() * static_cast<int64_t>(sizeof(Weight)) / 64;
    auto begin = lines * first / product.rows, end = lines * last / product.rows;
    ahead.from = reinterpret_cast<const char *>(weights + panels.panel_size()) + begin * 64;
    ahead.lines = (end - begin + tiles - 1) / tiles;
  }
  // Of bfloat16 each output has two numbers side by side.
  constexpr int64_t width = sizeof(Weight) == 2 ? 2 : 1;
  for (int64_t part = 0; part < zoo_panel_outputs; part += vectors * lanes) {
    auto output = panel * zoo_panel_outputs + part;
    for (auto row = first; row < last; row += tile_rows) {
      multiply_rows<lanes, vectors>(std::min<int64_t>(tile_rows, last - row), product.input + row * product.input_row,
                                    product.input_row, weights + part * width, product.output + row * product.output_row + output,
                                    product.output_row, panels.inputs, Finish(panels, product, output, row), ahead);
      ahead.from += ahead.lines * 64;
    }
  }
}

template <int lanes, int vectors>
ALWAYS_INLINE void multiply_kind(const zoo_panels &panels, const zoo_product &product, int64_t panel, int64_t first,
                                 int64_t last) {
  switch (panels.kind) {
    case ZOO_PANELS_FLOAT32: return multiply_panel<lanes, vectors, float>(panels, product, panel, first, last);
    case ZOO_PANELS_BFLOAT16: return multiply_panel<lanes, vectors, uint16_t>(panels, product, panel, first, last);
    case ZOO_PANELS_INT8: return multiply_panel<lanes, vectors, int8_t>(panels, product, panel, first, last);
  }
}

ZOO_WIDE void multiply_16(const zoo_panels &panels, const zoo_product &product, int64_t panel, int64_t first,
                          int64_t last) {
  multiply_kind<16, 4>(panels, product, panel, first, last);
}

ZOO_MIDDLE void multiply_8_fused(const zoo_panels &panels, const zoo_product &product, int64_t panel, int64_t first,
                                 int64_t last) {
  multiply_kind<8, 2>(panels, product, panel, first, last);
}

void multiply_8(const zoo_panels &panels, const zoo_product &product, int64_t panel, int64_t first, int64_t last) {
  multiply_kind<8, 2>(panels, product, panel, first, last);
}

template <typename Weight, typename Convert>
void pack(zoo_panels &panels, int64_t first, const float *weights, int64_t outputs, bool is_transposed,
          const Convert &convert) {
  auto inputs = panels.inputs;
  bool is_paired = panels.kind == ZOO_PANELS_BFLOAT16;
  auto whole = (outputs + zoo_panel_outputs - 1) / zoo_panel_outputs;
  zoo::parallel(whole, [&](int64_t begin, int64_t end) {
    for (auto panel = begin; panel < end; panel++) {
      auto to = static_cast<Weight *>(panels.weights.data()) + (first / zoo_panel_outputs + panel) * panels.panel_size();
      auto count = std::min<int64_t>(zoo_panel_outputs, outputs - panel * zoo_panel_outputs);
      for (int64_t k = 0; k < inputs; k++)
        for (int64_t column = 0; column < zoo_panel_outputs; column++) {
          auto output = panel * zoo_panel_outputs + column;
          float value = column >= count ? 0 : is_transposed ? weights[k * outputs + output] : weights[output * inputs + k];
          auto place = is_paired ? (k & ~1) * zoo_panel_outputs + 2 * column + (k & 1) : k * zoo_panel_outputs + column;
          to[place] = convert(first + output, value);
        }
    }
  });
}

}  // namespace

extern "C" {

zoo_panels *zoo_panels_create(int64_t inputs, int64_t outputs, zoo_panel_kind kind) {
  try {
    auto panels = new zoo_panels{inputs, outputs, kind, {}, {}};
    try {
      panels->weights = zoo::Pages(static_cast<size_t>(panels->panel_size() * panels->count() * element_size(kind)));
      if (kind == ZOO_PANELS_INT8) panels->factors.resize(outputs);
      return panels;
    } catch (...) {
      delete panels;
    }
  } catch (...) {
  }
  return nullptr;
}

void zoo_panels_destroy(zoo_panels *panels) { delete panels; }

int64_t zoo_panels_bytes(const zoo_panels *panels) {
  return static_cast<int64_t>(panels->weights.bytes() + panels->factors.size() * sizeof(float));
}

void zoo_panels_pack(zoo_panels *panels, int64_t first, const float *weights, int64_t outputs, int32_t is_transposed) {
  switch (panels->kind) {
    case ZOO_PANELS_FLOAT32:
      return pack<float>(*panels, first, weights, outputs, is_transposed, [](int64_t, float value) { return value; });
    case ZOO_PANELS_BFLOAT16:
      return pack<uint16_t>(*panels, first, weights, outputs, is_transposed,
                            [](int64_t, float value) { return bfloat16(value); });
    case ZOO_PANELS_INT8: break;
  }
  for (int64_t output = 0; output < outputs; output++) {
    float largest = 0;
    for (int64_t k = 0; k < panels->inputs; k++)
      largest = std::max(largest, std::fabs(is_transposed ? weights[k * outputs + output] : weights[output * panels->inputs + k]));
    panels->factors[first + output] = largest > 0 ? largest / 127 : 1;
  }
  pack<int8_t>(*panels, first, weights, outputs, is_transposed, [&](int64_t output, float value) {
    auto factor = panels->factors[output];
    return static_cast<int8_t>(factor > 0 ? std::nearbyint(value / factor) : 0);
  });
}

void zoo_panels_multiply(const zoo_panels *panels, const zoo_product *product) {
  if (zoo::multiplies_rounded(*panels, product->rows)) return zoo::multiply_rounded(*panels, *product);
  auto kernel = zoo::fitting(multiply_16, multiply_8_fused, multiply_8);
  auto blocks = (product->rows + block_rows - 1) / block_rows;
  zoo::parallel(panels->count() * blocks, [&](int64_t first, int64_t last) {
    for (auto item = first; item < last; item++) {
      auto row = item % blocks * block_rows;
      kernel(*panels, *product, item / blocks, row, std::min(row + block_rows, product->rows));
    }
  });
}

}  // extern "C"
