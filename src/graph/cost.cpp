// SPDX-License-Identifier: Apache-2.0
#include "graph/cost.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace alara::graph {
namespace {

using Count = std::optional<std::int64_t>;

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? std::numeric_limits<std::int64_t>::max() : out;
}

std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? std::numeric_limits<std::int64_t>::max() : out;
}

const ValueInfo* info_of(const ValueTable& values, const std::string& name) {
  const auto found = name.empty() ? values.end() : values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

std::optional<Shape> shape_of_value(const ValueTable& values, const std::string& name) {
  const ValueInfo* info = info_of(values, name);
  return info == nullptr || !info->dims ? std::nullopt : shape_of(*info->dims);
}

Count elements(const std::optional<Shape>& shape) {
  if (!shape) return std::nullopt;
  std::int64_t product = 1;
  for (const std::int64_t size : *shape) product = times(product, size);
  return product;
}

Count bytes_of_value(const ValueTable& values, const std::string& name) {
  const ValueInfo* info = info_of(values, name);
  const Count count = elements(shape_of_value(values, name));
  if (info == nullptr || info->type == DataType::undefined || !count) return std::nullopt;
  return times(*count, static_cast<std::int64_t>(bytes_of(info->type)));
}

// Which inputs hold the factors: data and weights of each layer.
struct Factors {
  std::size_t data;
  std::size_t weight;
};

Count convolution_macs(const Node& node, const ValueTable& values, Factors at) {
  const auto weight = shape_of_value(values, node.input(at.weight));
  const bool turned = node.op == "ConvTranspose";  // every input meets all weights of its channel
  const Count count = elements(shape_of_value(values, turned ? node.input(at.data) : node.outputs.front()));
  if (!weight || weight->empty() || weight->front() == 0 || !count) return std::nullopt;
  return times(*count, *elements(weight) / weight->front());
}

Count product_macs(const Node& node, const ValueTable& values, Factors at) {
  const auto left = shape_of_value(values, node.input(at.data));
  const Count count = elements(shape_of_value(values, node.outputs.front()));
  if (!left || left->empty() || !count) return std::nullopt;
  const bool turned = node.op == "Gemm" && node.integer("transA", 0) != 0;
  return times(*count, turned ? left->front() : left->back());
}

Count recurrent_macs(const Node& node, const ValueTable& values) {  // X is [time, batch, inputs]
  const auto x = shape_of_value(values, node.input(0));
  const Count from_input = elements(shape_of_value(values, node.input(1)));
  const Count from_state = elements(shape_of_value(values, node.input(2)));
  if (!x || x->size() != 3 || !from_input || !from_state) return std::nullopt;
  return times(times((*x)[0], (*x)[1]), plus(*from_input, *from_state));
}

Count macs_of(const Node& node, const ValueTable& values) {
  if (!node.domain.empty() || node.outputs.empty()) return 0;
  const std::string& op = node.op;
  if (op == "Conv" || op == "ConvTranspose" || op == "ConvInteger") return convolution_macs(node, values, {0, 1});
  if (op == "QLinearConv") return convolution_macs(node, values, {0, 3});
  if (op == "Gemm" || op == "MatMul" || op == "MatMulInteger") return product_macs(node, values, {0, 1});
  if (op == "QLinearMatMul") return product_macs(node, values, {0, 3});
  if (op == "RNN" || op == "GRU" || op == "LSTM") return recurrent_macs(node, values);
  return 0;
}

// Whether a constant at that input is a weight rather than a setting.
bool is_weight(const Node& node, std::size_t input, const Tensor& tensor) {
  if (tensor.type == DataType::int64 || tensor.type == DataType::boolean || tensor.type == DataType::text) return false;
  if (!node.domain.empty()) return true;
  static const std::set<std::string, std::less<>> kSettings{
      "QuantizeLinear", "DequantizeLinear", "Clip", "Resize", "Pad", "Dropout"};
  if (kSettings.contains(node.op)) return input == 0;
  if (node.op == "BatchNormalization") return input == 1 || input == 2;
  if (node.op == "QLinearConv") return input == 3 || input == 8;
  return true;
}

void count_constants(const Graph& graph, const Node& node, std::set<std::string>& counted, NodeCost& cost) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor* tensor = node.inputs[i].empty() ? nullptr : graph.constant(node.inputs[i]);
    if (tensor == nullptr || !counted.insert(node.inputs[i]).second) continue;
    cost.weight_bytes += static_cast<std::int64_t>(tensor->bytes.size());
    if (is_weight(node, i, *tensor)) cost.parameters += tensor->elements();
  }
}

