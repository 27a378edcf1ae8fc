// SPDX-License-Identifier: Apache-2.0
// The step `model`: an ONNX model over values of the pipeline. Rows of many assets are computed in one run, for as long
// as the step may wait; what the model can not answer takes the declared fallback.
#pragma once

#include <memory>

#include "core/operator.hpp"
#include "infer/slot.hpp"

namespace alara::infer {

[[nodiscard]] const OperatorKind& model_kind();

// Of an operator that model_kind() made: where its model can be exchanged and its run times read. Null for any other.
// Operators of one step on several shards share a slot when their OperatorContext had `shared`.
[[nodiscard]] std::shared_ptr<ModelSlot> model_slot(const Operator& code);

}  // namespace alara::infer
