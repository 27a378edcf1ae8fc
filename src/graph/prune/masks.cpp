// SPDX-License-Identifier: Apache-2.0
#include "graph/prune/masks.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace alara::graph {
namespace {

// Weights that go together: index + j * stride of their layer for every bit j.
struct Unit {
  float score;  // mean magnitude of what would be lost
  std::uint32_t layer;
  std::int64_t index;
  std::uint8_t bits;
};

// The dimension along which neighbours are taken: every run of at most four within `length` (channels of one group).
struct Axis {
  std::int64_t count;   // of the whole dimension
  std::int64_t length;  // of one group
  std::int64_t stride;
  std::int64_t outer_stride;  // of the other channel dimension
  std::int64_t outer_count;
};

Axis axis_of(const Linear& layout, bool outputs) {
  const bool is_first = outputs == layout.first_is_output;
  const std::int64_t row = layout.second * layout.inner;
  if (is_first) return {layout.first, layout.first / layout.groups, row, layout.inner, layout.second};
  return {layout.second, layout.second, layout.inner, row, layout.first};
}

// Calls visit(index of the first weight, how many) for every run of up to four neighbours along the axis.
template <typename Visit>
void runs_of_four(const Linear& layout, const Axis& axis, Visit visit) {
  for (std::int64_t outer = 0; outer < axis.outer_count; ++outer)
    for (std::int64_t group = 0; group < axis.count; group += axis.length)
      for (std::int64_t at = 0; at < axis.length; at += 4)
        for (std::int64_t tap = 0; tap < layout.inner; ++tap)
          visit(outer * axis.outer_stride + (group + at) * axis.stride + tap,
                std::min<std::int64_t>(4, axis.length - at));
}

float magnitude(std::span<const float> numbers, std::int64_t index) {
  return std::fabs(numbers[static_cast<std::size_t>(index)]);
}

// The smaller half of one run, as a unit.
Unit smaller_half(std::span<const float> numbers, std::uint32_t layer, std::int64_t index, std::int64_t count,
                  std::int64_t stride) {
  std::int64_t order[4] = {0, 1, 2, 3};
  const auto size = [&](std::int64_t j) { return magnitude(numbers, index + j * stride); };
  std::stable_sort(order, order + count, [&](std::int64_t a, std::int64_t b) { return size(a) < size(b); });
  Unit unit{0, layer, index, 0};
  const std::int64_t going = count / 2;
  for (std::int64_t j = 0; j < going; ++j) {
    unit.bits = static_cast<std::uint8_t>(unit.bits | (1u << order[j]));
    unit.score += size(order[j]) / static_cast<float>(going);
  }
  return unit;
}

void add_units(const MaskedWeights& layer, std::uint32_t number, Pattern pattern, std::vector<Unit>& units) {
  if (pattern == Pattern::unstructured) {
    for (std::size_t i = 0; i < layer.numbers.size(); ++i)
      units.push_back({std::fabs(layer.numbers[i]), number, static_cast<std::int64_t>(i), 1});
    return;
  }
  const Axis axis = axis_of(layer.layout, pattern == Pattern::blocks_4x1);
  runs_of_four(layer.layout, axis, [&](std::int64_t index, std::int64_t count) {
    if (pattern == Pattern::two_of_four) {
      const Unit unit = smaller_half(layer.numbers, number, index, count, axis.stride);
      if (unit.bits != 0) units.push_back(unit);
      return;
    }
    Unit unit{0, number, index, static_cast<std::uint8_t>((1u << count) - 1)};
    for (std::int64_t j = 0; j < count; ++j)
      unit.score += magnitude(layer.numbers, index + j * axis.stride) / static_cast<float>(count);
    units.push_back(unit);
  });
}

std::int64_t bits_in(std::uint8_t bits) { return __builtin_popcount(bits); }

// Takes units from the smallest on until `target` weights are gone.
void take(std::vector<Unit>& units, std::span<const MaskedWeights> layers, const MaskOptions& options, double target,
          std::vector<Mask>& masks) {
  std::sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) {
    return std::tie(a.score, a.layer, a.index) < std::tie(b.score, b.layer, b.index);
  });
  std::vector<std::int64_t> left;  // that each layer may lose
  for (const MaskedWeights& layer : layers)
    left.push_back(static_cast<std::int64_t>(options.most_of_a_layer * static_cast<double>(layer.numbers.size())));
  double gone = 0;
  for (const Unit& unit : units) {
    const std::int64_t size = bits_in(unit.bits);
    if (gone + static_cast<double>(size) / 2 > target) break;  // nearer to the target without it
    if (left[unit.layer] < size) continue;
    left[unit.layer] -= size;
    gone += static_cast<double>(size);
    const std::int64_t stride = options.pattern == Pattern::unstructured
                                    ? 0
                                    : axis_of(layers[unit.layer].layout, options.pattern == Pattern::blocks_4x1).stride;
    for (std::int64_t j = 0; j < 8; ++j)
      if ((unit.bits >> j & 1) != 0) masks[unit.layer][static_cast<std::size_t>(unit.index + j * stride)] = 0;
  }
}

}  // namespace

