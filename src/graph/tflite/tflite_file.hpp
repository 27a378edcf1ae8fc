// SPDX-License-Identifier: Apache-2.0
// TensorFlow Lite files as ONNX models: of float32 and float16 weights as float32, of quantised numbers in
// QuantizeLinear / DequantizeLinear form. Inputs and outputs keep the file's shapes (channels last) and types, so that
// results compare number by number; within the graph pictures have channels first. Files are not trusted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

inline constexpr std::uint64_t kMaxTfliteBytes = 2'147'483'647;  // FlatBuffers' own limit

// The first subgraph. Errors: corrupt (bytes that are no such file, indices and sizes that do not fit), bad_input
// (operators that are not supported, all of them listed with their place; shapes that do not fit), exhausted.
[[nodiscard]] Result<Model> parse_tflite(std::span<const std::byte> bytes);
[[nodiscard]] Result<Model> read_tflite(const std::filesystem::path& path);

}  // namespace alara::graph
