// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "graph/edit.hpp"
#include "graph/fuse.hpp"
#include "graph/reference.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

using Order = std::vector<std::int64_t>;  // Transpose's perm: out[i] = in[perm[i]]

Order order_of(const Node& node) { return node.is("Transpose") ? node.integers("perm") : Order{}; }

Order inverse(const Order& order) {
  Order out(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return out;
}

bool permutes(const Order& order) {
  std::set<std::int64_t> seen(order.begin(), order.end());
  return !order.empty() && seen.size() == order.size() && *seen.begin() == 0 &&
         *seen.rbegin() == static_cast<std::int64_t>(order.size()) - 1;
}

bool one_of(const std::string& op, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

constexpr std::array<std::string_view, 24> kUnary{
    "Abs",        "Cast", "Ceil",        "Celu",      "Clip",      "Elu",      "Erf",  "Exp",
    "Floor",      "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log",      "Mish", "Neg",
    "Reciprocal", "Relu", "Selu",        "Sigmoid",   "Softplus",  "Softsign", "Sqrt", "Tanh"};
constexpr std::array<std::string_view, 8> kBinary{"Add", "Div", "Max", "Min", "Mul", "Pow", "PRelu", "Sub"};
constexpr std::array<std::string_view, 4> kReductions{"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"};

// node(T(x)) with its axes and constants turned so that it is T(result(x)); nullopt when T does not go through.
// Constants that have to be turned are added by `finish`, as the walk may yet lead nowhere.
struct Passed {
  Node node;
  std::optional<std::pair<std::size_t, Tensor>> constant;  // for that input
};

std::optional<Tensor> turned(const Tensor& constant, const Order& order) {
  if (constant.elements() == 1 && constant.rank() <= order.size()) return constant;
  if (constant.rank() > order.size()) return std::nullopt;
  Tensor full = constant;
  full.shape.insert(full.shape.begin(), order.size() - constant.rank(), 1);
  const Node transpose{"Transpose", {}, {}, {"x"}, {"y"}, {{"perm", inverse(order)}}};
  const std::array inputs{static_cast<const Tensor*>(&full)};
  auto out = compute(transpose, inputs, kMaxFoldedBytes);
  if (!out) return std::nullopt;
  return std::move(out->front());
}

std::optional<Passed> through_binary(const Graph& graph, const Node& node, const std::string& value,
                                     const Order& order) {
  const std::size_t other = node.input(0) == value ? 1 : 0;
  const Tensor* constant = graph.constant(node.input(other));
  if (constant == nullptr) return std::nullopt;
  auto tensor = turned(*constant, order);
  if (!tensor) return std::nullopt;
  return Passed{node, std::pair{other, *std::move(tensor)}};
}

std::optional<Passed> through_reduction(const Graph& graph, const Node& node, const Order& order) {
  auto axes = axes_of(graph, node);
  if (!axes || node.integer("keepdims", 1) == 0) return std::nullopt;
  for (std::int64_t& axis : *axes) {
    if (axis < 0) axis += static_cast<std::int64_t>(order.size());
    if (axis < 0 || axis >= static_cast<std::int64_t>(order.size())) return std::nullopt;
    axis = order[static_cast<std::size_t>(axis)];
  }
  std::sort(axes->begin(), axes->end());
  Passed out{node, std::nullopt};
  if (node.input(1).empty()) {
    out.node.attributes.insert_or_assign("axes", *axes);
  } else {
    out.constant = std::pair{std::size_t{1}, Tensor::of(Shape{static_cast<std::int64_t>(axes->size())}, *axes)};
  }
  return out;
}

std::optional<Passed> through_axis(const Node& node, const Order& order, std::int64_t otherwise) {
  std::int64_t axis = node.integer("axis", otherwise);
  if (axis < 0) axis += static_cast<std::int64_t>(order.size());
  if (axis < 0 || axis >= static_cast<std::int64_t>(order.size())) return std::nullopt;
  Passed out{node, std::nullopt};
  out.node.attributes.insert_or_assign("axis", order[static_cast<std::size_t>(axis)]);
  return out;
}

std::optional<Passed> through(const Graph& graph, const Node& node, const std::string& value, const Order& order) {
  if (!node.domain.empty() || node.outputs.size() != 1) return std::nullopt;
  if (one_of(node.op, kUnary)) return Passed{node, std::nullopt};
  if (one_of(node.op, kBinary)) return through_binary(graph, node, value, order);
  if (one_of(node.op, kReductions)) return through_reduction(graph, node, order);
  if (node.op == "Softmax" || node.op == "LogSoftmax") return through_axis(node, order, -1);
  return std::nullopt;
}

// Inputs of Concat or of a binary operator that are all transposed alike, each by a Transpose only it uses.
bool all_turned(const Edit& edit, const Node& node, const Order& order) {
  const bool joins = node.domain.empty() && (node.op == "Concat" || one_of(node.op, kBinary));
  return joins && node.inputs.size() > 1 &&
         std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
           const Node* maker = edit.maker(input);
           return maker != nullptr && order_of(*maker) == order && edit.only_user(input) != nullptr;
         });
}

