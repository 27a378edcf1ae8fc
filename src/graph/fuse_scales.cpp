// SPDX-License-Identifier: Apache-2.0
// Scales and shifts by channel become part of a linear layer's weights and bias: W' = s W, b' = s b + t behind it,
// W' = W s, b' = b + W t before it. Computed in double precision and rounded once.
#include <algorithm>
#include <array>
#include <cmath>

#include "graph/constants.hpp"
#include "graph/edit.hpp"
#include "graph/fuse.hpp"
#include "graph/linear.hpp"

namespace alara::graph {
namespace {

// y = x * scale + shift, one of each per channel.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;

  [[nodiscard]] bool finite() const {
    const auto good = [](double number) { return std::isfinite(static_cast<float>(number)); };
    return std::all_of(scale.begin(), scale.end(), good) && std::all_of(shift.begin(), shift.end(), good);
  }
  [[nodiscard]] bool shifts() const {
    return std::any_of(shift.begin(), shift.end(), [](double number) { return number != 0; });
  }
};

// Where channels lie in the value that is scaled.
struct Channels {
  std::int64_t count = 0;
  std::size_t rank = 0;
  std::size_t axis = 0;
};

const Dims* dims_of(const ValueTable& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() || !found->second.dims ? nullptr : &*found->second.dims;
}

std::optional<std::size_t> rank_of(const ValueTable& values, const std::string& name) {
  const Dims* dims = dims_of(values, name);
  return dims == nullptr ? std::nullopt : std::optional(dims->size());
}

// A constant that is one number per channel, or one for all; nullopt for anything else.
std::optional<std::vector<double>> by_channel(const Tensor& constant, const Channels& channels) {
  const auto numbers = constant.values<float>();
  const auto count = static_cast<std::size_t>(channels.count);
  if (constant.rank() > channels.rank) return std::nullopt;
  if (numbers.size() == 1) return std::vector<double>(count, static_cast<double>(numbers[0]));
  const std::size_t from_end = channels.rank - channels.axis;  // 1: the last dimension
  if (numbers.size() != count || constant.rank() < from_end) return std::nullopt;
  if (constant.shape[constant.rank() - from_end] != channels.count) return std::nullopt;
  return std::vector<double>(numbers.begin(), numbers.end());
}

// BatchNormalization's definition in ONNX: (x - mean) / sqrt(var + epsilon) * scale + B.
std::optional<Affine> normalisation(const Graph& graph, const Node& node, const Channels& channels) {
  if (channels.rank < 2 || channels.axis != 1 || node.integer("training_mode", 0) != 0) return std::nullopt;
  std::array<std::span<const float>, 4> parts;  // scale, B, mean, var
  for (std::size_t i = 0; i < 4; ++i) {
    const Tensor* part = float_constant(graph, node.input(i + 1));
    if (part == nullptr || part->elements() != channels.count) return std::nullopt;
    parts[i] = part->values<float>();
  }
  Affine out;
  const auto epsilon = static_cast<double>(node.number("epsilon", 1e-5F));
  for (std::size_t c = 0; c < parts[0].size(); ++c) {
    const double scale = static_cast<double>(parts[0][c]) / std::sqrt(static_cast<double>(parts[3][c]) + epsilon);
    out.scale.push_back(scale);
    out.shift.push_back(static_cast<double>(parts[1][c]) - static_cast<double>(parts[2][c]) * scale);
  }
  return out;
}

// What the node does to `x`, one of its inputs, if that is a scale and a shift by channel.
std::optional<Affine> affine_of(const Graph& graph, const Node& node, const std::string& x, const Channels& channels) {
  if (node.is("BatchNormalization") && node.input(0) == x) return normalisation(graph, node, channels);
  if (!node.is("Mul") && !node.is("Div") && !node.is("Add") && !node.is("Sub")) return std::nullopt;
  const bool left = node.input(0) == x;
  const Tensor* constant = float_constant(graph, node.input(left ? 1 : 0));
  if (constant == nullptr || (node.op == "Div" && !left)) return std::nullopt;
  const auto numbers = by_channel(*constant, channels);
  if (!numbers) return std::nullopt;
  Affine out{std::vector<double>(numbers->size(), 1.0), std::vector<double>(numbers->size(), 0.0)};
  if (node.op == "Add") out.shift = *numbers;
  if (node.op == "Mul") out.scale = *numbers;
  if (node.op == "Div")
    std::transform(numbers->begin(), numbers->end(), out.scale.begin(), [](double n) { return 1.0 / n; });
  if (node.op == "Sub") {
    out.shift = *numbers;
    std::vector<double>& negated = left ? out.shift : out.scale;
    for (double& number : negated) number = -number;
  }
  return out;
}

Tensor rounded(const Shape& shape, const std::vector<double>& numbers) {
  std::vector<float> out(numbers.size());
  std::transform(numbers.begin(), numbers.end(), out.begin(), [](double number) { return static_cast<float>(number); });
  return Tensor::of(shape, out);
}

// The weights, each times factor(place).
template <typename Factor>
Tensor scaled(const Linear& linear, Factor factor) {
  Tensor out = *linear.weight;
  const auto numbers = out.mutable_values<float>();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] =
        static_cast<float>(static_cast<double>(numbers[i]) * factor(linear.place(static_cast<std::int64_t>(i))));
  return out;
}

