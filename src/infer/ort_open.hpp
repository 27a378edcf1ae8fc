// SPDX-License-Identifier: Apache-2.0
// Private to infer: makes sessions of ONNX Runtime, with the options that all of ours share.
#pragma once

#include "infer/ort.hpp"

#ifdef ALARA_ONNXRUNTIME

#include <span>
#include <string>

namespace alara::infer {

struct OrtOpening {
  std::string name;              // for messages: the file's path, or what else the model is called
  std::string folder = {};       // where the model's external data lies; empty: it has none
  std::string provider = "cpu";  // in any case and without "ExecutionProvider"
  int threads = 1;               // within one run
  GraphOptimizationLevel level = ORT_ENABLE_ALL;
};

// Errors: corrupt (bytes that are no model), bad_input (a model that can not be run, an unknown provider), unavailable.
[[nodiscard]] Result<Owned<OrtSession>> open_ort_session(const Ort& ort, std::span<const std::byte> bytes,
                                                         const OrtOpening& opening);

}  // namespace alara::infer

#endif
