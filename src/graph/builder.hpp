// SPDX-License-Identifier: Apache-2.0
// Builds graphs node by node: for importers, templates and tests. Values are names; each call appends one node and
// returns the name of its (first) output. The builder checks nothing: graph::check() does.
#pragma once

#include <string>
#include <vector>

#include "graph/model.hpp"

namespace alara::graph {

class Builder {
 public:
  explicit Builder(std::string name = "graph");

  std::string input(const std::string& name, DataType type, Dims dims);
  std::string input(const std::string& name, Shape shape) { return input(name, DataType::float32, dims_of(shape)); }
  void output(const std::string& value, DataType type = DataType::float32, std::optional<Dims> dims = std::nullopt);
  std::string constant(const std::string& name, Tensor tensor);                      // the name used, which is free
  std::string constant(const std::string& name, std::vector<std::int64_t> numbers);  // int64, one dimension
  std::string scalar(const std::string& name, float number);                         // float32, no dimension
  // The output's name is `name`, made unique; the node gets the same name.
  std::string node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                   std::map<std::string, Attribute> attributes = {});
  std::vector<std::string> node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                                std::size_t outputs, std::map<std::string, Attribute> attributes);

  [[nodiscard]] const Graph& graph() const { return model_.graph; }
  // A free name near the wanted one.
  [[nodiscard]] std::string fresh(const std::string& wanted);
  [[nodiscard]] Model finish() &&;

 private:
  Model model_;
  Names names_;
};

}  // namespace alara::graph
