// SPDX-License-Identifier: Apache-2.0
// Private to the graph module: how a rule of shape inference sees its node, and the tables of rules by family.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "graph/shapes.hpp"

namespace alara::graph {

inline constexpr std::int64_t kMaxSize = kMaxElements;   // of one dimension, stride, padding
inline constexpr std::size_t kMaxFollowedValues = 1024;  // integers of one value that are followed
inline constexpr std::int64_t kMaxListedValues = 65536;  // of a constant that lists sizes, axes, starts

// Integer values that a graph computes with: elements whose size may be known, or only named.
inline constexpr std::string_view kLiteral = "=";  // symbol of a number below zero that is known
struct Followed {
  Dims numbers;
  bool scalar = false;
};
using FollowedTable = std::map<std::string, Followed, std::less<>>;

// One node while its rule runs. Inputs that are left out, and shapes that are not known, read as nullptr.
class ShapeContext {
 public:
  ShapeContext(const Model& model, const Node& subject, ValueTable& values, FollowedTable& followed)
      : node(subject), model_(model), values_(values), followed_(followed) {}

  const Node& node;

  [[nodiscard]] std::size_t inputs() const { return node.inputs.size(); }
  [[nodiscard]] DataType type(std::size_t i) const;
  [[nodiscard]] const Dims* dims(std::size_t i) const;
  // The integers of input i, as far as they are known.
  [[nodiscard]] std::optional<Followed> numbers(std::size_t i) const;
  // All of them; nullopt when one is not known, or a constant has more than kMaxListedValues.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::size_t i) const;
  [[nodiscard]] const Tensor* constant(std::size_t i) const { return model_.graph.constant(node.input(i)); }
  [[nodiscard]] std::optional<std::vector<std::int64_t>> axes() const;  // attribute or input 1
  [[nodiscard]] const Graph& graph() const { return model_.graph; }
  [[nodiscard]] std::int64_t opset() const { return model_.opset(); }

  void set(std::size_t output, DataType type, std::optional<Dims> dims = std::nullopt);
  void follow(std::size_t output, Followed numbers);
  // "Conv 'stem': …, inputs [1, 3, 8, 8], [4, 5, 3, 3]".
  template <typename... Args>
  [[nodiscard]] tl::unexpected<Error> misfit(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorKind::bad_input, "{}: {} (its inputs are {})", node.label(),
                fmt::format(format, std::forward<Args>(args)...), inputs_text());
  }
  // `axis` counted from the front; an error when the value has no such dimension.
  [[nodiscard]] Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank) const;

 private:
  [[nodiscard]] std::string inputs_text() const;

  const Model& model_;
  ValueTable& values_;
  FollowedTable& followed_;
};

using ShapeRule = Status (*)(ShapeContext& context);
using ShapeRules = std::map<std::string, ShapeRule, std::less<>>;

[[nodiscard]] ShapeRules elementwise_rules();  // shape_rules_elementwise.cpp
[[nodiscard]] ShapeRules layer_rules();        // convolutions, pools, products, recurrent layers
[[nodiscard]] ShapeRules layout_rules();       // reshape, transpose, repeat, resize
[[nodiscard]] ShapeRules cut_rules();          // joins, slices, look-ups, padding
[[nodiscard]] ShapeRules reduce_rules();       // reductions, shapes as values

// All that is known of the outputs is that they have the type of input 0.
Status unknown(ShapeContext& context, std::size_t outputs = 1);
// Both sides of an element-wise operator; nullopt when known sizes differ and neither is 1.
[[nodiscard]] std::optional<Dims> broadcast(const Dims& left, const Dims& right);

}  // namespace alara::graph
