// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/constants.hpp"
#include "graph/edit.hpp"
#include "graph/fuse.hpp"

namespace alara::graph {
namespace {

// What one node is judged by.
struct Place {
  const Graph& graph;
  const Wiring& wiring;
  const ValueTable& values;
  const Node& node;

  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::size_t i) const {
    return integers_of(graph, node.input(i));
  }
  [[nodiscard]] const ValueInfo* info(const std::string& value) const {
    const auto found = values.find(value);
    return found == values.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool all_zero(std::size_t i) const {
    const auto numbers = integers(i);
    return numbers && std::all_of(numbers->begin(), numbers->end(), [](std::int64_t n) { return n == 0; });
  }
};

// Equal in every size; one size may be unknown in both, as the number of elements does not change (`reshaping`) or
// when it has the same symbol.
bool same_dims(const Dims& a, const Dims& b, bool reshaping) {
  if (a.size() != b.size()) return false;
  int unknown = 0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    if (a[d].known() != b[d].known() || (a[d].known() && a[d].size != b[d].size)) return false;
    if (a[d].known()) continue;
    if (reshaping ? ++unknown > 1 : a[d].symbol.empty() || a[d].symbol != b[d].symbol) return false;
  }
  return true;
}

bool keeps_shape(const Place& place, bool reshaping) {
  const ValueInfo* in = place.info(place.node.input(0));
  const ValueInfo* out = place.info(place.node.outputs.front());
  return in != nullptr && out != nullptr && in->dims && out->dims && same_dims(*in->dims, *out->dims, reshaping);
}

bool drops_nothing(const Place& place) {
  for (std::size_t i = 1; i < place.node.outputs.size(); ++i)  // the mask, if somebody wants it
    if (!place.wiring.uses(place.node.outputs[i]).empty() || place.wiring.is_output(place.node.outputs[i]))
      return false;
  return place.node.input(2).empty() || place.all_zero(2);  // training_mode
}

bool casts_to_same(const Place& place) {
  const ValueInfo* in = place.info(place.node.input(0));
  return in != nullptr && in->type != DataType::undefined &&
         static_cast<std::int64_t>(in->type) == place.node.integer("to", 0);
}

bool in_order(const Place& place) {
  const std::vector<std::int64_t> order = place.node.integers("perm");
  std::vector<std::int64_t> straight(order.size());
  std::iota(straight.begin(), straight.end(), 0);
  return !order.empty() && order == straight;
}

bool takes_all(const Place& place) {  // Slice
  const auto starts = place.integers(1);
  const auto ends = place.integers(2);
  if (!starts || !ends) return false;
  if (!place.node.input(4).empty()) {
    const auto steps = place.integers(4);
    if (!steps || std::any_of(steps->begin(), steps->end(), [](std::int64_t n) { return n != 1; })) return false;
  }
  const auto whole = [](std::int64_t end) { return end >= std::numeric_limits<std::int32_t>::max(); };
  return place.all_zero(1) && (std::all_of(ends->begin(), ends->end(), whole) || keeps_shape(place, false));
}

bool scales_by_one(const Place& place) {  // Resize
  const auto scales = floats_of(place.graph, place.node.input(2));
  return scales && !scales->empty() && std::all_of(scales->begin(), scales->end(), [](float n) { return n == 1.0F; });
}

bool no_limits(const Place& place) { return place.node.input(1).empty() && place.node.input(2).empty(); }

// The constant side of Add, Sub, Mul, Div is 0 or 1 everywhere and does not widen the shape.
bool neutral(const Place& place) {
  const double neutral_number = place.node.op == "Add" || place.node.op == "Sub" ? 0.0 : 1.0;
  const auto numbers = floats_of(place.graph, place.node.input(1));
  return numbers && keeps_shape(place, false) && std::all_of(numbers->begin(), numbers->end(), [&](float n) {
           return static_cast<double>(n) == neutral_number;
         });
}

bool does_nothing(const Place& place) {
  const std::string& op = place.node.op;
  if (op == "Identity") return true;
  if (op == "Dropout") return drops_nothing(place);
  if (op == "Cast") return casts_to_same(place);
  if (op == "Transpose") return in_order(place);
  if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze") return keeps_shape(place, true);
  if (op == "Expand") return keeps_shape(place, false);
  if (op == "Pad") return place.all_zero(1);
  if (op == "Slice") return takes_all(place);
  if (op == "Concat" || op == "Sum" || op == "Max" || op == "Min") return place.node.inputs.size() == 1;
  if (op == "Resize") return scales_by_one(place);
  if (op == "Clip") return no_limits(place);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") return neutral(place);
  return false;
}

bool reshapes(const Node& node) {
  return node.is("Reshape") || node.is("Flatten") || node.is("Squeeze") || node.is("Unsqueeze");
}

// A Reshape by numbers that do not refer to its input's shape, for what the node makes; nullopt when not known so far.
std::optional<std::vector<std::int64_t>> target_of(const Place& place) {
  if (place.node.is("Reshape")) {
    auto wanted = place.integers(1);
    const bool absolute = wanted && place.node.integer("allowzero", 0) == 0 &&
                          std::none_of(wanted->begin(), wanted->end(), [](std::int64_t n) { return n == 0; });
    if (absolute) return wanted;
  }
  const ValueInfo* out = place.info(place.node.outputs.front());
  if (out == nullptr || !out->dims) return std::nullopt;
  std::vector<std::int64_t> sizes;
  for (const Dim& dim : *out->dims) sizes.push_back(dim.size);
  const auto unknown = std::count(sizes.begin(), sizes.end(), -1);
  const auto empty = std::count(sizes.begin(), sizes.end(), 0);
  return unknown <= 1 && empty == 0 ? std::optional(std::move(sizes)) : std::nullopt;
}

}  // namespace

std::size_t remove_no_ops(Graph& graph, const ValueTable& values) {
  Edit edit(graph);
  for (std::size_t i = 0; i < edit.size(); ++i) {
    const Node& node = edit.node(i);
    if (node.domain.empty() && !node.inputs.empty() && does_nothing({graph, edit.wiring(), values, node}))
      edit.bypass(i);
  }
  return edit.finish();
}

std::size_t merge_reshapes(Graph& graph, const ValueTable& values) {
  Edit edit(graph);
  for (std::size_t i = 0; i < edit.size(); ++i) {
    const Node& node = edit.node(i);
    if (!reshapes(node)) continue;
    const Node* before = edit.maker(node.input(0));
    if (before == nullptr || !reshapes(*before)) continue;
    const auto target = target_of({graph, edit.wiring(), values, node});
    if (!target || !edit.claim({i, edit.index_of(*before)})) continue;
    const std::string shape = edit.constant(node.outputs.front() + "_shape",
                                            Tensor::of(Shape{static_cast<std::int64_t>(target->size())}, *target));
    edit.change(i, {"Reshape", {}, node.name, {before->input(0), shape}, node.outputs});
  }
  return edit.finish();
}

}  // namespace alara::graph