// `node` with other weights and, where there is something to add, another bias.
Node rewritten(Edit& edit, const Node& node, const Linear& linear, Tensor weight, const std::vector<double>& bias) {
  Node out = node;
  out.inputs[1] = edit.constant_instead(node.input(1), std::move(weight));
  const bool needed = linear.bias != nullptr || std::any_of(bias.begin(), bias.end(), [](double b) { return b != 0; });
  if (!needed) return out;
  Tensor numbers = rounded({linear.outputs()}, bias);
  const bool has_one = !node.input(2).empty();
  out.inputs.resize(3);
  out.inputs[2] = has_one ? edit.constant_instead(node.input(2), std::move(numbers))
                          : edit.constant(node.outputs.front() + "_bias", std::move(numbers));
  if (node.op == "Gemm") out.attributes.erase("beta");
  return out;
}

// Where the output channels of a linear node lie.
std::optional<Channels> output_channels(const ValueTable& values, const Node& node, const Linear& linear) {
  if (node.op == "Conv" || node.op == "ConvTranspose") return Channels{linear.outputs(), linear.weight->rank(), 1};
  if (node.op == "Gemm") return Channels{linear.outputs(), 2, 1};
  const auto rank = rank_of(values, node.input(0));
  if (!rank || *rank < 2) return std::nullopt;
  return Channels{linear.outputs(), *rank, *rank - 1};
}

bool absorb_behind(Edit& edit, const ValueTable& values, std::size_t at) {
  const Node& node = edit.node(at);
  const auto linear = linear_of(edit.graph(), node);
  if (!linear) return false;
  const Node* follower = edit.only_user(node.outputs.front());
  const auto channels = output_channels(values, node, *linear);
  if (follower == nullptr || !channels) return false;
  const auto affine = affine_of(edit.graph(), *follower, node.outputs.front(), *channels);
  if (!affine || !affine->finite() || (node.op == "MatMul" && affine->shifts())) return false;
  if (!edit.claim({at, edit.index_of(*follower)})) return false;

  std::vector<double> bias = linear->biases(node);
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = bias[c] * affine->scale[c] + affine->shift[c];
  Tensor weight =
      scaled(*linear, [&](Linear::Place place) { return affine->scale[static_cast<std::size_t>(place.output)]; });
  Node merged = rewritten(edit, node, *linear, std::move(weight), bias);
  merged.outputs = {follower->outputs.front()};
  edit.change(at, std::move(merged));
  edit.remove(edit.index_of(*follower));
  return true;
}