Node transpose_of(const std::string& from, const std::string& to, const Order& order) {
  return {"Transpose", {}, to, {from}, {to}, {{"perm", order}}};
}

// Transposes on all inputs of node i: one on its output instead.
void push_joint(Edit& edit, std::size_t i) {
  const Node& node = edit.node(i);
  const Node* first = node.inputs.empty() ? nullptr : edit.maker(node.input(0));
  const Order order = first == nullptr ? Order{} : order_of(*first);
  if (!permutes(order) || !all_turned(edit, node, order)) return;
  Node joined = node;
  if (node.op == "Concat") {
    auto passed = through_axis(node, order, 0);
    if (!passed) return;
    joined = std::move(passed->node);
  }
  std::vector<std::size_t> claimed{i};
  for (std::string& input : joined.inputs) {
    const Node* maker = edit.maker(input);
    claimed.push_back(edit.index_of(*maker));
    input = maker->input(0);
  }
  if (!edit.claim(claimed)) return;
  joined.outputs.front() = edit.fresh(node.outputs.front());
  edit.change(i, transpose_of(joined.outputs.front(), node.outputs.front(), order));
  edit.insert_before(i, std::move(joined));
}

// What a Transpose passes on its way down, and whether it gains by going there.
struct Walk {
  std::vector<std::size_t> nodes;
  std::vector<Passed> passed;
  bool worth_it = false;
};

Walk walk_down(const Edit& edit, const Node& transpose, const Order& order) {
  Walk walk;
  const std::string* value = &transpose.outputs.front();
  for (;;) {
    const Node* next = edit.only_user(*value);
    if (next == nullptr) return walk;
    auto passed = through(edit.graph(), *next, *value, order);
    if (!passed) {
      const bool meets = next->is("Transpose") ||
                         (next->domain.empty() && (next->op == "Concat" || one_of(next->op, kBinary)) &&
                          std::any_of(next->inputs.begin(), next->inputs.end(), [&](const std::string& input) {
                            const Node* maker = input == *value ? nullptr : edit.maker(input);
                            return maker != nullptr && order_of(*maker) == order;
                          }));
      walk.worth_it = meets && !walk.nodes.empty();
      return walk;
    }
    walk.nodes.push_back(edit.index_of(*next));
    walk.passed.push_back(*std::move(passed));
    value = &next->outputs.front();
  }
}

void push_single(Edit& edit, std::size_t i) {
  const Node& transpose = edit.node(i);
  const Order order = order_of(transpose);
  if (!permutes(order)) return;
  Walk walk = walk_down(edit, transpose, order);
  if (!walk.worth_it) return;
  std::vector<std::size_t> claimed = walk.nodes;
  claimed.push_back(i);
  if (!edit.claim(claimed)) return;
  std::string before = transpose.outputs.front();
  std::string now = transpose.input(0);
  edit.remove(i);
  for (std::size_t k = 0; k < walk.nodes.size(); ++k) {
    Node node = std::move(walk.passed[k].node);
    std::replace(node.inputs.begin(), node.inputs.end(), before, now);
    if (auto& constant = walk.passed[k].constant)
      node.inputs[constant->first] = edit.constant(node.inputs[constant->first], std::move(constant->second));
    before = node.outputs.front();
    now = node.outputs.front() = edit.fresh(before);
    if (k + 1 < walk.nodes.size()) {
      edit.change(walk.nodes[k], std::move(node));
    } else {
      edit.insert_before(walk.nodes[k], std::move(node));
      edit.change(walk.nodes[k], transpose_of(now, before, order));
    }
  }
}

