// SPDX-License-Identifier: Apache-2.0
// Private to learn/autograd: what the function of one operator sees of its node and of the run. Operators speak
// libtorch's language: what does not fit is a c10::Error (TORCH_CHECK), which Network turns into an error that names
// the node. Values of ONNX type uint16 are int32 here, uint32 and uint64 int64, float16 and bfloat16 the network's real
// type; quantised values are real numbers that happen to be whole, so that gradients pass.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/model.hpp"
#include "learn/autograd/network.hpp"

namespace alara::learn {

using Integers = std::vector<std::int64_t>;
using Values = std::vector<at::Tensor>;

[[nodiscard]] Integers integers_of(const at::Tensor& tensor);  // its numbers, in order
[[nodiscard]] at::Tensor tensor_of(const Integers& numbers);   // int64, one dimension
// Axis in 0 … rank-1 of one that may count from the end.
[[nodiscard]] std::int64_t axis_in(std::int64_t axis, std::int64_t rank);

// A graph whose inputs declare a fixed batch, run with another.
struct Batch {
  std::int64_t declared = -1;  // first dimension of the inputs; -1: free
  std::int64_t actual = -1;
  [[nodiscard]] bool differs() const { return declared >= 0 && actual != declared; }
};

struct Call {
  const graph::Node& node;
  std::span<const at::Tensor> inputs;      // undefined where left out
  std::span<const graph::DataType> types;  // of inputs that are constants or the graph's; else undefined
  Mode mode = Mode::infer;
  at::ScalarType real = at::kFloat;  // what float16 … float32 are computed in
  Batch batch = {};
  bool carries_batch = false;  // the first input depends on what goes into the graph
  at::Generator chance = {};

  [[nodiscard]] bool has(std::size_t i) const { return i < inputs.size() && inputs[i].defined(); }
  [[nodiscard]] const at::Tensor& operator[](std::size_t i) const {
    TORCH_CHECK(has(i), "input ", i, " is missing");
    return inputs[i];
  }
  [[nodiscard]] c10::optional<at::Tensor> maybe(std::size_t i) const {
    return has(i) ? c10::optional<at::Tensor>(inputs[i]) : c10::nullopt;
  }
  [[nodiscard]] Integers integers(std::size_t i) const { return integers_of((*this)[i]); }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) const {
    return node.integer(name, otherwise);
  }
  [[nodiscard]] double number(std::string_view name, double otherwise) const;
  // Axes from the attribute (older operator sets) or from input i; empty where there are none.
  [[nodiscard]] Integers axes(std::size_t i) const;
};

}  // namespace alara::learn
