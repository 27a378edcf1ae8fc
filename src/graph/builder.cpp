// SPDX-License-Identifier: Apache-2.0
#include "graph/builder.hpp"

namespace alara::graph {

Builder::Builder(std::string name) : names_(model_.graph) { model_.graph.name = std::move(name); }

std::string Builder::fresh(const std::string& wanted) { return names_.fresh(wanted); }

std::string Builder::input(const std::string& name, DataType type, Dims dims) {
  std::string value = fresh(name);
  model_.graph.inputs.push_back({value, type, std::move(dims)});
  return value;
}

void Builder::output(const std::string& value, DataType type, std::optional<Dims> dims) {
  model_.graph.outputs.push_back({value, type, std::move(dims)});
}

std::string Builder::constant(const std::string& name, Tensor tensor) {
  std::string value = fresh(name);
  model_.graph.constants.emplace(value, share(std::move(tensor)));
  return value;
}

std::string Builder::constant(const std::string& name, std::vector<std::int64_t> numbers) {
  return constant(name, Tensor::of(Shape{static_cast<std::int64_t>(numbers.size())}, numbers));
}

std::string Builder::scalar(const std::string& name, float number) { return constant(name, Tensor::scalar(number)); }

std::string Builder::node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                          std::map<std::string, Attribute> attributes) {
  return node(op, name, std::move(inputs), 1, std::move(attributes)).front();
}

std::vector<std::string> Builder::node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                                       std::size_t outputs, std::map<std::string, Attribute> attributes) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < outputs; ++i) values.push_back(fresh(name));
  model_.graph.nodes.push_back({op, {}, values.front(), std::move(inputs), values, std::move(attributes)});
  return values;
}

Model Builder::finish() && { return std::move(model_); }

}  // namespace alara::graph
