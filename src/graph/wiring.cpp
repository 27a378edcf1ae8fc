// SPDX-License-Identifier: Apache-2.0
// Who makes and who uses which value: the index, and the checks and rewrites that rest on it.
#include <algorithm>
#include <queue>
#include <set>
#include <unordered_set>

#include "graph/model.hpp"

namespace alara::graph {
namespace {

const Graph* subgraph_of(const Attribute& attribute) {
  const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&attribute);
  return graph == nullptr ? nullptr : graph->get();
}

// Names that a graph takes from the graphs around it.
void collect_outer(const Graph& graph, std::set<std::string>& out) {
  std::set<std::string> own;
  for (const ValueInfo& input : graph.inputs) own.insert(input.name);
  for (const auto& [name, constant] : graph.constants) own.insert(name);
  const auto use = [&](const std::string& name) {
    if (!name.empty() && !own.contains(name)) out.insert(name);
  };
  for (const Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) use(input);
    for (const auto& [name, attribute] : node.attributes) {
      const Graph* inner = subgraph_of(attribute);
      if (inner == nullptr) continue;
      std::set<std::string> taken;
      collect_outer(*inner, taken);
      for (const std::string& value : taken) use(value);
    }
    own.insert(node.outputs.begin(), node.outputs.end());
  }
  for (const ValueInfo& output : graph.outputs) use(output.name);
}

std::set<std::string> taken_by_subgraphs(const Node& node) {
  std::set<std::string> out;
  for (const auto& [name, attribute] : node.attributes)
    if (const Graph* inner = subgraph_of(attribute)) collect_outer(*inner, out);
  return out;
}

Graph redirected_inside(const Graph& graph, const std::string& from, const std::string& to);

void redirect_node(Node& node, const std::string& from, const std::string& to) {
  std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  for (auto& [name, attribute] : node.attributes)
    if (const Graph* inner = subgraph_of(attribute))
      attribute = std::make_shared<const Graph>(redirected_inside(*inner, from, to));
}

Graph redirected_inside(const Graph& graph, const std::string& from, const std::string& to) {
  Graph out = graph;
  for (Node& node : out.nodes) redirect_node(node, from, to);
  for (ValueInfo& output : out.outputs)
    if (output.name == from) output.name = to;
  return out;
}

// Names that are known at some place: a graph's own and those of the graphs around it.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_set<std::string> own = {};

  [[nodiscard]] bool knows(const std::string& name) const {
    return own.contains(name) || (outer != nullptr && outer->knows(name));
  }
};

Status check_names(const Graph& graph, Scope& scope) {
  for (const ValueInfo& input : graph.inputs) {
    if (input.name.empty()) return fail(ErrorKind::bad_input, "an input of the graph has no name");
    if (!scope.own.insert(input.name).second)
      return fail(ErrorKind::bad_input, "there are two values called '{}'", input.name);
  }
  for (const auto& [name, constant] : graph.constants)
    if (name.empty() || !scope.own.insert(name).second)
      return fail(ErrorKind::bad_input, "there are two values called '{}'", name);
  return {};
}

Status check_graph(const Graph& graph, const Scope* outer);

Status check_node(const Node& node, Scope& scope) {
  for (const std::string& input : node.inputs)
    if (!input.empty() && !scope.knows(input))
      return fail(ErrorKind::bad_input, "{} uses '{}', which nothing before it makes", node.label(), input);
  for (const auto& [name, attribute] : node.attributes) {
    const Graph* inner = subgraph_of(attribute);
    if (inner == nullptr) continue;
    if (auto status = check_graph(*inner, &scope); !status)
      return fail(ErrorKind::bad_input, "in '{}' of {}: {}", name, node.label(), status.error().message);
  }
  for (const std::string& output : node.outputs)
    if (!output.empty() && !scope.own.insert(output).second)
      return fail(ErrorKind::bad_input, "{} makes '{}', which exists already", node.label(), output);
  return {};
}

Status check_graph(const Graph& graph, const Scope* outer) {
  Scope scope{outer};
  ALARA_CHECK(check_names(graph, scope));
  for (const Node& node : graph.nodes) ALARA_CHECK(check_node(node, scope));
  for (const ValueInfo& output : graph.outputs)
    if (!scope.knows(output.name)) return fail(ErrorKind::bad_input, "nothing makes the output '{}'", output.name);
  return {};
}

