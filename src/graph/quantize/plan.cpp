// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "graph/constants.hpp"
#include "graph/linear.hpp"
#include "graph/quantize/ranges.hpp"

namespace alara::graph {
namespace {

constexpr double kConstantSqnrDb = 35;  // constants of Add and Mul that 8 bits hold worse leave their node in float

bool one_of(const Node& node, std::initializer_list<std::string_view> ops) {
  return node.domain.empty() && std::find(ops.begin(), ops.end(), node.op) != ops.end();
}

// How well one 8-bit grid holds a constant, in dB.
double constant_sqnr_db(const Tensor& tensor) {
  const auto numbers = tensor.values<float>();
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  if (low == numbers.end()) return 0;
  const Grid grid = grid_over({std::min(0.0, double(*low)), std::max(0.0, double(*high))}, ActivationType::uint8);
  double signal = 0, noise = 0;
  for (const float x : numbers) {
    const double error = static_cast<double>(grid.scale) * (quantized(x, grid) - grid.zero_point) - x;
    signal += static_cast<double>(x) * x;
    noise += error * error;
  }
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

class Planner {
 public:
  Planner(const Graph& graph, const ValueTable& values, const PlanOptions& options)
      : graph_(graph), values_(values), options_(options), wiring_(graph), tail_(graph.nodes.size(), false) {}

  Result<Plan> plan() {
    ALARA_CHECK(check_names_of_nodes(graph_, options_.exclude));
    find_tail();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (stays_in_float(i)) continue;
      const Node& node = graph_.nodes[i];
      if (is_weighted(node)) {
        add(i, Role::weighted, {node.input(0)});
      } else if (is_arithmetic(i)) {
        add(i, Role::arithmetic, node.inputs);
      } else if (is_movement(node) && feeds_on_integers(node)) {
        add(i, Role::movement, {node.input(0)});
      }
    }
    for (const std::string& value : plan_.ranged_values(graph_))
      if (const Range limit = limit_of(value); limit != kNoLimit) plan_.limits[value] = limit;
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool is_float_value(const std::string& value) const {
    const auto found = values_.find(value);
    return found != values_.end() && found->second.type == DataType::float32;
  }
  [[nodiscard]] bool stays_in_float(std::size_t i) const {
    const Node& node = graph_.nodes[i];
    if (tail_[i] || options_.keep_in_float.contains(i) || node.outputs.empty()) return true;
    if (options_.only && *options_.only != i) return true;
    return excluded(node, options_.exclude);
  }

  // What only reshapes, joins or bends results on their way out stays in float: it costs little there, and 8 bits would
  // be the last thing that happens to an output.
  void find_tail() {
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (linear_of(graph_, node)) continue;
      bool all = !node.outputs.empty();
      for (const std::string& output : node.outputs)
        for (const Wiring::Use& use : wiring_.uses(output)) all = all && tail_[use.node];
      tail_[i] = all;
    }
  }

  bool is_weighted(const Node& node) {
    const auto linear = linear_of(graph_, node);
    if (!linear || !is_float_value(node.input(0)) || graph_.constant(node.input(0)) != nullptr) return false;
    if (!node.is("Gemm")) return true;
    if (node.number("alpha", 1) == 1 && node.number("beta", 1) == 1) return true;
    plan_.notes.push_back(node.label() + " stays in float: its alpha or beta is not 1");
    return false;
  }

  bool is_arithmetic(std::size_t i) {
    const Node& node = graph_.nodes[i];
    if (!one_of(node, {"Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "Sigmoid", "LeakyRelu"}))
      return false;
    bool integers = options_.only.has_value();
    for (const std::string& input : node.inputs) {
      if (!is_float_value(input)) return false;
      const Tensor* constant = graph_.constant(input);
      if (constant != nullptr && constant_sqnr_db(*constant) < kConstantSqnrDb) {
        plan_.notes.push_back(node.label() + " stays in float: 8 bits do not hold its constant '" + input + "'");
        return false;
      }
      integers = integers || plan_.makers.contains(input);
    }
    return integers;
  }

  static bool is_movement(const Node& node) {
    if (one_of(node, {"MaxPool"})) return node.outputs.size() < 2 || node.outputs[1].empty();
    if (node.is("Resize")) return node.text("mode", "nearest") == "nearest";  // else integers would be cut, not rounded
    return one_of(node, {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"});
  }
  [[nodiscard]] bool feeds_on_integers(const Node& node) const { return plan_.makers.contains(node.input(0)); }

  // Where a node's result no longer depends on its input.
  [[nodiscard]] Range limit_of(const Node& node) const {
    if (node.is("Relu")) return {0, kNoLimit.high};
    if (node.is("HardSwish")) return {-3, kNoLimit.high};
    if (node.is("HardSigmoid")) {
      const double alpha = node.number("alpha", 0.2F), beta = node.number("beta", 0.5F);
      return alpha > 0 ? Range{-beta / alpha, (1 - beta) / alpha} : kNoLimit;
    }
    if (!node.is("Clip")) return kNoLimit;
    const auto low = number_of(graph_, node.input(1)), high = number_of(graph_, node.input(2));
    return {low ? *low : kNoLimit.low, high ? *high : kNoLimit.high};
  }
  // The same for all who use the value.
  [[nodiscard]] Range limit_of(const std::string& value) const {
    const auto& uses = wiring_.uses(value);
    if (wiring_.is_output(value) || uses.empty()) return kNoLimit;
    Range out{0, 0};
    for (const Wiring::Use& use : uses) {
      const Range limit = use.input == 0 ? limit_of(graph_.nodes[use.node]) : kNoLimit;
      out = {std::min(out.low, limit.low), std::max(out.high, limit.high)};
    }
    return out;
  }

  // The Relu or Clip that a range can stand for: behind a result that nothing else uses.
  [[nodiscard]] std::optional<std::size_t> activation_behind(const std::string& value) const {
    if (!wiring_.used_once(value)) return std::nullopt;
    const Wiring::Use use = wiring_.uses(value).front();
    const Node& node = graph_.nodes[use.node];
    if (use.input != 0 || options_.keep_in_float.contains(use.node) || excluded(node, options_.exclude))
      return std::nullopt;
    if (node.is("Relu")) return use.node;
    if (!node.is("Clip")) return std::nullopt;
    for (const std::size_t bound : {1, 2}) {
      if (node.input(bound).empty()) continue;
      const auto number = number_of(graph_, node.input(bound));
      if (!number || (bound == 1 ? *number > 0 : *number < 0)) return std::nullopt;  // a range holds zero
    }
    return use.node;
  }

  void add(std::size_t i, Role role, std::vector<std::string> inputs) {
    const Node& node = graph_.nodes[i];
    Planned planned{i, role, std::move(inputs), node.outputs.front(), std::nullopt};
    if (role == Role::movement) {
      plan_.source[planned.output] = node.input(0);
    } else if (const auto activation = activation_behind(planned.output)) {
      planned.activation = activation;
      planned.output = graph_.nodes[*activation].outputs.front();
    }
    plan_.makers[planned.output] = plan_.nodes.size();
    plan_.nodes.push_back(std::move(planned));
  }

  const Graph& graph_;
  const ValueTable& values_;
  const PlanOptions& options_;
  Wiring wiring_;
  std::vector<bool> tail_;
  Plan plan_;
};

}  // namespace

bool excluded(const Node& node, const std::set<std::string>& exclude) {
  return exclude.contains(node.name) || exclude.contains(node.op) ||
         (!node.outputs.empty() && exclude.contains(node.outputs.front()));
}

Status check_names_of_nodes(const Graph& graph, const std::set<std::string>& exclude) {
  for (const std::string& name : exclude) {
    const std::set<std::string> one{name};
    if (std::none_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return excluded(node, one); }))
      return fail(ErrorKind::bad_input, "there is no node '{}' to leave out", name);
  }
  return {};
}

const std::string& Plan::scale_of(const std::string& value) const {
  const std::string* at = &value;
  for (auto found = source.find(*at); found != source.end(); found = source.find(*at)) at = &found->second;
  return *at;
}

std::vector<std::string> Plan::ranged_values(const Graph& graph) const {
  std::vector<std::string> out;
  std::set<std::string> seen;
  const auto note = [&](const std::string& value) {
    if (graph.constant(value) == nullptr && !source.contains(value) && seen.insert(value).second) out.push_back(value);
  };
  for (const Planned& planned : nodes) {
    for (const std::string& input : planned.inputs) note(input);
    note(planned.output);
  }
  return out;
}

Result<Plan> make_plan(const Graph& graph, const ValueTable& values, const PlanOptions& options) {
  return Planner(graph, values, options).plan();
}

}  // namespace alara::graph
