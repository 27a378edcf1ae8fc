// SPDX-License-Identifier: Apache-2.0
// Operators that work number by number, and activations. They keep the order of axes that their inputs have.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "graph/nhwc/lowering.hpp"

namespace alara::graph::nhwc {

// An ONNX operator's name as part of a type, so that the importers' tables can hold functions.
template <std::size_t N>
struct OpName {
  char text[N];
  consteval OpName(const char (&name)[N]) { std::copy_n(name, N, text); }  // NOLINT(google-explicit-constructor)
};

// An ONNX operator of one input that keeps its shape: "Relu", "Exp", "Not". Result type: the input's.
[[nodiscard]] ValueId unary(Lowering& lowering, const std::string& name, const std::string& op, ValueId x,
                            Attributes attributes = {});
// An ONNX operator that broadcasts: "Add", "Max", "Where". `type` nullopt: that of the last input.
[[nodiscard]] Result<ValueId> broadcasting(Lowering& lowering, const std::string& name, const std::string& op,
                                           const std::vector<ValueId>& inputs,
                                           std::optional<DataType> type = std::nullopt);

enum class Activation : std::uint8_t {
  none,
  relu,
  relu6,
  relu_n1_to_1,
  relu_0_to_1,
  tanh,
  sigmoid,
  elu,
  hard_swish,
  swish
};
[[nodiscard]] ValueId activation(Lowering& lowering, const std::string& name, Activation kind, ValueId x);
// The name for what an activation takes, so that the activation's result can have `name`.
[[nodiscard]] std::string before(Activation kind, const std::string& name);

[[nodiscard]] ValueId clip(Lowering& lowering, const std::string& name, ValueId x, float low, float high);
[[nodiscard]] ValueId leaky_relu(Lowering& lowering, const std::string& name, ValueId x, float alpha);
[[nodiscard]] Result<ValueId> prelu(Lowering& lowering, const std::string& name, ValueId x, ValueId slope);
enum class GeluForm : std::uint8_t { exact, tanh };
[[nodiscard]] Result<ValueId> gelu(Lowering& lowering, const std::string& name, ValueId x, GeluForm form);
// Of beta * x along the last axis.
enum class SoftmaxForm : std::uint8_t { linear, logarithmic };
[[nodiscard]] Result<ValueId> softmax(Lowering& lowering, const std::string& name, ValueId x, float beta,
                                      SoftmaxForm form);
[[nodiscard]] Result<ValueId> squared_difference(Lowering& lowering, const std::string& name, ValueId a, ValueId b);
[[nodiscard]] Result<ValueId> floor_divide(Lowering& lowering, const std::string& name, ValueId a, ValueId b);
[[nodiscard]] Result<ValueId> floor_modulo(Lowering& lowering, const std::string& name, ValueId a, ValueId b);
[[nodiscard]] ValueId reciprocal_root(Lowering& lowering, const std::string& name, ValueId x);
[[nodiscard]] ValueId cast(Lowering& lowering, const std::string& name, ValueId x, DataType type);
// x / sqrt(max(sum of squares along the last axis, 1e-6)).
[[nodiscard]] Result<ValueId> l2_normalise(Lowering& lowering, const std::string& name, ValueId x);

}  // namespace alara::graph::nhwc
