// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "graph/edit.hpp"
#include "graph/fuse.hpp"

namespace alara::graph {
namespace {

constexpr float kNear = 1e-6F;  // 1/6 is written with as many digits as each exporter likes
bool near(float a, float b) { return std::fabs(a - b) <= kNear * std::fmax(1.0F, std::fabs(b)); }

// Finds the parts of spelt-out activations around one node. Every value inside of a pattern has one user.
class Pattern {
 public:
  Pattern(Edit& edit, const ValueTable& values) : edit_(edit), values_(values) {}

  // The one number of a constant that does not widen what it is combined with.
  [[nodiscard]] std::optional<float> number(const std::string& constant, const std::string& beside) const {
    const Tensor* tensor = constant.empty() ? nullptr : edit_.graph().constant(constant);
    if (tensor == nullptr || tensor->type != DataType::float32 || tensor->elements() != 1) return std::nullopt;
    const auto info = values_.find(beside);
    const bool fits = info != values_.end() && info->second.dims && info->second.dims->size() >= tensor->rank();
    return tensor->rank() == 0 || fits ? std::optional(tensor->values<float>()[0]) : std::nullopt;
  }

  struct WithNumber {
    std::string x;
    float number = 0;
  };
  // x op number, or number op x where the operator does not mind.
  [[nodiscard]] std::optional<WithNumber> with_number(const Node* node, std::string_view op) const {
    if (node == nullptr || !node->is(op)) return std::nullopt;
    if (const auto right = number(node->input(1), node->input(0))) return WithNumber{node->input(0), *right};
    const auto left = op == "Div" || op == "Sub" ? std::nullopt : number(node->input(0), node->input(1));
    return left ? std::optional(WithNumber{node->input(1), *left}) : std::nullopt;
  }
  // x * factor, also spelt x / (1 / factor).
  [[nodiscard]] std::optional<WithNumber> times(const Node* node) const {
    if (auto product = with_number(node, "Mul")) return product;
    auto quotient = with_number(node, "Div");
    if (!quotient || quotient->number == 0) return std::nullopt;
    quotient->number = 1.0F / quotient->number;
    return quotient;
  }
  // min(max(x, low), high), with both limits known.
  struct Clipped {
    std::string x;
    float low = 0;
    float high = 0;
  };
  [[nodiscard]] std::optional<Clipped> clip(const Node* node) const {
    if (node == nullptr || !node->is("Clip")) return std::nullopt;
    const auto low = number(node->input(1), node->input(0));
    const auto high = number(node->input(2), node->input(0));
    return low && high ? std::optional(Clipped{node->input(0), *low, *high}) : std::nullopt;
  }
  // The node behind a value that only this pattern uses.
  [[nodiscard]] const Node* inside(const std::string& value) const {
    return edit_.only_user(value) == nullptr ? nullptr : edit_.maker(value);
  }

  // Node i becomes `op` of x; the parts that are left without users go by themselves.
  bool becomes(std::size_t i, std::string op, std::string x, std::map<std::string, Attribute> attributes,
               std::initializer_list<const Node*> parts) {
    std::vector<std::size_t> claimed{i};
    for (const Node* part : parts) claimed.push_back(edit_.index_of(*part));
    if (!edit_.claim(claimed)) return false;
    for (const Node* part : parts) edit_.remove(edit_.index_of(*part));
    const Node& node = edit_.node(i);
    edit_.change(i, {std::move(op), {}, node.name, {std::move(x)}, node.outputs, std::move(attributes)});
    return true;
  }

