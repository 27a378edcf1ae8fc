// SPDX-License-Identifier: Apache-2.0
// Private to infer: fits rows of a pipeline to a model's input tensors. Knows shapes only, no inference library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "infer/model_info.hpp"
#include "infer/session.hpp"

namespace alara::infer {

// One tensor as a table: row r holds `elements` numbers. shape[0] is the batch.
struct Port {
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;  // shape[0] is set for each run
  std::size_t elements = 1;         // per row
};

struct InputPorts {
  std::vector<Port> ports;              // the row's numbers fill them one after another
  std::size_t fixed_batch = 0;          // rows that every run must have; 0: any
  std::vector<std::uint32_t> position;  // number k of a row goes to position[k]; empty: to k
};

// Errors (bad_input) name the model's input and what the step gives.
[[nodiscard]] Result<InputPorts> fit_inputs(const ModelInfo& info, const RunPlan& plan);

[[nodiscard]] std::size_t bytes_of(ElementType type);  // 0 for types that are not numbers we read or write

}  // namespace alara::infer
