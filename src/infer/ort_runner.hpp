// SPDX-License-Identifier: Apache-2.0
// Private to infer: the runner over ONNX Runtime.
#pragma once

#ifdef ALARA_ONNXRUNTIME

#include "infer/ort.hpp"
#include "infer/session.hpp"

namespace alara::infer {

[[nodiscard]] Result<std::unique_ptr<Runner>> make_ort_runner(std::shared_ptr<const OrtModel> model,
                                                              const RunPlan& plan);

}  // namespace alara::infer

#endif
