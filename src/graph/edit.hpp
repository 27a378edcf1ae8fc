// SPDX-License-Identifier: Apache-2.0
// One sweep of rewrites over a graph. All rewrites of a sweep see the graph as it was at its start; each claims the
// nodes its pattern is made of, so that no two meet at one node, and finish() carries them all out in one pass. A sweep
// costs time in proportion to the graph, however many rewrites it makes; rules that build on each other's results are
// run again until none finds anything (fuse.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/model.hpp"

namespace alara::graph {

class Edit {
 public:
  explicit Edit(Graph& graph);

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const Wiring& wiring() const { return wiring_; }
  [[nodiscard]] std::size_t size() const { return graph_.nodes.size(); }
  [[nodiscard]] const Node& node(std::size_t i) const { return graph_.nodes[i]; }
  // The node that makes the value, or nullptr / the only one that uses it (and no output is), or nullptr.
  [[nodiscard]] const Node* maker(std::string_view value) const;
  [[nodiscard]] const Node* only_user(std::string_view value) const;
  [[nodiscard]] std::size_t index_of(const Node& node) const {
    return static_cast<std::size_t>(&node - graph_.nodes.data());
  }

  // Makes the nodes this rewrite's own; false, and nothing claimed, when another rewrite of the sweep has one of them.
  [[nodiscard]] bool claim(std::vector<std::size_t> nodes);

  // For claimed nodes only. What is said here is seen after finish().
  void change(std::size_t i, Node node);
  void remove(std::size_t i);
  void insert_before(std::size_t i, Node node);
  // Every user of `from` will use `to`, and `from` may disappear. Where `from` is an output of the graph its name is
  // kept: the claimed node that makes `to` will make it under that name. can_replace() tells when there is no such
  // node (an input or a constant stands behind `to`, or it is an output itself).
  [[nodiscard]] bool can_replace(std::string_view from, std::string_view to) const;
  void replace(const std::string& from, const std::string& to);

  // Removes node i, whose users take its first input instead of its first output; false where that can not be.
  bool bypass(std::size_t i);

  // Names and constants are there at once.
  [[nodiscard]] std::string fresh(std::string_view wanted);
  std::string constant(std::string_view wanted, Tensor tensor);
  // In place of a constant that a claimed node uses: under its name if nobody else uses it, else under a fresh one.
  std::string constant_instead(const std::string& old, Tensor tensor);

  // Carries the rewrites out; returns how many there were (claims). Removes nothing that is merely unused.
  std::size_t finish();

 private:
  [[nodiscard]] std::string final_name(const std::string& value);
  void rename_within(Node& node);
  void rename_output(Node& node) const;

  Graph& graph_;
  Wiring wiring_;
  Names names_;
  std::vector<bool> claimed_;
  std::vector<bool> removed_;
  std::map<std::size_t, Node> changed_;
  std::map<std::size_t, std::vector<Node>> inserted_;        // before the node of that number
  std::map<std::string, std::string, std::less<>> renamed_;  // what users see; never leads in a circle
  std::map<std::string, std::string, std::less<>> made_as_;  // what makers write
  std::size_t rewrites_ = 0;
};

}  // namespace alara::graph
