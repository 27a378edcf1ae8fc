// SPDX-License-Identifier: Apache-2.0
#include "graph/edit.hpp"

#include <algorithm>

namespace alara::graph {
namespace {

template <typename Rename>
void rename_inside(Attribute& attribute, const Rename& rename) {
  auto* shared = std::get_if<std::shared_ptr<const Graph>>(&attribute);
  if (shared == nullptr || *shared == nullptr) return;
  auto inner = std::make_shared<Graph>(**shared);
  for (Node& node : inner->nodes) {
    for (std::string& input : node.inputs) input = rename(input);
    for (auto& [name, nested] : node.attributes) rename_inside(nested, rename);
  }
  for (ValueInfo& output : inner->outputs) output.name = rename(output.name);
  *shared = std::move(inner);
}

}  // namespace

Edit::Edit(Graph& graph)
    : graph_(graph),
      wiring_(graph),
      names_(graph),
      claimed_(graph.nodes.size(), false),
      removed_(graph.nodes.size(), false) {}

const Node* Edit::maker(std::string_view value) const {
  const auto found = wiring_.producer(value);
  return found ? &graph_.nodes[*found] : nullptr;
}

const Node* Edit::only_user(std::string_view value) const {
  if (!wiring_.used_once(value)) return nullptr;
  const Wiring::Use& use = wiring_.uses(value).front();
  return use.input == Wiring::npos ? nullptr : &graph_.nodes[use.node];
}

bool Edit::claim(std::vector<std::size_t> nodes) {
  if (std::any_of(nodes.begin(), nodes.end(), [&](std::size_t i) { return claimed_[i]; })) return false;
  for (const std::size_t i : nodes) claimed_[i] = true;
  ++rewrites_;
  return true;
}

void Edit::change(std::size_t i, Node node) { changed_.insert_or_assign(i, std::move(node)); }

void Edit::remove(std::size_t i) { removed_[i] = true; }

void Edit::insert_before(std::size_t i, Node node) { inserted_[i].push_back(std::move(node)); }

bool Edit::can_replace(std::string_view from, std::string_view to) const {
  if (!wiring_.is_output(from)) return true;
  return !wiring_.is_output(to) && wiring_.producer(to).has_value();
}

void Edit::replace(const std::string& from, const std::string& to) {
  if (wiring_.is_output(from)) {
    made_as_.insert_or_assign(to, from);
    renamed_.insert_or_assign(to, from);
  } else {
    renamed_.insert_or_assign(from, to);
  }
}

bool Edit::bypass(std::size_t i) {
  const std::string& from = node(i).outputs.front();
  const std::string& to = node(i).inputs.front();
  if (!can_replace(from, to)) return false;
  std::vector<std::size_t> nodes{i};
  if (wiring_.is_output(from)) nodes.push_back(*wiring_.producer(to));
  if (!claim(nodes)) return false;
  remove(i);
  replace(from, to);
  return true;
}

std::string Edit::fresh(std::string_view wanted) { return names_.fresh(wanted); }

std::string Edit::constant(std::string_view wanted, Tensor tensor) {
  std::string name = fresh(wanted);
  graph_.constants.emplace(name, share(std::move(tensor)));
  return name;
}

std::string Edit::constant_instead(const std::string& old, Tensor tensor) {
  if (!wiring_.used_once(old)) return constant(old, std::move(tensor));
  graph_.constants.insert_or_assign(old, share(std::move(tensor)));
  return old;
}

std::string Edit::final_name(const std::string& value) {
  std::vector<std::string*> way;
  std::string name = value;
  for (auto found = renamed_.find(name); found != renamed_.end(); found = renamed_.find(name)) {
    way.push_back(&found->second);
    name = found->second;
  }
  for (std::string* step : way) *step = name;  // whoever comes this way again goes straight there
  return name;
}

void Edit::rename_within(Node& node) {
  for (std::string& input : node.inputs) input = final_name(input);
  for (auto& [name, attribute] : node.attributes)
    rename_inside(attribute, [&](const std::string& value) { return final_name(value); });
}

void Edit::rename_output(Node& node) const {
  for (std::string& output : node.outputs)
    if (const auto found = made_as_.find(output); found != made_as_.end()) output = found->second;
}

std::size_t Edit::finish() {
  if (rewrites_ == 0) return 0;
  std::vector<Node> nodes;
  nodes.reserve(graph_.nodes.size());
  const auto keep = [&](Node&& node) {
    rename_within(node);
    rename_output(node);
    nodes.push_back(std::move(node));
  };
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (const auto found = inserted_.find(i); found != inserted_.end())
      for (Node& node : found->second) keep(std::move(node));
    if (removed_[i]) continue;
    const auto found = changed_.find(i);
    keep(std::move(found == changed_.end() ? graph_.nodes[i] : found->second));
  }
  graph_.nodes = std::move(nodes);
  return rewrites_;
}

}  // namespace alara::graph