  Edit& edit_;
  const ValueTable& values_;
};

// (x + shift) clipped to [0, 1 / factor], times factor; factor 1 where nothing is multiplied.
bool hard_sigmoid(Pattern& pattern, std::size_t i) {
  const Node& node = pattern.edit_.node(i);
  const auto scaled = pattern.times(&node);
  const Node* clip_node = scaled ? pattern.inside(scaled->x) : &node;
  const auto clipped = pattern.clip(clip_node);
  const float factor = scaled ? scaled->number : 1.0F;
  if (!clipped || clipped->low != 0 || !near(clipped->high * factor, 1)) return false;
  const Node* add_node = pattern.inside(clipped->x);
  const auto shifted = pattern.with_number(add_node, "Add");
  if (!shifted) return false;
  const auto attributes = [&](float alpha) {
    return std::map<std::string, Attribute>{{"alpha", alpha}, {"beta", shifted->number * factor}};
  };
  if (scaled) return pattern.becomes(i, "HardSigmoid", shifted->x, attributes(factor), {clip_node, add_node});
  const Node* mul_node = pattern.inside(shifted->x);
  if (const auto slope = pattern.times(mul_node))
    return pattern.becomes(i, "HardSigmoid", slope->x, attributes(slope->number), {add_node, mul_node});
  return pattern.becomes(i, "HardSigmoid", shifted->x, attributes(1), {add_node});
}

bool is_hard_swish_gate(const Node* node, const std::string& x) {
  return node != nullptr && node->is("HardSigmoid") && node->input(0) == x &&
         near(node->number("alpha", 0.2F), 1.0F / 6) && near(node->number("beta", 0.5F), 0.5F);
}

// x * HardSigmoid(x; 1/6, 1/2).
bool hard_swish(Pattern& pattern, std::size_t i) {
  const Node& node = pattern.edit_.node(i);
  if (!node.is("Mul")) return false;
  for (const std::size_t gate : {0, 1}) {
    const Node* part = pattern.inside(node.input(gate));
    const std::string& x = node.input(1 - gate);
    if (is_hard_swish_gate(part, x)) return pattern.becomes(i, "HardSwish", x, {}, {part});
  }
  return false;
}

// x * clip(x + 3, 0, 6) times 1/6, where the sixth is applied last, or to x first.
bool hard_swish_in_parts(Pattern& pattern, std::size_t i) {
  const Node& node = pattern.edit_.node(i);
  const auto last = pattern.times(&node);
  const bool sixth_last = last && near(last->number, 1.0F / 6);
  const Node* product = sixth_last ? pattern.inside(last->x) : &node;
  if (product == nullptr || !product->is("Mul")) return false;
  for (const std::size_t side : {0, 1}) {
    const Node* clip_node = pattern.inside(product->input(side));
    const auto clipped = pattern.clip(clip_node);
    const Node* add_node = clipped ? pattern.inside(clipped->x) : nullptr;
    const auto shifted = pattern.with_number(add_node, "Add");
    if (!shifted || clipped->low != 0 || !near(clipped->high, 6) || !near(shifted->number, 3)) continue;
    const std::string& other = product->input(1 - side);
    if (sixth_last && other == shifted->x)
      return pattern.becomes(i, "HardSwish", other, {}, {product, clip_node, add_node});
    const Node* sixth = sixth_last ? nullptr : pattern.inside(other);
    const auto scaled = pattern.times(sixth);
    if (scaled && near(scaled->number, 1.0F / 6) && scaled->x == shifted->x)
      return pattern.becomes(i, "HardSwish", shifted->x, {}, {sixth, clip_node, add_node});
  }
  return false;
}

// 1 / (1 + exp(-x)).
bool sigmoid(Pattern& pattern, std::size_t i) {
  const Node& node = pattern.edit_.node(i);
  const bool inverts =
      node.is("Reciprocal") || (node.is("Div") && pattern.number(node.input(0), node.input(1)) == std::optional(1.0F));
  if (!inverts) return false;
  const Node* add_node = pattern.inside(node.inputs.back());
  const auto sum = pattern.with_number(add_node, "Add");
  const Node* exp_node = sum && sum->number == 1.0F ? pattern.inside(sum->x) : nullptr;
  if (exp_node == nullptr || !exp_node->is("Exp")) return false;
  const Node* neg_node = pattern.inside(exp_node->input(0));
  if (neg_node == nullptr || !neg_node->is("Neg")) return false;
  return pattern.becomes(i, "Sigmoid", neg_node->input(0), {}, {add_node, exp_node, neg_node});
}

// max(x, 0) is Relu; min(Relu(x), high) is Clip(x, 0, high); Clip(Relu(x), low >= 0, ...) needs no Relu.
bool rectifier(Pattern& pattern, std::size_t i) {
  Edit& edit = pattern.edit_;
  const Node& node = edit.node(i);
  if (const auto most = node.inputs.size() == 2 ? pattern.with_number(&node, "Max") : std::nullopt;
      most && most->number == 0)
    return pattern.becomes(i, "Relu", most->x, {}, {});
  const auto least = node.inputs.size() == 2 ? pattern.with_number(&node, "Min") : std::nullopt;
  const auto clipped = pattern.clip(&node);
  if (!least && !(clipped && clipped->low >= 0)) return false;
  const Node* relu = pattern.inside(least ? least->x : clipped->x);
  if (relu == nullptr || !relu->is("Relu") || (least && least->number < 0)) return false;
  if (!edit.claim({i, edit.index_of(*relu)})) return false;
  Node out = node;
  out.inputs[0] = relu->input(0);
  if (least) {
    const std::string low = edit.constant(node.outputs.front() + "_low", Tensor::scalar(0.0F));
    const std::string high = edit.constant(node.outputs.front() + "_high", Tensor::scalar(least->number));
    out = {"Clip", {}, node.name, {relu->input(0), low, high}, node.outputs};
  }
  edit.change(i, std::move(out));
  edit.remove(edit.index_of(*relu));
  return true;
}

}  // namespace

std::size_t name_activations(Graph& graph, const ValueTable& values) {
  Edit edit(graph);
  Pattern pattern(edit, values);
  for (std::size_t i = edit.size(); i-- > 0;) {  // from the end: the longest form is seen before its parts
    if (hard_swish(pattern, i) || hard_swish_in_parts(pattern, i)) continue;
    if (hard_sigmoid(pattern, i) || sigmoid(pattern, i)) continue;
    rectifier(pattern, i);
  }
  return edit.finish();
}

std::size_t restore_sixths(Graph& graph) {
  constexpr float kSixth = 1.0F / 6;
  const float rounded = from_half(to_half(kSixth));
  std::size_t count = 0;
  for (auto& [name, constant] : graph.constants) {
    if (constant->type != DataType::float32 || constant->elements() != 1 || constant->values<float>()[0] != rounded)
      continue;
    Tensor restored = *constant;
    restored.mutable_values<float>()[0] = kSixth;
    constant = share(std::move(restored));
    ++count;
  }
  return count;
}

}  // namespace alara::graph
