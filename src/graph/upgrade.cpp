// SPDX-License-Identifier: Apache-2.0
#include "graph/upgrade.hpp"

#include <functional>
#include <limits>

namespace alara::graph {
namespace {

// What one rewrite may use: the graph it adds constants to, free names, and the opset the node was written for.
struct Context {
  Graph& graph;
  Names& names;
  std::int64_t opset;

  std::string add(std::string_view wanted, Tensor tensor) {
    std::string name = names.fresh(wanted);
    graph.constants.emplace(name, share(std::move(tensor)));
    return name;
  }
};

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
  if (node.has("min")) set_input(node, 1, context.add(at + ".min", Tensor::scalar(node.number("min", 0))));
  if (node.has("max")) set_input(node, 2, context.add(at + ".max", Tensor::scalar(node.number("max", 0))));
  node.attributes.clear();
  return one(std::move(node));
}

Result<std::vector<Node>> pad(Node node, Context& context) {
  if (context.opset >= 11) return one(std::move(node));
  const std::string at = node.outputs.front();
  move_to_input(node, "pads", 1, context);
  if (node.text("mode", "constant") == "constant")
    set_input(node, 2, context.add(at + ".value", Tensor::scalar(node.number("value", 0))));
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

// Upsample (7 to 9) is Resize with the pixel rules of Resize 10.
Result<std::vector<Node>> upsample(Node node, Context& context) {
  const std::string at = node.outputs.front();
  std::string scales = node.input(1);
  if (context.opset < 9) {
    const auto found = node.attributes.find("scales");
    const auto* numbers = found == node.attributes.end() ? nullptr : std::get_if<std::vector<float>>(&found->second);
    if (numbers == nullptr) return fail(ErrorKind::corrupt, "{} has no scales", node.label());
    scales = context.add(at + ".scales", Tensor::of(Shape{static_cast<std::int64_t>(numbers->size())}, *numbers));
  }
  Node out{"Resize", {}, node.name, {node.input(0), "", scales}, node.outputs, {}};
  out.attributes["mode"] = node.text("mode", "nearest");
  out.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  out.attributes["nearest_mode"] = std::string("floor");
  return one(std::move(out));
}

Result<std::vector<Node>> resize(Node node, Context& context) {
  if (context.opset >= 11) return one(std::move(node));
  node.inputs = {node.input(0), "", node.input(1)};
  node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  node.attributes["nearest_mode"] = std::string("floor");
  return one(std::move(node));
}

// Up to opset 12 softmax went over all dimensions from `axis` on, seen as one: flatten, softmax over the last, and
// back.
Result<std::vector<Node>> softmax(Node node, Context& context) {
  if (context.opset >= 13) return one(std::move(node));
  const std::int64_t axis = node.integer("axis", 1);
  const std::string at = node.outputs.front();
  const std::string flat = context.names.fresh(at + ".flat");
  const std::string result = context.names.fresh(at + ".rows");
  const std::string shape = context.names.fresh(at + ".shape");
  std::vector<Node> out;
  out.push_back({"Shape", {}, shape, {node.input(0)}, {shape}, {}});
  out.push_back({"Flatten", {}, flat, {node.input(0)}, {flat}, {{"axis", axis}}});
  out.push_back({node.op, {}, node.name, {flat}, {result}, {{"axis", std::int64_t{-1}}}});
  out.push_back({"Reshape", {}, at, {result, shape}, {at}, {}});
  return out;
}

// From 7 on element-wise operators broadcast as they do today; recurrent ones gained `layout` only.
const std::map<std::string, Rewrite, std::less<>>& rewrites() {
  static const std::map<std::string, Rewrite, std::less<>> kTable = {
      {"Squeeze", axes_to_input},
      {"Unsqueeze", axes_to_input},
      {"ReduceSum", axes_to_input},
      {"Split", split_to_input},
      {"Clip", clip},
      {"Pad", pad},
      {"Slice", slice},
      {"TopK", top_k},
      {"Dropout", dropout},
      {"BatchNormalization", batch_norm},
      {"Constant", constant_node},
      {"Upsample", upsample},
      {"Resize", resize},
      {"Softmax", softmax},
      {"LogSoftmax", softmax},
      {"Hardmax", softmax},
  };
  return kTable;
}

Result<Graph> upgraded(Graph graph, std::int64_t opset) {
  Names names(graph);
  Context context{graph, names, opset};
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes)
      if (const auto* inner = std::get_if<std::shared_ptr<const Graph>>(&attribute)) {
        ALARA_TRY(Graph better, upgraded(**inner, opset));
        attribute = std::make_shared<const Graph>(std::move(better));
      }
    const auto found = node.domain.empty() ? rewrites().find(node.op) : rewrites().end();
    if (found == rewrites().end() || node.outputs.empty()) {
      nodes.push_back(std::move(node));
      continue;
    }
    ALARA_TRY(std::vector<Node> better, found->second(std::move(node), context));
    for (Node& each : better) nodes.push_back(std::move(each));
  }
  graph.nodes = std::move(nodes);
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