// Buffers of activations from their making to their last use.
class Memory {
 public:
  Memory(const Graph& graph, const ValueTable& values) : graph_(graph), values_(values), wiring_(graph) {
    for (const auto& [name, constant] : graph.constants) weights_.insert(name);
    for (const ValueInfo& input : graph.inputs) add(input.name, 0);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) make_outputs(i);
    for (const ValueInfo& output : graph.outputs) use(output.name, graph.nodes.size());
  }

  // Bytes that are alive while each node runs.
  [[nodiscard]] std::vector<std::int64_t> live() const {
    std::vector<std::int64_t> change(graph_.nodes.size() + 2, 0);
    for (const Buffer& buffer : buffers_) {
      change[buffer.made] += buffer.bytes;
      change[buffer.last_use + 1] -= buffer.bytes;
    }
    std::vector<std::int64_t> out(graph_.nodes.size(), 0);
    std::int64_t now = 0;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = now += change[i];
    return out;
  }

 private:
  struct Buffer {
    std::size_t made = 0;
    std::size_t last_use = 0;
    std::int64_t bytes = 0;
  };
  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;  // of one buffer: sums stay far from overflowing

  static bool is_view(const Node& node) {
    static const std::set<std::string, std::less<>> kViews{"Reshape",  "Flatten", "Squeeze",         "Unsqueeze",
                                                           "Identity", "Dropout", "DequantizeLinear"};
    return node.domain.empty() && kViews.contains(node.op);
  }

  // Runtimes fuse these with what makes their input, or let them write over it.
  static bool is_activation(const Node& node) {
    static const std::set<std::string, std::less<>> kActivations{
        "Clip", "Elu",     "HardSigmoid", "HardSwish", "LeakyRelu",         "PRelu",
        "Relu", "Sigmoid", "Softplus",    "Tanh",      "BatchNormalization"};
    return node.domain.empty() && kActivations.contains(node.op);
  }

  // Whether the node may write over its first input: it alone reads what a node made for it.
  [[nodiscard]] bool in_place(const Node& node) const {
    const auto maker = wiring_.producer(node.input(0));
    return is_activation(node) && wiring_.used_once(node.input(0)) && maker && !is_view(graph_.nodes[*maker]);
  }

  // The QuantizeLinear that a value some node makes ends in, by way of activations alone, if there is one.
  [[nodiscard]] const Node* quantised_by(const std::string& value) const {
    const std::string* at = &value;
    while (wiring_.used_once(*at) && wiring_.producer(*at)) {
      const Node& user = graph_.nodes[wiring_.uses(*at).front().node];
      if (user.input(0) != *at) return nullptr;
      if (user.is("QuantizeLinear")) return &user;
      if (!in_place(user)) return nullptr;
      at = &user.outputs.front();
    }
    return nullptr;
  }

  void add(const std::string& value, std::size_t at) {
    const Node* quantise = quantised_by(value);
    const Count bytes = bytes_of_value(values_, quantise != nullptr ? quantise->outputs.front() : value);
    buffer_of_[value] = buffers_.size();
    buffers_.push_back({at, at, std::min(bytes.value_or(0), kMostBytes)});
  }

  void use(const std::string& value, std::size_t at) {
    if (const auto found = buffer_of_.find(value); found != buffer_of_.end()) buffers_[found->second].last_use = at;
  }

  void make_outputs(std::size_t i) {
    const Node& node = graph_.nodes[i];
    bool from_weights = !node.inputs.empty();
    for (const std::string& input : node.inputs) {
      from_weights = from_weights && (input.empty() || weights_.contains(input));
      use(input, i);
    }
    const auto shared = node.inputs.empty() ? buffer_of_.end() : buffer_of_.find(node.inputs.front());
    const bool shares =
        shared != buffer_of_.end() &&
        (is_view(node) || in_place(node) || (node.is("QuantizeLinear") && quantised_by(node.input(0)) == &node));
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      if (from_weights) {
        weights_.insert(output);
      } else if (shares && &output == &node.outputs.front()) {
        buffer_of_[output] = shared->second;
      } else {
        add(output, i);
      }
    }
  }

  const Graph& graph_;
  const ValueTable& values_;
  const Wiring wiring_;
  std::set<std::string> weights_;  // constants, and what is made of them alone
  std::vector<Buffer> buffers_;
  std::map<std::string, std::size_t> buffer_of_;
};

NodeCost cost_of_node(const Node& node, const ValueTable& values) {
  NodeCost cost;
  cost.macs = macs_of(node, values);
  cost.output_bytes = 0;
  cost.known_operator = has_shape_rule(node);
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    const Count bytes = bytes_of_value(values, output);
    cost.output_bytes = bytes && cost.output_bytes ? Count(plus(*cost.output_bytes, *bytes)) : std::nullopt;
  }
  return cost;
}

}  // namespace

ModelCost cost_of(const Graph& graph, const ValueTable& values) {
  ModelCost out;
  std::set<std::string> counted;
  const std::vector<std::int64_t> live = Memory(graph, values).live();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    NodeCost cost = cost_of_node(node, values);
    count_constants(graph, node, counted, cost);
    cost.live_bytes = live[i];
    if (live[i] > out.peak_activation_bytes) {
      out.peak_activation_bytes = live[i];
      out.peak_node = i;
    }
    out.macs = plus(out.macs, cost.macs.value_or(0));
    out.parameters += cost.parameters;
    out.weight_bytes += cost.weight_bytes;
    out.unknown_shapes += cost.output_bytes ? 0 : 1;
    ++out.operators[node.domain.empty() ? node.op : node.domain + "." + node.op];
    out.nodes.push_back(std::move(cost));
  }
  return out;
}

}  // namespace alara::graph