// A reduction without kept dimensions behind a Transpose that leaves what remains in order: the Transpose goes.
void drop_before_reduction(Edit& edit, std::size_t i) {
  const Node& node = edit.node(i);
  if (!node.domain.empty() || !one_of(node.op, kReductions) || node.integer("keepdims", 1) != 0) return;
  const Node* before = edit.maker(node.input(0));
  const Order order = before == nullptr ? Order{} : order_of(*before);
  if (!permutes(order)) return;
  Node kept = node;
  kept.attributes.insert_or_assign("keepdims", std::int64_t{1});
  auto passed = through_reduction(edit.graph(), kept, order);
  if (!passed) return;
  const auto axes =
      passed->constant ? passed->constant->second.values<std::int64_t>() : std::span<const std::int64_t>{};
  const std::vector<std::int64_t> reduced =
      passed->constant ? std::vector(axes.begin(), axes.end()) : passed->node.integers("axes");
  Order rest;
  for (const std::int64_t axis : order)
    if (std::find(reduced.begin(), reduced.end(), axis) == reduced.end()) rest.push_back(axis);
  if (!std::is_sorted(rest.begin(), rest.end()) || !edit.claim({i, edit.index_of(*before)})) return;
  Node out = std::move(passed->node);
  out.attributes.insert_or_assign("keepdims", std::int64_t{0});
  out.inputs[0] = before->input(0);
  if (passed->constant) out.inputs[1] = edit.constant(out.inputs[1], std::move(passed->constant->second));
  edit.change(i, std::move(out));
}

// Transpose of what DequantizeLinear gives with one scale: integers are turned instead, a quarter of the bytes.
void turn_integers(Edit& edit, std::size_t i) {
  const Node& node = edit.node(i);
  const Node* before = permutes(order_of(node)) ? edit.maker(node.input(0)) : nullptr;
  if (before == nullptr || !before->is("DequantizeLinear") || edit.only_user(node.input(0)) == nullptr) return;
  if (edit.graph().constant(before->input(0)) != nullptr) return;  // weights; folded where that is wanted
  const Tensor* scale = edit.graph().constant(before->input(1));
  if (scale == nullptr || scale->elements() != 1 || !edit.claim({i, edit.index_of(*before)})) return;
  Node dequantize = *before;
  dequantize.inputs[0] = edit.fresh(node.outputs.front());
  dequantize.outputs = node.outputs;
  edit.insert_before(i, transpose_of(before->input(0), dequantize.inputs[0], order_of(node)));
  edit.change(i, std::move(dequantize));
  edit.remove(edit.index_of(*before));
}

}  // namespace

std::size_t merge_transposes(Graph& graph, const ValueTable&) {
  Edit edit(graph);
  for (std::size_t i = 0; i < edit.size(); ++i) {
    const Order outer = order_of(edit.node(i));
    const Node* before = edit.maker(edit.node(i).input(0));
    const Order inner = before == nullptr ? Order{} : order_of(*before);
    if (!permutes(outer) || !permutes(inner) || outer.size() != inner.size()) continue;
    if (!edit.claim({i, edit.index_of(*before)})) continue;
    Order both;
    for (const std::int64_t axis : outer) both.push_back(inner[static_cast<std::size_t>(axis)]);
    Node merged = edit.node(i);
    merged.inputs[0] = before->input(0);
    merged.attributes.insert_or_assign("perm", both);
    edit.change(i, std::move(merged));
  }
  return edit.finish();
}

std::size_t push_transposes(Graph& graph, const ValueTable&) {
  Edit edit(graph);
  for (std::size_t i = 0; i < edit.size(); ++i) {
    push_joint(edit, i);
    drop_before_reduction(edit, i);
    push_single(edit, i);
    turn_integers(edit, i);
  }
  return edit.finish();
}

}  // namespace alara::graph
