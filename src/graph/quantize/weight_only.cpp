// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/weight_only.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "graph/fuse.hpp"
#include "graph/linear.hpp"
#include "graph/quantize/plan.hpp"
#include "graph/quantize/qdq.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

struct Slices {
  Tensor integers;
  std::vector<float> scales;
};

// Each slice along `axis` on its own symmetric grid; `axis` below zero: one grid for all.
Slices quantize_slices(const Tensor& tensor, std::int64_t axis) {
  std::size_t slices = 1, inner = 1;
  if (axis >= 0) {
    slices = static_cast<std::size_t>(tensor.shape[static_cast<std::size_t>(axis)]);
    for (auto i = static_cast<std::size_t>(axis) + 1; i < tensor.rank(); ++i)
      inner *= static_cast<std::size_t>(tensor.shape[i]);
  } else {
    inner = static_cast<std::size_t>(tensor.elements());
  }
  const auto numbers = tensor.values<float>();
  const auto slice_of = [&](std::size_t i) { return i / inner % slices; };
  Slices out{Tensor::zeros(DataType::int8, tensor.shape), std::vector<float>(slices, 0.0F)};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    out.scales[slice_of(i)] = std::max(out.scales[slice_of(i)], std::fabs(numbers[i]) / 127.0F);
  for (float& scale : out.scales)
    if (scale < 1e-30F) scale = 1;
  const auto integers = out.integers.mutable_values<std::int8_t>();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    integers[i] =
        static_cast<std::int8_t>(std::clamp(std::nearbyint(numbers[i] / out.scales[slice_of(i)]), -127.0F, 127.0F));
  return out;
}

// The inputs of a node that are weights, and the axis of their output channels.
std::map<std::size_t, std::int64_t> weights_of(const Graph& graph, const Node& node) {
  if (const auto linear = linear_of(graph, node)) return {{1, linear->first_is_output ? 0 : 1}};
  if (node.is("GRU") || node.is("LSTM")) return {{1, 1}, {2, 1}};
  return {};
}

}  // namespace

Result<Smaller> quantize_weights(Model model, Granularity granularity, const std::set<std::string>& exclude) {
  ALARA_CHECK(upgrade(model));
  FoldOptions fold;
  fold.dequantize = FoldOptions::Dequantize::fold;
  ALARA_TRY([[maybe_unused]] const Simplified simplified, simplify(model, fold));
  ALARA_CHECK(check_names_of_nodes(model.graph, exclude));
  Smaller out{std::move(model), 0, {}};
  Graph& graph = out.model.graph;
  const Graph before = graph;
  Names names(before);
  std::map<std::string, std::string> done;
  graph.nodes.clear();
  for (Node node : before.nodes) {
    for (const auto& [input, axis] :
         excluded(node, exclude) ? std::map<std::size_t, std::int64_t>{} : weights_of(before, node)) {
      const std::string name = node.input(input);
      const Tensor* weights = before.constant(name);
      if (weights == nullptr || weights->type != DataType::float32 || weights->elements() < kFewWeights) continue;
      std::string& copy = done[name];
      if (copy.empty()) {
        const bool per_tensor = granularity == Granularity::per_tensor;
        Slices slices = quantize_slices(*weights, per_tensor ? -1 : axis);
        copy = append_dequantized(graph, names, name, std::move(slices.integers), slices.scales, axis);
        ++out.changed;
      }
      node.inputs[input] = copy;
    }
    graph.nodes.push_back(std::move(node));
  }
  if (out.changed == 0) return fail(ErrorKind::bad_input, "no layer here has {} or more weights", kFewWeights);
  remove_unused(graph);
  return out;
}

}  // namespace alara::graph