Result<std::vector<Mask>> choose_masks(std::span<const MaskedWeights> layers, const MaskOptions& options) {
  if (!(options.sparsity >= 0 && options.sparsity <= 1))
    return fail(ErrorKind::bad_input, "a sparsity of {} is not a share between 0 and 1", options.sparsity);
  std::vector<Mask> masks;
  std::vector<Unit> units;
  double all = 0;
  for (const MaskedWeights& layer : layers) {
    masks.emplace_back(layer.numbers.size(), std::uint8_t{1});
    all += static_cast<double>(layer.numbers.size());
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    add_units(layers[i], static_cast<std::uint32_t>(i), options.pattern, units);
    if (options.scope == MaskScope::global) continue;
    take(units, layers, options, options.sparsity * static_cast<double>(layers[i].numbers.size()), masks);
    units.clear();
  }
  if (options.scope == MaskScope::global) take(units, layers, options, options.sparsity * all, masks);
  return masks;
}

double sparsity_of(const Mask& mask) {
  if (mask.empty()) return 0;
  return static_cast<double>(std::count(mask.begin(), mask.end(), 0)) / static_cast<double>(mask.size());
}

double SparsitySchedule::at(std::int64_t step) const {
  if (step >= end) return last;
  if (step <= begin) return first;
  const double rest = 1.0 - static_cast<double>(step - begin) / static_cast<double>(end - begin);
  return last + (first - last) * rest * rest * rest;
}

std::vector<PrunableLayer> prunable_layers(const Graph& graph, std::int64_t least) {
  std::vector<PrunableLayer> out;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto layout = linear_of(graph, graph.nodes[i]);
    if (!layout || layout->weight->elements() < least || !seen.insert(graph.nodes[i].input(1)).second) continue;
    out.push_back({graph.nodes[i].input(1), i, *layout});
  }
  return out;
}

Result<std::map<std::string, Mask>> prune_weights(Graph& graph, const MaskOptions& options, std::int64_t least) {
  const std::vector<PrunableLayer> layers = prunable_layers(graph, least);
  std::vector<MaskedWeights> weights;
  for (const PrunableLayer& layer : layers) weights.push_back({layer.layout, layer.layout.weight->values<float>()});
  ALARA_TRY(std::vector<Mask> masks, choose_masks(weights, options));
  std::map<std::string, Mask> out;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Tensor pruned = *layers[i].layout.weight;
    const auto numbers = pruned.mutable_values<float>();
    for (std::size_t k = 0; k < numbers.size(); ++k)
      if (masks[i][k] == 0) numbers[k] = 0;
    graph.constants.insert_or_assign(layers[i].weight, share(std::move(pruned)));
    out.emplace(layers[i].weight, std::move(masks[i]));
  }
  return out;
}

}  // namespace alara::graph
