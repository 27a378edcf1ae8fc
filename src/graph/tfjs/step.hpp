// SPDX-License-Identifier: Apache-2.0
// One node of a TensorFlow.js graph while it is imported.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/nhwc/lowering.hpp"
#include "graph/tfjs/document.hpp"

namespace alara::graph::tfjs {

using Outputs = Result<std::vector<nhwc::ValueId>>;

struct Step {
  nhwc::Lowering& lowering;
  const NodeDef& node;
  std::vector<nhwc::ValueId> inputs;

  [[nodiscard]] Result<nhwc::ValueId> input(std::size_t i) const {
    if (i < inputs.size()) return inputs[i];
    return fail(ErrorKind::corrupt, "input {} is not there", i);
  }
  [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t i) const {
    ALARA_TRY(const nhwc::ValueId id, input(i));
    return lowering.known_integers(id);
  }
  [[nodiscard]] Result<std::int64_t> integer(std::size_t i) const {
    ALARA_TRY(const std::vector<std::int64_t> all, integers(i));
    if (all.size() == 1) return all[0];
    return fail(ErrorKind::bad_input, "input {} is {} numbers, not one", i, all.size());
  }
  [[nodiscard]] const std::string& name() const { return node.name; }
};

[[nodiscard]] inline Outputs single(Result<nhwc::ValueId> result) {
  if (!result) return fail_with(std::move(result));
  return std::vector<nhwc::ValueId>{*result};
}

}  // namespace alara::graph::tfjs
