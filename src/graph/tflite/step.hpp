// SPDX-License-Identifier: Apache-2.0
// One operator of a TensorFlow Lite file while it is imported: its inputs as values, its options by type, and the names
// that its outputs shall have. operators.hpp is the table of what is done with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/nhwc/lowering.hpp"
#include "tflite_generated.h"

namespace alara::graph::tflite {

// What an output tensor declares.
struct Declared {
  std::string name;  // for what the operator computes
  DataType type = DataType::float32;
  Dims dims = {};
};

struct Step {
  nhwc::Lowering& lowering;
  const schema::Operator& op;
  std::vector<std::optional<nhwc::ValueId>> inputs;  // nullopt: left out
  std::vector<Declared> outputs;

  [[nodiscard]] Result<nhwc::ValueId> input(std::size_t i) const {
    if (i < inputs.size() && inputs[i]) return *inputs[i];
    return fail(ErrorKind::corrupt, "input {} is not there", i);
  }
  [[nodiscard]] std::optional<nhwc::ValueId> optional_input(std::size_t i) const {
    return i < inputs.size() ? inputs[i] : std::nullopt;
  }
  // Of a constant input.
  [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t i) const {
    ALARA_TRY(const nhwc::ValueId id, input(i));
    return lowering.known_integers(id);
  }
  [[nodiscard]] Result<std::int64_t> integer(std::size_t i) const {
    ALARA_TRY(const std::vector<std::int64_t> all, integers(i));
    if (all.size() == 1) return all[0];
    return fail(ErrorKind::bad_input, "input {} is {} numbers, not one", i, all.size());
  }
  template <typename Options>
  [[nodiscard]] Result<const Options*> options() const {
    if (const Options* found = op.builtin_options_as<Options>(); found != nullptr) return found;
    return fail(ErrorKind::corrupt, "its options are not there");
  }
  [[nodiscard]] const std::string& name() const { return outputs[0].name; }
};

using Outputs = Result<std::vector<nhwc::ValueId>>;

}  // namespace alara::graph::tflite
