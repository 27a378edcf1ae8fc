// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/learned.hpp"

#include <algorithm>
#include <array>

#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

bool in(const auto& names, std::string_view name) { return std::ranges::find(names, name) != std::ranges::end(names); }

// What makes a constant of a constant: its numbers stay what they are.
constexpr std::array<std::string_view, 10> kPassing = {"Identity",       "Transpose",       "Reshape", "Squeeze",
                                                       "Unsqueeze",      "Flatten",         "Cast",    "Expand",
                                                       "QuantizeLinear", "DequantizeLinear"};
constexpr std::array<std::string_view, 4> kArithmetic = {"Add", "Sub", "Mul", "Div"};
constexpr std::array<std::string_view, 3> kShapes = {"Shape", "Size", "ConstantOfShape"};

bool bit(std::uint32_t mask, std::size_t i) { return i < 32 && (mask >> i & 1) != 0; }

bool is_layer(const Operator& op) { return op.learned != 0 && !in(kArithmetic, op.name) && !in(kPassing, op.name); }

// Values made of inputs of the graph before any layer: preprocessing.
std::set<std::string> raw_values(const graph::Graph& graph) {
  std::set<std::string> raw;
  for (const graph::ValueInfo& input : graph.inputs) raw.insert(input.name);
  for (const graph::Node& node : graph.nodes) {
    const bool of_raw = std::ranges::any_of(node.inputs, [&](const auto& name) { return raw.contains(name); });
    if (of_raw && !is_layer(*find_operator(node.op))) raw.insert(node.outputs.begin(), node.outputs.end());
  }
  return raw;
}

bool learns(const graph::Graph& graph, const graph::Node& node, std::size_t i, const std::set<std::string>& raw) {
  if (!bit(find_operator(node.op)->learned, i) || in(kPassing, node.op)) return false;
  if (!in(kArithmetic, node.op)) return true;
  const graph::Tensor* constant = graph.constant(node.inputs[i]);
  return (constant == nullptr || constant->elements() > 1) && !raw.contains(node.input(1 - i));
}

// The constants at inputs with that bit of `kept`.
void collect_kept(const graph::Graph& graph, std::set<std::string>& kept, std::set<std::string>& statistics) {
  for (const graph::Node& node : graph.nodes)
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (bit(find_operator(node.op)->kept, i) && graph.constant(node.inputs[i]) != nullptr) {
        kept.insert(node.inputs[i]);
        if (node.is("BatchNormalization")) statistics.insert(node.inputs[i]);
      }
}

// The only DequantizeLinear that reads the integer constant, with constant scale and zero point.
std::optional<std::size_t> reader_of_integers(const graph::Graph& graph, const graph::Wiring& wiring,
                                              const std::string& name) {
  const auto& uses = wiring.uses(name);
  if (uses.size() != 1 || uses[0].input != 0 || !graph.nodes[uses[0].node].is("DequantizeLinear")) return std::nullopt;
  const graph::Node& node = graph.nodes[uses[0].node];
  const bool constant =
      graph.constant(node.input(1)) != nullptr && (node.input(2).empty() || graph.constant(node.input(2)) != nullptr);
  return constant ? std::optional(uses[0].node) : std::nullopt;
}

}  // namespace

Constants sort_constants(const graph::Graph& graph) {
  Constants out;
  std::set<std::string> kept;
  collect_kept(graph, kept, out.statistics);
  const std::set<std::string> raw = raw_values(graph);
  std::set<std::string> wanted;
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    const graph::Node& node = graph.nodes[n];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool passes = i == 0 && in(kPassing, node.op) && wanted.contains(node.outputs[0]);
      if (passes || learns(graph, node, i, raw)) wanted.insert(node.inputs[i]);
    }
  }
  const graph::Wiring wiring(graph);
  for (const std::string& name : wanted) {
    const graph::Tensor* constant = graph.constant(name);
    if (constant == nullptr || kept.contains(name)) continue;
    if (graph::is_float(constant->type)) {
      out.learned.insert(name);
    } else if (const auto reader = reader_of_integers(graph, wiring, name)) {
      out.learned.insert(name);
      out.quantised.emplace(name, *reader);
    }
  }
  return out;
}

std::set<std::string> depending_on_inputs(const graph::Graph& graph) {
  std::set<std::string> out;
  for (const graph::ValueInfo& input : graph.inputs) out.insert(input.name);
  for (const graph::Node& node : graph.nodes)
    if (!in(kShapes, node.op) && std::ranges::any_of(node.inputs, [&](const auto& name) { return out.contains(name); }))
      out.insert(node.outputs.begin(), node.outputs.end());
  return out;
}

}  // namespace alara::learn
