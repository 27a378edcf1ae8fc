// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/qdq.hpp"

#include <algorithm>
#include <set>

namespace alara::graph {
namespace {

template <typename T>
Tensor filled(const Shape& shape, int number) {
  Tensor out = Tensor::zeros(DataTypeOf<T>::value, shape);
  for (T& x : out.mutable_values<T>()) x = static_cast<T>(number);
  return out;
}

Tensor zero_points(DataType type, const Shape& shape, int number) {
  return type == DataType::uint8 ? filled<std::uint8_t>(shape, number) : filled<std::int8_t>(shape, number);
}

Tensor on_grid(const Tensor& tensor, const Grid& grid, DataType type) {
  Tensor out = Tensor::zeros(type, tensor.shape);
  const auto numbers = tensor.values<float>();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    out.bytes[i] = static_cast<std::byte>(static_cast<std::uint8_t>(quantized(numbers[i], grid)));
  return out;
}

class Writer {
 public:
  Writer(const Model& model, const Plan& plan, const Quantization& quantization)
      : model_(model), plan_(plan), quantization_(quantization), names_(model.graph) {}

  Model write() {
    out_ = model_;
    out_.graph.nodes.clear();
    std::map<std::size_t, const Planned*> planned;
    std::set<std::size_t> absorbed;
    for (const Planned& one : plan_.nodes) {
      planned[one.node] = &one;
      if (one.activation) absorbed.insert(*one.activation);
    }
    for (std::size_t i = 0; i < model_.graph.nodes.size(); ++i) {
      if (absorbed.contains(i)) continue;
      if (const auto found = planned.find(i); found != planned.end())
        write_integer(*found->second);
      else
        out_.graph.nodes.push_back(model_.graph.nodes[i]);
    }
    remove_unused(out_.graph);
    return std::move(out_);
  }

 private:
  [[nodiscard]] DataType type() const {
    return quantization_.activations == ActivationType::uint8 ? DataType::uint8 : DataType::int8;
  }
  std::string constant(const std::string& wanted, Tensor tensor) {
    std::string name = names_.fresh(wanted);
    out_.graph.constants[name] = share(std::move(tensor));
    return name;
  }
  void append(const std::string& op, std::vector<std::string> inputs, const std::string& output,
              std::map<std::string, Attribute> attributes = {}) {
    out_.graph.nodes.push_back(Node{op, "", output + "/" + op, std::move(inputs), {output}, std::move(attributes)});
  }

  struct Step {
    std::string scale, zero_point;
  };
  const Step& step_of(const std::string& value) {
    const std::string& source = plan_.scale_of(value);
    if (const auto known = steps_.find(source); known != steps_.end()) return known->second;
    const auto found = quantization_.grids.find(source);
    ALARA_ASSERT(found != quantization_.grids.end(), "every planned value has a grid");
    return steps_[source] = make_step(source, found->second);
  }
  Step make_step(const std::string& name, const Grid& grid) {
    return {constant(name + "_scale", Tensor::scalar(grid.scale)),
            constant(name + "_zero_point", zero_points(type(), {}, grid.zero_point))};
  }

  void append_copy(const std::string& from, const std::string& to, const Step& step) {
    const std::string integers = names_.fresh(to + "_quantized");
    append("QuantizeLinear", {from, step.scale, step.zero_point}, integers);
    append("DequantizeLinear", {integers, step.scale, step.zero_point}, to);
  }

  // The name under which an integer node reads the value.
  std::string copy_of(const std::string& value) {
    if (plan_.makers.contains(value)) return value;
    std::string& copy = copies_[value];
    if (!copy.empty()) return copy;
    copy = names_.fresh(value + "_dequantized");
    if (const Tensor* numbers = model_.graph.constant(value)) {
      const auto floats = numbers->values<float>();
      const auto [low, high] = std::minmax_element(floats.begin(), floats.end());
      const Grid grid =
          floats.empty()
              ? Grid{}
              : grid_over({std::min(0.0, static_cast<double>(*low)), std::max(0.0, static_cast<double>(*high))},
                          quantization_.activations);
      const Step step = make_step(value, grid);
      append("DequantizeLinear",
             {constant(value + "_quantized", on_grid(*numbers, grid, type())), step.scale, step.zero_point}, copy);
    } else {
      append_copy(value, copy, step_of(value));
    }
    return copy;
  }

  void write_integer(const Planned& planned) {
    Node node = model_.graph.nodes[planned.node];
    if (planned.role == Role::weighted) {
      const auto found = quantization_.layers.find(planned.node);
      ALARA_ASSERT(found != quantization_.layers.end(), "every weighted node that is planned has its layer");
      const QuantizedLayer& layer = found->second;
      const std::string weights = node.input(1);
      const std::string bias = node.input(2).empty() ? node.outputs.front() + "_bias" : node.input(2);
      node.inputs = {copy_of(node.input(0)),
                     append_dequantized(out_.graph, names_, weights, layer.weights, layer.scales, layer.axis)};
      if (layer.bias)
        node.inputs.push_back(append_dequantized(out_.graph, names_, bias, *layer.bias, layer.bias_scales, 0));
    } else if (planned.role == Role::arithmetic) {
      for (std::string& input : node.inputs) input = copy_of(input);
    } else {
      node.inputs[0] = copy_of(node.input(0));
    }
    const std::string raw = names_.fresh(planned.output + "_float");
    node.outputs[0] = raw;
    out_.graph.nodes.push_back(std::move(node));
    append_copy(raw, planned.output, step_of(planned.output));
  }

  const Model& model_;
  const Plan& plan_;
  const Quantization& quantization_;
  Names names_;
  Model out_;
  std::map<std::string, Step> steps_;
  std::map<std::string, std::string> copies_;
};

}  // namespace

std::string append_dequantized(Graph& graph, Names& names, const std::string& name, Tensor integers,
                               const std::vector<float>& scales, std::int64_t axis) {
  const bool one = scales.size() == 1;
  const Shape shape = one ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
  const DataType type = integers.type;
  const auto constant = [&](const std::string& wanted, Tensor tensor) {
    std::string fresh = names.fresh(wanted);
    graph.constants[fresh] = share(std::move(tensor));
    return fresh;
  };
  std::vector<std::string> inputs{constant(name + "_quantized", std::move(integers)),
                                  constant(name + "_scale", Tensor::of<float>(shape, scales))};
  if (type != DataType::int32)  // of biases it is 0 by itself
    inputs.push_back(constant(name + "_zero_point", zero_points(type, shape, type == DataType::uint8 ? 128 : 0)));
  std::map<std::string, Attribute> attributes;
  if (!one) attributes["axis"] = axis;
  std::string out = names.fresh(name + "_dequantized");
  graph.nodes.push_back(Node{"DequantizeLinear", "", out, std::move(inputs), {out}, std::move(attributes)});
  return out;
}

Model to_qdq(const Model& model, const Plan& plan, const Quantization& quantization) {
  return Writer(model, plan, quantization).write();
}

}  // namespace alara::graph