bool pads(const Node& node) {
  if (node.op != "Conv") return false;
  const std::string automatic = node.text("auto_pad", "NOTSET");
  if (automatic == "VALID") return false;
  const std::vector<std::int64_t> amounts = node.integers("pads");
  return automatic != "NOTSET" || std::any_of(amounts.begin(), amounts.end(), [](std::int64_t n) { return n != 0; });
}

bool absorb_before(Edit& edit, const ValueTable& values, std::size_t at) {
  const Node& node = edit.node(at);
  const auto linear = linear_of(edit.graph(), node);
  if (!linear || node.op == "ConvTranspose") return false;
  const Node* scaling = edit.maker(node.input(0));
  if (scaling == nullptr || edit.only_user(node.input(0)) == nullptr) return false;
  const std::string& x = edit.graph().constant(scaling->input(0)) == nullptr ? scaling->input(0) : scaling->input(1);
  const Dims* dims = dims_of(values, x);
  if (dims == nullptr || dims->size() < 2 || rank_of(values, node.input(0)) != dims->size()) return false;
  const Channels channels{linear->inputs(), dims->size(), node.op == "Conv" ? 1 : dims->size() - 1};
  if ((*dims)[channels.axis].size != channels.count) return false;  // unknown, or repeated by the constant
  const auto affine = affine_of(edit.graph(), *scaling, x, channels);
  if (!affine || !affine->finite()) return false;
  if (affine->shifts() && (pads(node) || node.op == "MatMul")) return false;
  if (!edit.claim({at, edit.index_of(*scaling)})) return false;

  std::vector<double> bias = linear->biases(node);
  const auto weights = linear->weight->values<float>();
  const double alpha = node.op == "Gemm" ? static_cast<double>(node.number("alpha", 1)) : 1.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Linear::Place place = linear->place(static_cast<std::int64_t>(i));
    bias[static_cast<std::size_t>(place.output)] +=
        alpha * static_cast<double>(weights[i]) * affine->shift[static_cast<std::size_t>(place.input)];
  }
  Tensor weight =
      scaled(*linear, [&](Linear::Place place) { return affine->scale[static_cast<std::size_t>(place.input)]; });
  Node merged = rewritten(edit, node, *linear, std::move(weight), bias);
  merged.inputs[0] = x;
  edit.change(at, std::move(merged));
  edit.remove(edit.index_of(*scaling));
  return true;
}

bool make_gemm(Edit& edit, const ValueTable& values, std::size_t at) {
  const Node& node = edit.node(at);
  const auto linear = linear_of(edit.graph(), node);
  if (!node.is("MatMul") || !linear || rank_of(values, node.input(0)) != std::size_t{2}) return false;
  const Node* follower = edit.only_user(node.outputs.front());
  if (follower == nullptr || !follower->is("Add")) return false;
  const auto added = affine_of(edit.graph(), *follower, node.outputs.front(), {linear->outputs(), 2, 1});
  if (!added || !edit.claim({at, edit.index_of(*follower)})) return false;
  const std::string bias = edit.constant(node.outputs.front() + "_bias", rounded({linear->outputs()}, added->shift));
  edit.change(at, {"Gemm", {}, node.name, {node.input(0), node.input(1), bias}, follower->outputs});
  edit.remove(edit.index_of(*follower));
  return true;
}

template <typename Rewrite>
std::size_t sweep(Graph& graph, const ValueTable& values, Rewrite rewrite) {
  Edit edit(graph);
  for (std::size_t i = 0; i < edit.size(); ++i) rewrite(edit, values, i);
  return edit.finish();
}

}  // namespace

std::size_t make_gemms(Graph& graph, const ValueTable& values) { return sweep(graph, values, make_gemm); }

std::size_t absorb_scales_behind(Graph& graph, const ValueTable& values) { return sweep(graph, values, absorb_behind); }

std::size_t absorb_scales_before(Graph& graph, const ValueTable& values) { return sweep(graph, values, absorb_before); }

}  // namespace alara::graph
