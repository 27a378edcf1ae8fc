// SPDX-License-Identifier: Apache-2.0
// Which nodes of a float graph will run on 8-bit integers, and which values have an 8-bit copy for it: those groups of
// nodes for which ONNX Runtime's CPU provider has integer kernels. The plan changes nothing; qdq.hpp carries it out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"
#include "graph/quantize/ranges.hpp"
#include "graph/shapes.hpp"

namespace alara::graph {

enum class Role : std::uint8_t {
  weighted,    // Conv, ConvTranspose, Gemm, MatMul by constant weights
  arithmetic,  // Add, Mul, Concat, average pools, Sigmoid, LeakyRelu: a result with a range of its own
  movement,    // MaxPool, Reshape, Transpose, Resize to the nearest …: numbers of their input, so also its scale
};

// A node that is to be quantised. Numbers of nodes are indices into Graph::nodes.
struct Planned {
  std::size_t node = 0;
  Role role = Role::weighted;
  std::vector<std::string> inputs;        // values that need an 8-bit copy; for arithmetic also constants
  std::string output;                     // the value it makes: its own, or its activation's
  std::optional<std::size_t> activation;  // a Relu or Clip behind it: the 8-bit range does the clipping
};

struct Plan {
  std::vector<Planned> nodes;                 // in the graph's order
  std::map<std::string, std::string> source;  // of a movement's result: the value whose scale it has
  std::map<std::string, std::size_t> makers;  // value to the index into `nodes` of who makes it
  std::map<std::string, Range> limits;        // of values: who uses them sees no difference beyond
  std::vector<std::string> notes;             // what stays in float and why, where that may surprise

  // Follows `source` to its end.
  [[nodiscard]] const std::string& scale_of(const std::string& value) const;
  // Values that need a range of their own: neither constants nor results of movements.
  [[nodiscard]] std::vector<std::string> ranged_values(const Graph& graph) const;
};

struct PlanOptions {
  std::set<std::string> exclude;        // nodes that stay in float: by name, by output, or by operator ("Gemm")
  std::set<std::size_t> keep_in_float;  // the same by number
  std::optional<std::size_t> only;      // nothing but this node
};

// Whether the node is one of those by its name, its first output or its operator.
[[nodiscard]] bool excluded(const Node& node, const std::set<std::string>& exclude);
// Errors: bad_input (a name that the graph has no node for).
Status check_names_of_nodes(const Graph& graph, const std::set<std::string>& exclude);

// Errors: bad_input (an excluded name that the graph does not have).
[[nodiscard]] Result<Plan> make_plan(const Graph& graph, const ValueTable& values, const PlanOptions& options = {});

}  // namespace alara::graph