// Some nodes of a cycle, for the error: follow unmet inputs until a node comes again.
std::string cycle_text(const Graph& graph, const std::vector<int>& waiting) {
  const Wiring wiring(graph);
  std::size_t at = 0;
  while (at < waiting.size() && waiting[at] <= 0) ++at;
  std::vector<std::size_t> path;
  std::vector<bool> seen(waiting.size(), false);
  while (at < waiting.size() && !seen[at]) {
    seen[at] = true;
    path.push_back(at);
    std::size_t next = waiting.size();
    for (const std::string& input : graph.nodes[at].inputs)
      if (const auto maker = wiring.producer(input); maker && waiting[*maker] > 0) next = *maker;
    at = next;
  }
  std::string out;
  for (std::size_t i = 0; i < path.size() && i < 6; ++i) out += (i == 0 ? "" : " <- ") + graph.nodes[path[i]].label();
  return out + (path.size() > 6 ? " <- ..." : "");
}

}  // namespace

Wiring::Wiring(const Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    for (const std::string& output : node.outputs)
      if (!output.empty()) producers_.emplace(output, i);
    for (std::size_t k = 0; k < node.inputs.size(); ++k)
      if (!node.inputs[k].empty()) uses_[node.inputs[k]].push_back({i, k});
    for (const std::string& value : taken_by_subgraphs(node)) uses_[value].push_back({i, npos});
  }
  for (const ValueInfo& output : graph.outputs) outputs_.emplace(output.name, true);
}

std::optional<std::size_t> Wiring::producer(std::string_view value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<Wiring::Use>& Wiring::uses(std::string_view value) const {
  static const std::vector<Use> kNone;
  const auto found = uses_.find(value);
  return found == uses_.end() ? kNone : found->second;
}

bool Wiring::is_output(std::string_view value) const { return outputs_.contains(value); }

bool Wiring::used_once(std::string_view value) const { return uses(value).size() == 1 && !is_output(value); }

namespace {

void collect_names(const Graph& graph, std::map<std::string, int, std::less<>>& out) {
  for (const ValueInfo& input : graph.inputs) out.emplace(input.name, 0);
  for (const auto& [name, constant] : graph.constants) out.emplace(name, 0);
  for (const Node& node : graph.nodes) {
    for (const std::string& output : node.outputs) out.emplace(output, 0);
    for (const auto& [name, attribute] : node.attributes)
      if (const Graph* inner = subgraph_of(attribute)) collect_names(*inner, out);
  }
}

}  // namespace

Names::Names(const Graph& graph) { collect_names(graph, taken_); }

std::string Names::fresh(std::string_view wanted) {
  const std::string base(wanted.empty() ? "value" : wanted);
  if (taken_.emplace(base, 0).second) return base;
  for (int& counter = taken_[base];;) {
    std::string name = fmt::format("{}_{}", base, ++counter);
    if (taken_.emplace(name, 0).second) return name;
  }
}

void redirect(Graph& graph, const std::string& from, const std::string& to) {
  for (Node& node : graph.nodes) redirect_node(node, from, to);
  for (ValueInfo& output : graph.outputs)
    if (output.name == from) output.name = to;
}

void remove_unused(Graph& graph) {
  std::set<std::string> wanted;
  for (const ValueInfo& output : graph.outputs) wanted.insert(output.name);
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool useful = std::any_of(node->outputs.begin(), node->outputs.end(),
                                    [&](const std::string& output) { return wanted.contains(output); });
    if (!useful) continue;
    wanted.insert(node->inputs.begin(), node->inputs.end());
    wanted.merge(taken_by_subgraphs(*node));
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.constants, [&](const auto& entry) { return !wanted.contains(entry.first); });
  std::set<std::string> made;
  for (const Node& node : graph.nodes) made.insert(node.outputs.begin(), node.outputs.end());
  std::erase_if(graph.values, [&](const auto& entry) { return !made.contains(entry.first); });
}

Status sort_nodes(Graph& graph) {
  const Wiring wiring(graph);
  std::vector<int> waiting(graph.nodes.size(), 0);  // inputs that other nodes still have to make
  std::vector<std::vector<std::size_t>> followers(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    std::set<std::string> inputs = taken_by_subgraphs(graph.nodes[i]);
    inputs.insert(graph.nodes[i].inputs.begin(), graph.nodes[i].inputs.end());
    for (const std::string& input : inputs) {
      const auto maker = wiring.producer(input);
      if (!maker) continue;
      ++waiting[i];
      followers[*maker].push_back(i);
    }
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;  // first in the file first
  for (std::size_t i = 0; i < waiting.size(); ++i)
    if (waiting[i] == 0) ready.push(i);
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const std::size_t follower : followers[node])
      if (--waiting[follower] == 0) ready.push(follower);
  }
  if (order.size() != graph.nodes.size())
    return fail(ErrorKind::bad_input, "the graph has a cycle: {}", cycle_text(graph, waiting));
  std::vector<Node> sorted;
  sorted.reserve(order.size());
  for (const std::size_t i : order) sorted.push_back(std::move(graph.nodes[i]));
  graph.nodes = std::move(sorted);
  return {};
}

Status check(const Model& model) { return check_graph(model.graph, nullptr); }

}  // namespace alara::graph
