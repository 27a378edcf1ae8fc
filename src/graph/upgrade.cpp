// SPDX-License-Identifier: Apache-2.0
#include "graph/upgrade.hpp"

#include <algorithm>
#include <functional>

#include "graph/shapes.hpp"

namespace alara::graph {
namespace {

// What one rewrite may use: the graph it adds constants to, free names, the opset the node was written for, and what
// is known of values (in the second round only).
struct Context {
  Graph& graph;
  Names& names;
  std::int64_t opset;
  const ValueTable& values;

  std::string add(std::string_view wanted, Tensor tensor) {
    std::string name = names.fresh(wanted);
    graph.constants.emplace(name, share(std::move(tensor)));
    return name;
  }
  // A number of the type that `value` has; float32 where that is not known.
  std::string add_scalar(std::string_view wanted, float number, const std::string& value);
  [[nodiscard]] const Dims* dims(const std::string& value) const {
    const auto found = values.find(value);
    return found == values.end() || !found->second.dims ? nullptr : &*found->second.dims;
  }
};

std::string Context::add_scalar(std::string_view wanted, float number, const std::string& value) {
  const auto found = values.find(value);
  const DataType type = found == values.end() ? DataType::undefined : found->second.type;
  if (type == DataType::float64) return add(wanted, Tensor::scalar(static_cast<double>(number)));
  if (type != DataType::float16) return add(wanted, Tensor::scalar(number));
  Tensor half = Tensor::zeros(DataType::float16, {});
  const std::uint16_t bits = to_half(number);
  std::memcpy(half.bytes.data(), &bits, sizeof(bits));
  return add(wanted, std::move(half));
}

// One or more nodes that stand in for `node`.
using Rewrite = Result<std::vector<Node>> (*)(Node node, Context& context);

std::vector<Node> one(Node node) {
  std::vector<Node> out;
  out.push_back(std::move(node));
  return out;
}

Tensor list(const std::vector<std::int64_t>& numbers) {
  return Tensor::of(Shape{static_cast<std::int64_t>(numbers.size())}, numbers);
}

void set_input(Node& node, std::size_t i, std::string value) {
  if (node.inputs.size() <= i) node.inputs.resize(i + 1);
  node.inputs[i] = std::move(value);
}

// Attribute `name`, a list of integers, becomes input i.
void move_to_input(Node& node, const std::string& name, std::size_t i, Context& context) {
  if (!node.has(name)) return;
  set_input(node, i, context.add(node.outputs.front() + "." + name, list(node.integers(name))));
  node.attributes.erase(name);
}

Result<std::vector<Node>> axes_to_input(Node node, Context& context) {
  if (context.opset < 13) move_to_input(node, "axes", 1, context);
  return one(std::move(node));
}

Result<std::vector<Node>> split_to_input(Node node, Context& context) {
  if (context.opset < 13) move_to_input(node, "split", 1, context);
  return one(std::move(node));
}

Result<std::vector<Node>> clip(Node node, Context& context) {
  if (context.opset >= 11) return one(std::move(node));
  const std::string at = node.outputs.front();
  const std::string x = node.input(0);
  if (node.has("min")) set_input(node, 1, context.add_scalar(at + ".min", node.number("min", 0), x));
  if (node.has("max")) set_input(node, 2, context.add_scalar(at + ".max", node.number("max", 0), x));
  node.attributes.clear();
  return one(std::move(node));
}

Result<std::vector<Node>> pad(Node node, Context& context) {
  if (context.opset >= 11) return one(std::move(node));
  const std::string at = node.outputs.front();
  move_to_input(node, "pads", 1, context);
  if (node.text("mode", "constant") == "constant")
    set_input(node, 2, context.add_scalar(at + ".value", node.number("value", 0), node.input(0)));
  node.attributes.erase("value");
  return one(std::move(node));
}

Result<std::vector<Node>> slice(Node node, Context& context) {
  if (context.opset >= 10) return one(std::move(node));
  move_to_input(node, "starts", 1, context);
  move_to_input(node, "ends", 2, context);
  move_to_input(node, "axes", 3, context);
  return one(std::move(node));
}

Result<std::vector<Node>> top_k(Node node, Context& context) {
  if (context.opset >= 10) return one(std::move(node));
  set_input(node, 1, context.add(node.outputs.front() + ".k", list({node.integer("k", 1)})));
  node.attributes.erase("k");
  return one(std::move(node));
}

Result<std::vector<Node>> dropout(Node node, Context& context) {
  if (context.opset >= 12) return one(std::move(node));
  if (node.has("ratio"))
    set_input(node, 1, context.add(node.outputs.front() + ".ratio", Tensor::scalar(node.number("ratio", 0.5F))));
  node.attributes.erase("ratio");
  node.attributes.erase("is_test");
  return one(std::move(node));
}

// Up to opset 8 batch norm had `spatial`; up to 13 its training outputs; what is left is inference.
Result<std::vector<Node>> batch_norm(Node node, Context& context) {
  if (context.opset < 9 && node.integer("spatial", 1) == 0)
    return fail(ErrorKind::bad_input, "{} normalises each pixel by itself (spatial = 0), which is not supported",
                node.label());
  if (context.opset < 14) {
    node.attributes.erase("spatial");
    node.outputs.resize(1);
  }
  return one(std::move(node));
}

Result<std::vector<Node>> constant_node(Node node, Context& context) {
  Tensor value;
  if (const Tensor* tensor = node.tensor("value")) {
    value = *tensor;
  } else if (node.has("value_float")) {
    value = Tensor::scalar(node.number("value_float", 0));
  } else if (node.has("value_int")) {
    value = Tensor::scalar(node.integer("value_int", 0));
  } else if (node.has("value_ints")) {
    value = list(node.integers("value_ints"));
  } else if (const auto found = node.attributes.find("value_floats"); found != node.attributes.end()) {
    const auto* numbers = std::get_if<std::vector<float>>(&found->second);
    if (numbers == nullptr) return one(std::move(node));
    value = Tensor::of(Shape{static_cast<std::int64_t>(numbers->size())}, *numbers);
  } else {
    return one(std::move(node));  // text, or sparse: stays what it is
  }
  context.graph.constants.emplace(node.outputs.front(), share(std::move(value)));
  return std::vector<Node>{};
}

// A Resize by the pixel rules of Resize 10.
Node resize_from_corner(const Node& old, const std::string& x, const std::string& scales, const std::string& rounding) {
  Node out{"Resize", {}, old.name, {x, "", scales}, old.outputs, {}};
  out.attributes["mode"] = old.text("mode", "nearest");
  out.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  out.attributes["nearest_mode"] = rounding;
  return out;
}

// Upsample (7 to 9) never makes smaller.
Result<std::vector<Node>> upsample(Node node, Context& context) {
  std::string scales = node.input(1);
  if (context.opset < 9) {
    const auto found = node.attributes.find("scales");
    const auto* numbers = found == node.attributes.end() ? nullptr : std::get_if<std::vector<float>>(&found->second);
    if (numbers == nullptr) return fail(ErrorKind::corrupt, "{} has no scales", node.label());
    scales = context.add(node.outputs.front() + ".scales",
                         Tensor::of(Shape{static_cast<std::int64_t>(numbers->size())}, *numbers));
  }
  return one(resize_from_corner(node, node.input(0), scales, "floor"));
}

// Resize 10 to the nearest pixel takes the one before where it makes larger, and the one behind where it makes smaller
// (as ONNX Runtime has it; the operator's text leaves it open). Dimensions go their ways one after the other, so that a
// node that does both, or may do either, becomes two: what makes smaller first.
Result<std::vector<Node>> resize(Node node, Context& context) {
  if (context.opset >= 11) return one(std::move(node));
  const std::string x = node.input(0);
  const std::string scales = node.input(1);
  const Tensor* numbers = context.graph.constant(scales);
  const bool known = numbers != nullptr && numbers->type == DataType::float32;
  const auto all = [&](auto&& fits) { return known && std::ranges::all_of(numbers->values<float>(), fits); };
  if (node.text("mode", "nearest") != "nearest" || all([](float scale) { return scale >= 1; }))
    return one(resize_from_corner(node, x, scales, "floor"));
  if (all([](float scale) { return scale <= 1; })) return one(resize_from_corner(node, x, scales, "ceil"));

  const std::string at = node.outputs.front();
  const std::string less = context.names.fresh(at + ".less");
  const std::string more = context.names.fresh(at + ".more");
  const std::string smaller = context.names.fresh(at + ".smaller");
  const std::string same = context.add(at + ".same", Tensor::scalar(1.0F));
  std::vector<Node> out;
  out.push_back({"Min", {}, less, {scales, same}, {less}, {}});
  out.push_back({"Max", {}, more, {scales, same}, {more}, {}});
  out.push_back(resize_from_corner(node, x, less, "ceil"));
  out.back().name = smaller;
  out.back().outputs = {smaller};
  out.push_back(resize_from_corner(node, smaller, more, "floor"));
  return out;
}

// The only dimension from `axis` on that can be other than 1; nullopt: there are more, or it is not known.
std::optional<std::int64_t> only_dimension(const Dims* dims, std::int64_t axis) {
  if (axis == -1) return -1;
  if (dims == nullptr) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(dims->size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return std::nullopt;
  std::optional<std::int64_t> found;
  for (std::int64_t d = axis; d < rank; ++d) {
    if ((*dims)[static_cast<std::size_t>(d)].size == 1) continue;
    if (found) return std::nullopt;
    found = d;
  }
  const std::int64_t last = rank - 1;
  return found.value_or(last) == last ? -1 : found;
}

// Up to opset 12 softmax went over all dimensions from `axis` on, seen as one. Where that is one dimension, it is
// named; else: flatten, softmax over the last, and back.
Result<std::vector<Node>> softmax(Node node, Context& context) {
  if (context.opset >= 13) return one(std::move(node));
  const std::int64_t axis = node.integer("axis", 1);
  if (const auto only = only_dimension(context.dims(node.input(0)), axis)) {
    node.attributes["axis"] = *only;
    return one(std::move(node));
  }
  const std::string at = node.outputs.front();
  const std::string flat = context.names.fresh(at + ".flat");
  const std::string result = context.names.fresh(at + ".rows");
  const std::string shape = context.names.fresh(at + ".shape");
  std::vector<Node> out;
  out.push_back({"Shape", {}, shape, {node.input(0)}, {shape}, {}});
  out.push_back({"Flatten", {}, flat, {node.input(0)}, {flat}, {{"axis", axis}}});
  out.push_back({node.op, {}, node.name, {flat}, {result}, {{"axis", std::int64_t{-1}}}});
  out.push_back({"Reshape", {}, context.names.fresh(at + ".back"), {result, shape}, {at}, {}});
  return out;
}

using Rewrites = std::map<std::string, Rewrite, std::less<>>;

// From 7 on element-wise operators broadcast as they do today; recurrent ones gained `layout` only.
const Rewrites& rewrites() {
  static const Rewrites kTable = {
      {"Squeeze", axes_to_input},
      {"Unsqueeze", axes_to_input},
      {"ReduceSum", axes_to_input},
      {"Split", split_to_input},
      {"Slice", slice},
      {"TopK", top_k},
      {"Dropout", dropout},
      {"BatchNormalization", batch_norm},
      {"Constant", constant_node},
      {"Upsample", upsample},
      {"Resize", resize},
  };
  return kTable;
}

// Those that want to know types and dimensions, which shape inference tells of nodes in today's form: a second round.
const Rewrites& rewrites_by_shape() {
  static const Rewrites kTable = {
      {"Clip", clip}, {"Pad", pad}, {"Softmax", softmax}, {"LogSoftmax", softmax}, {"Hardmax", softmax},
  };
  return kTable;
}

Status rewrite(Graph& graph, const Rewrites& table, std::int64_t opset, const ValueTable& values) {
  Names names(graph);
  Context context{graph, names, opset, values};
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) {
    const auto found = node.domain.empty() ? table.find(node.op) : table.end();
    if (found == table.end() || node.outputs.empty()) {
      nodes.push_back(std::move(node));
      continue;
    }
    ALARA_TRY(std::vector<Node> better, found->second(std::move(node), context));
    for (Node& each : better) nodes.push_back(std::move(each));
  }
  graph.nodes = std::move(nodes);
  return {};
}

// Nothing where the graph's shapes contradict each other: later passes say so.
ValueTable values_of(Graph& graph) {
  Model model;
  model.graph = std::move(graph);
  auto values = infer_shapes(model);
  graph = std::move(model.graph);
  return values ? *std::move(values) : ValueTable{};
}

Result<Graph> upgraded(Graph graph, std::int64_t opset) {
  for (Node& node : graph.nodes)
    for (auto& [name, attribute] : node.attributes)
      if (const auto* inner = std::get_if<std::shared_ptr<const Graph>>(&attribute)) {
        ALARA_TRY(Graph better, upgraded(**inner, opset));
        attribute = std::make_shared<const Graph>(std::move(better));
      }
  ALARA_CHECK(rewrite(graph, rewrites(), opset, {}));
  const auto old = [&](const Node& node) { return node.domain.empty() && rewrites_by_shape().contains(node.op); };
  if (opset >= 13 || std::ranges::none_of(graph.nodes, old)) return graph;
  const ValueTable values = values_of(graph);
  ALARA_CHECK(rewrite(graph, rewrites_by_shape(), opset, values));
  return graph;
}

}  // namespace

Status upgrade(Model& model) {
  ALARA_TRY(model.graph, upgraded(model.graph, model.opset()));
  if (model.opset() < kWorkingOpset) model.opsets[""] = kWorkingOpset;
  model.ir_version = std::max<std::int64_t>(model.ir_version, 8);
  return check(model);
}

std::optional<std::vector<std::int64_t>> axes_of(const Graph& graph, const Node& node) {
  if (node.has("axes")) return node.integers("axes");
  const Tensor* axes = graph.constant(node.input(1));
  if (axes == nullptr) return std::nullopt;
  auto numbers = axes->to_integers();
  return numbers ? std::optional(*std::move(numbers)) : std::nullopt;
}

}  // namespace alara::graph
