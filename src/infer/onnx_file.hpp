// SPDX-License-Identifier: Apache-2.0
// Reads from an ONNX file what people and load-time checks need, without a protobuf library: a bounded walk over the
// wire format that skips everything else. The file is not trusted; whether the model can run is ONNX Runtime's to say.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "infer/model_info.hpp"

namespace alara::infer {

inline constexpr std::uint64_t kMaxModelBytes = 2'147'483'647;  // protobuf's own limit for one message
inline constexpr int kMaxGraphDepth = 16;                       // graphs within If, Loop and Scan
inline constexpr std::size_t kMaxTensors = 65'536;              // inputs, outputs and distinct operators of one model

// Everything but `bytes` and `digest`. Errors are of kind corrupt and say at which byte.
[[nodiscard]] Result<ModelInfo> parse_onnx(std::span<const std::byte> bytes);

// A whole model file in memory; what is checked is what is run.
struct ModelFile {
  std::string path;
  std::vector<std::byte> bytes;
  ModelInfo info;
};
[[nodiscard]] Result<ModelFile> read_model_file(const std::string& path);

}  // namespace alara::infer
