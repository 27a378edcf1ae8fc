// SPDX-License-Identifier: Apache-2.0
// The door for models of every kind that can be read: ONNX, TensorFlow Lite, TensorFlow.js. What comes out is checked
// and of an operator set that all passes know.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

enum class SourceFormat : std::uint8_t { onnx, tflite, tfjs };
[[nodiscard]] std::string_view name_of(SourceFormat format);  // "TensorFlow Lite"

// By the first bytes (16 are enough), else by the name's ending. Errors: bad_input, neither says.
[[nodiscard]] Result<SourceFormat> format_of(const std::filesystem::path& path, std::string_view first_bytes);

// Errors are those of the readers, of upgrade() and of check(); they name the file.
[[nodiscard]] Result<Model> read_model(const std::filesystem::path& path);

// Leaves only these of the model's outputs, and what they need. Errors: a name that is no output, with those that are.
Status keep_outputs(Model& model, const std::vector<std::string>& names);

}  // namespace alara::graph
