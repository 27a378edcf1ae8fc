// SPDX-License-Identifier: Apache-2.0
// TensorFlow.js graph models (model.json and the binary files that it names) as ONNX models of float32. Inputs and
// outputs keep the model's names and shapes (channels last); within the graph pictures have channels first. Files are
// not trusted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

inline constexpr std::uint64_t kMaxTfjsJsonBytes = std::uint64_t{16} << 20;
inline constexpr std::uint64_t kMaxTfjsWeightBytes = std::uint64_t{2} << 30;  // of all shards of a model
inline constexpr int kMaxTfjsDepth = 64;                                      // of brackets within brackets

// Gives the bytes of a weights file by the name that the model has for it.
using ReadShard = std::function<Result<std::vector<std::byte>>(const std::string& name)>;

// Errors: corrupt (no such JSON, weights that do not fit), bad_input (operators that are not supported, all of them
// listed with their node; shapes that do not fit; cycles), exhausted, and those of `read_shard`.
[[nodiscard]] Result<Model> parse_tfjs(std::string_view json, const ReadShard& read_shard);
// The weights lie beside the file or below; names that lead elsewhere are refused.
[[nodiscard]] Result<Model> read_tfjs(const std::filesystem::path& path);

}  // namespace alara::graph
