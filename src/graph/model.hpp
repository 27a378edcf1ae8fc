// SPDX-License-Identifier: Apache-2.0
// An ONNX model in memory, free of protobuf: what every reader makes, every pass rewrites and the writer takes. Plain
// values: copying a model copies its nodes and shares its constants. Names of values are the edges, as in ONNX.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/tensor.hpp"

namespace alara::graph {

struct Graph;

// One dimension of a value's shape. size -1: decided when it runs; then `symbol` may name it ("batch").
struct Dim {
  std::int64_t size = -1;
  std::string symbol = {};

  [[nodiscard]] bool known() const { return size >= 0; }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Dims = std::vector<Dim>;
[[nodiscard]] Dims dims_of(std::span<const std::int64_t> shape);  // all known
[[nodiscard]] std::optional<Shape> shape_of(const Dims& dims);    // nullopt when one is unknown
[[nodiscard]] std::string text_of(const Dims& dims);              // "[batch, 3, ?, ?]"

// What is known of a value: an input, an output, or what lies between.
struct ValueInfo {
  std::string name;
  DataType type = DataType::undefined;
  std::optional<Dims> dims;  // nullopt: not even the rank is known

  [[nodiscard]] std::string text() const;  // "image: float32[1, 3, 224, 224]"
  friend bool operator==(const ValueInfo&, const ValueInfo&) = default;
};

using Attribute = std::variant<std::int64_t, float, std::string, Constant, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>, std::shared_ptr<const Graph>>;

struct Node {
  std::string op;                    // "Conv"
  std::string domain = {};           // "" is ONNX's own
  std::string name = {};             // may be empty; for people
  std::vector<std::string> inputs;   // "" where an optional one is left out
  std::vector<std::string> outputs;  // "" where one is not wanted
  std::map<std::string, Attribute> attributes = {};

  // The attribute, or the default where it is absent or of another type.
  [[nodiscard]] std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
  [[nodiscard]] float number(std::string_view attribute, float otherwise) const;
  [[nodiscard]] std::string text(std::string_view attribute, std::string_view otherwise) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view attribute,
                                                   std::vector<std::int64_t> otherwise = {}) const;
  [[nodiscard]] const Tensor* tensor(std::string_view attribute) const;  // nullptr where absent
  [[nodiscard]] bool has(std::string_view attribute) const { return attributes.contains(std::string(attribute)); }
  // The name of input i, or "" where there is none.
  [[nodiscard]] const std::string& input(std::size_t i) const;
  [[nodiscard]] bool is(std::string_view onnx_op) const { return domain.empty() && op == onnx_op; }
  // What messages call it: "Conv 'stem/conv'", or by its first output where it has no name.
  [[nodiscard]] std::string label() const;
};

struct Graph {
  std::string name;
  std::vector<ValueInfo> inputs;  // without those that have a constant
  std::vector<ValueInfo> outputs;
  std::vector<Node> nodes;                    // in an order in which they can run
  std::map<std::string, Constant> constants;  // ONNX's initialisers
  std::map<std::string, ValueInfo> values;    // what the file says of values in between; may be empty

  // The constant of that name, or nullptr.
  [[nodiscard]] const Tensor* constant(std::string_view value) const;
};

struct Model {
  std::int64_t ir_version = 8;
  std::map<std::string, std::int64_t> opsets = {{"", 17}};  // domain to version
  std::string producer = "alara-lab";
  std::map<std::string, std::string> metadata;
  Graph graph;

  [[nodiscard]] std::int64_t opset() const;  // of ONNX's own domain
};

// Who makes and who uses each value, for one state of a graph: made anew after changes.
struct Wiring {
  struct Use {
    std::size_t node = 0;   // index into graph.nodes
    std::size_t input = 0;  // index into its inputs
  };
  explicit Wiring(const Graph& graph);

  // The node that makes the value, or nullopt (an input, a constant, nothing).
  [[nodiscard]] std::optional<std::size_t> producer(std::string_view value) const;
  // In node order; uses within subgraphs of If, Loop and Scan count as uses by that node with input = npos.
  [[nodiscard]] const std::vector<Use>& uses(std::string_view value) const;
  [[nodiscard]] bool is_output(std::string_view value) const;
  // Exactly one use, and not an output of the graph: its maker may be merged into its user.
  [[nodiscard]] bool used_once(std::string_view value) const;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  std::map<std::string, std::size_t, std::less<>> producers_;
  std::map<std::string, std::vector<Use>, std::less<>> uses_;
  std::map<std::string, bool, std::less<>> outputs_;
};

// Makes names that the graph does not have: "x", "x_1", "x_2", …
class Names {
 public:
  explicit Names(const Graph& graph);
  [[nodiscard]] std::string fresh(std::string_view wanted);

 private:
  std::map<std::string, int, std::less<>> taken_;
};

// Every later use of `from` (also as an output of the graph) becomes a use of `to`.
void redirect(Graph& graph, const std::string& from, const std::string& to);
// Removes nodes none of whose outputs is used, and constants that nothing uses.
void remove_unused(Graph& graph);
// Puts the nodes in an order in which they can run, keeping theirs where it is one. Errors: a cycle, named by its
// nodes.
Status sort_nodes(Graph& graph);
// Each value is made once, before it is used, and by somebody; outputs exist; names are there. Also in subgraphs.
// Errors of kind bad_input name node and value.
Status check(const Model& model);

}  // namespace alara::graph
