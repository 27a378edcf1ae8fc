// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/case_maker.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "graph/builder.hpp"

namespace alara::learn::cases {

graph::Tensor numbers(graph::Shape shape, unsigned seed, double low, double high) {
  graph::Tensor out = graph::Tensor::zeros(graph::DataType::float32, std::move(shape));
  const auto values = out.mutable_values<float>();
  const auto count = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double jitter = 0.3 * std::sin(static_cast<double>(i) + seed);
    values[i] = static_cast<float>(low + (high - low) * (static_cast<double>(i) + 0.5 + jitter) / count);
  }
  std::minstd_rand chance(seed);  // and an own shuffle: the library's may differ between versions
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[chance() % i]);
  return out;
}

graph::Tensor whole(graph::Shape shape, std::vector<std::int64_t> numbers) {
  return graph::Tensor::of(std::move(shape), numbers);
}

graph::Tensor truth(graph::Shape shape, std::vector<std::int64_t> zeros_and_ones) {
  graph::Tensor out = graph::Tensor::zeros(graph::DataType::boolean, std::move(shape));
  std::ranges::transform(zeros_and_ones, out.mutable_values<bool>().begin(), [](auto bit) { return bit != 0; });
  return out;
}

Case make(const Recipe& recipe) {
  Case out{recipe.op, recipe.variant, {}, {}};
  graph::Builder builder("case");
  std::vector<std::string> names;
  for (const Argument& argument : recipe.arguments) {
    if (!argument.tensor) {
      names.emplace_back();
    } else if (argument.constant) {
      names.push_back(builder.constant("constant", *argument.tensor));
    } else {
      names.push_back(builder.input("input", argument.tensor->type, graph::dims_of(argument.tensor->shape)));
      out.inputs.push_back(*argument.tensor);
    }
  }
  for (const std::string& value : builder.node(recipe.op, "output", names, recipe.outputs, recipe.attributes))
    builder.output(value, graph::DataType::undefined);
  out.model = std::move(builder).finish();
  out.model.opsets[""] = recipe.opset;
  if (recipe.opset > 20) out.model.ir_version = 10;
  return out;
}

Case plain(const Recipe& recipe) {
  Case out = make(recipe);
  out.differentiable = false;
  return out;
}

}  // namespace alara::learn::cases
