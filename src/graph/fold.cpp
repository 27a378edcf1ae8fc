// SPDX-License-Identifier: Apache-2.0
#include "graph/fold.hpp"

#include <algorithm>

#include "graph/reference.hpp"

namespace alara::graph {
namespace {

std::size_t size_of(const Tensor& tensor) { return tensor.bytes.size(); }

class Folder {
 public:
  Folder(Graph& graph, const ValueTable& values, const FoldOptions& options)
      : graph_(graph),
        values_(values),
        options_(options),
        left_(kMaxFoldedTotalBytes),
        left_to_read_(options.max_read_bytes) {
    for (const auto& [name, constant] : graph.constants) {
      left_ += kFoldedPerConstantByte * size_of(*constant);
      left_to_read_ += kReadPerConstantByte * size_of(*constant);
    }
    for (const ValueInfo& output : graph.outputs) outputs_.emplace(output.name, true);
  }

  std::size_t run() {
    std::vector<Node> kept;
    for (Node& node : graph_.nodes)
      if (!fold(node)) kept.push_back(std::move(node));
    const std::size_t gone = graph_.nodes.size() - kept.size();
    graph_.nodes = std::move(kept);
    remove_unused(graph_);
    return gone;
  }

 private:
  // True when the node's outputs are constants now.
  bool fold(const Node& node) {
    if (!foldable(node)) return false;
    auto results = known_shape(node);
    if (!results) results = computed(node);
    if (!results || results->size() != node.outputs.size()) return false;
    for (std::size_t i = 0; i < results->size(); ++i)
      if (!node.outputs[i].empty()) graph_.constants.insert_or_assign(node.outputs[i], share(std::move((*results)[i])));
    return true;
  }

  [[nodiscard]] bool foldable(const Node& node) const {
    if (!has_reference(node)) return false;
    if (node.op == "DequantizeLinear" && options_.dequantize == FoldOptions::Dequantize::keep) return false;
    return std::none_of(node.outputs.begin(), node.outputs.end(),
                        [&](const std::string& output) { return outputs_.contains(output); });
  }

  // What the node makes, if that can be computed within what is left to read and to make.
  [[nodiscard]] std::optional<std::vector<Tensor>> evaluate(const Node& node, std::span<const Tensor* const> inputs) {
    std::size_t read = 0;
    for (const Tensor* input : inputs) read += input == nullptr ? 0 : size_of(*input);
    if (read > left_to_read_) return std::nullopt;
    left_to_read_ -= read;
    auto results = compute(node, inputs, std::min(options_.max_bytes, left_));
    if (!results) return std::nullopt;
    for (const Tensor& result : *results) left_ -= std::min(left_, size_of(result));
    return *std::move(results);
  }

  [[nodiscard]] std::optional<std::vector<Tensor>> computed(const Node& node) {
    std::vector<const Tensor*> inputs;
    for (const std::string& name : node.inputs) {
      inputs.push_back(name.empty() ? nullptr : graph_.constant(name));
      if (!name.empty() && inputs.back() == nullptr) return std::nullopt;
    }
    return evaluate(node, inputs);
  }

  // Shape(x), Size(x) where x's shape is known, and Gather or Slice of a Shape(x) of which just those sizes are.
  [[nodiscard]] std::optional<std::vector<Tensor>> known_shape(const Node& node) {
    if (node.is("Shape") || node.is("Size")) return shape_or_size(node);
    if (!node.is("Gather") && !node.is("Slice")) return std::nullopt;
    const auto asked = partial_.find(node.input(0));
    if (asked == partial_.end()) return std::nullopt;
    std::vector<const Tensor*> inputs{&asked->second};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      inputs.push_back(graph_.constant(node.inputs[i]));
      if (!node.inputs[i].empty() && inputs.back() == nullptr) return std::nullopt;
    }
    auto results = evaluate(node, inputs);
    if (!results || !all_known(results->front())) return std::nullopt;
    return *std::move(results);
  }

  static bool all_known(const Tensor& sizes) {
    const auto numbers = sizes.values<std::int64_t>();
    return std::all_of(numbers.begin(), numbers.end(), [](std::int64_t size) { return size >= 0; });
  }

  [[nodiscard]] std::optional<std::vector<Tensor>> shape_or_size(const Node& node) {
    const auto found = values_.find(node.input(0));
    if (found == values_.end() || !found->second.dims) return std::nullopt;
    Shape sizes;  // -1 where unknown
    for (const Dim& dim : *found->second.dims) sizes.push_back(dim.size);
    if (node.is("Size")) {
      const auto shape = shape_of(*found->second.dims);
      if (!shape) return std::nullopt;
      const auto elements = elements_of(*shape);
      if (!elements) return std::nullopt;
      return std::vector<Tensor>{Tensor::scalar<std::int64_t>(*elements)};
    }
    Node slice{"Slice", {}, {}, {"sizes", "start", "end"}, {"part"}};
    const Tensor all = Tensor::of(Shape{static_cast<std::int64_t>(sizes.size())}, sizes);
    const Tensor start = Tensor::of(Shape{1}, std::vector<std::int64_t>{node.integer("start", 0)});
    const Tensor end = Tensor::of(Shape{1}, std::vector<std::int64_t>{node.integer("end", all.elements())});
    const std::vector<const Tensor*> inputs{&all, &start, &end};
    auto part = compute(slice, inputs, options_.max_bytes);
    if (!part) return std::nullopt;
    if (all_known(part->front())) return *std::move(part);
    partial_.insert_or_assign(node.outputs.front(), std::move(part->front()));
    return std::nullopt;
  }

  Graph& graph_;
  const ValueTable& values_;
  const FoldOptions& options_;
  std::size_t left_;                                    // bytes that may still be made
  std::size_t left_to_read_;                            // bytes that computing may still read
  std::map<std::string, bool, std::less<>> outputs_;    // of the graph
  std::map<std::string, Tensor, std::less<>> partial_;  // shapes with -1 for what is not known
};

}  // namespace

std::size_t fold_constants(Graph& graph, const ValueTable& values, const FoldOptions& options) {
  return Folder(graph, values, options).run();
}

}  // namespace alara::graph
