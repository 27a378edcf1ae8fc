// SPDX-License-Identifier: Apache-2.0
// One-node models with their own seeded test vectors, for every operator in its variants: what the tests check fast and
// the bench `gradients` reports. Inputs lie away from kinks, so that finite differences mean something.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/model.hpp"
#include "learn/autograd/network.hpp"

namespace alara::learn {

struct Case {
  std::string op;
  std::string variant;
  graph::Model model;
  std::vector<graph::Tensor> inputs;
  bool differentiable = true;  // false: its outputs are no numbers to differentiate (places, truth values, shapes)
  Mode mode = Mode::infer;     // in which its gradient is checked
  // Where gradients pass straight through a rounding: the same function without it, whose differences they must agree
  // with.
  std::optional<graph::Model> smooth = {};

  [[nodiscard]] std::string name() const { return variant.empty() ? op : op + ": " + variant; }
};

// By family; each operator of supported_operators() is in one of them.
[[nodiscard]] std::vector<Case> layer_cases();
[[nodiscard]] std::vector<Case> pool_cases();
[[nodiscard]] std::vector<Case> normalize_cases();
[[nodiscard]] std::vector<Case> recurrent_cases();
[[nodiscard]] std::vector<Case> elementwise_cases();
[[nodiscard]] std::vector<Case> reduce_cases();
[[nodiscard]] std::vector<Case> shape_cases();
[[nodiscard]] std::vector<Case> index_cases();
[[nodiscard]] std::vector<Case> resize_cases();
[[nodiscard]] std::vector<Case> quantize_cases();
[[nodiscard]] std::vector<Case> all_cases();

}  // namespace alara::learn
