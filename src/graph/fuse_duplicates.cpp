// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <unordered_map>

#include "graph/edit.hpp"
#include "graph/fuse.hpp"

namespace alara::graph {
namespace {

// Nothing that training would change differently in different places.
bool shareable(const Tensor& tensor) {
  return tensor.type != DataType::text && (!is_float(tensor.type) || tensor.elements() == 1);
}

std::string key_of(const Tensor& tensor) {
  return tensor.text() + std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
}

// Gives something else each time, or holds graphs, which are not compared.
bool comparable(const Node& node) {
  static constexpr std::string_view kRandom[] = {
      "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"};
  if (std::find(std::begin(kRandom), std::end(kRandom), node.op) != std::end(kRandom)) return false;
  return std::none_of(node.attributes.begin(), node.attributes.end(), [](const auto& entry) {
    return std::holds_alternative<std::shared_ptr<const Graph>>(entry.second);
  });
}

void merge_constants(Edit& edit, std::map<std::string, std::string>& merged) {
  std::unordered_map<std::string, std::string> first;
  for (const auto& [name, constant] : edit.graph().constants) {
    if (!shareable(*constant) || edit.wiring().is_output(name)) continue;
    const auto [found, is_new] = first.emplace(key_of(*constant), name);
    if (is_new || !edit.claim({})) continue;
    merged.emplace(name, found->second);
    edit.replace(name, found->second);
  }
}

std::vector<std::string> merged_inputs(const Node& node, const std::map<std::string, std::string>& merged) {
  std::vector<std::string> inputs = node.inputs;
  for (std::string& input : inputs)
    if (const auto found = merged.find(input); found != merged.end()) input = found->second;
  return inputs;
}

// Tensors among attributes compare by what they hold.
bool same_attribute(const Attribute& a, const Attribute& b) {
  const auto* left = std::get_if<Constant>(&a);
  const auto* right = std::get_if<Constant>(&b);
  return left != nullptr && right != nullptr ? **left == **right : a == b;
}

bool same_work(const Node& a, const Node& b) {
  return a.op == b.op && a.domain == b.domain && a.outputs.size() == b.outputs.size() &&
         std::equal(
             a.attributes.begin(), a.attributes.end(), b.attributes.begin(), b.attributes.end(),
             [](const auto& x, const auto& y) { return x.first == y.first && same_attribute(x.second, y.second); });
}

// Every output of b can come from a, and those that b leaves out are not missed.
bool can_stand_for(const Edit& edit, const Node& a, const Node& b) {
  for (std::size_t i = 0; i < b.outputs.size(); ++i) {
    if (b.outputs[i].empty()) continue;
    if (a.outputs[i].empty() || !edit.can_replace(b.outputs[i], a.outputs[i])) return false;
  }
  return true;
}

bool makes_output(const Edit& edit, const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(),
                     [&](const std::string& output) { return edit.wiring().is_output(output); });
}

}  // namespace

std::size_t merge_duplicates(Graph& graph, const ValueTable&) {
  Edit edit(graph);
  std::map<std::string, std::string> merged;  // what stands for what
  merge_constants(edit, merged);
  std::map<std::pair<std::string, std::vector<std::string>>, std::vector<std::size_t>> seen;
  for (std::size_t i = 0; i < edit.size(); ++i) {
    const Node& node = edit.node(i);
    if (!comparable(node)) continue;
    std::vector<std::size_t>& alike = seen[{node.op, merged_inputs(node, merged)}];
    const auto found = std::find_if(alike.begin(), alike.end(), [&](std::size_t k) {
      return same_work(edit.node(k), node) && can_stand_for(edit, edit.node(k), node);
    });
    if (found == alike.end()) {
      if (alike.size() < 64) alike.push_back(i);  // many readers of one value that all differ are left alone
      continue;
    }
    std::vector<std::size_t> claimed{i};
    if (makes_output(edit, node)) claimed.push_back(*found);
    if (!edit.claim(claimed)) continue;
    edit.remove(i);
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      if (node.outputs[k].empty()) continue;
      merged.emplace(node.outputs[k], edit.node(*found).outputs[k]);
      edit.replace(node.outputs[k], edit.node(*found).outputs[k]);
    }
  }
  return edit.finish();
}

}  // namespace alara::graph
