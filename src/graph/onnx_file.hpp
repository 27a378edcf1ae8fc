// SPDX-License-Identifier: Apache-2.0
// ONNX files to models and back, by the protobuf classes of libonnx, which show nowhere else. Files are not trusted:
// what is read is checked, in order, and within limits. Writing is deterministic: equal models give equal bytes.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

inline constexpr std::int64_t kOldestOpset = 7;
inline constexpr std::int64_t kNewestOpset = 21;
inline constexpr std::uint64_t kMaxModelBytes = 2'147'483'647;  // protobuf's own limit for one message
inline constexpr std::size_t kMaxNodes = 1'000'000;
inline constexpr int kMaxSubgraphDepth = 16;
inline constexpr std::size_t kMaxSymbolBytes = 256;  // of the name of a free dimension

// `folder` is where external data may lie; empty: the model may have none. Paths that leave it are refused.
// Errors: corrupt (bytes that do not parse, tensors whose bytes do not fit their shapes), bad_input (opset outside
// kOldestOpset … kNewestOpset, more than kMaxRank dimensions, cycles, values nobody makes), not_found and exhausted.
[[nodiscard]] Result<Model> parse_onnx(std::span<const std::byte> bytes, const std::filesystem::path& folder = {});
[[nodiscard]] Result<Model> read_onnx(const std::filesystem::path& path);

[[nodiscard]] Result<std::string> to_onnx(const Model& model);
// Through a temporary file beside it: `path` has the old content or all of the new.
Status write_onnx(const Model& model, const std::filesystem::path& path);

}  // namespace alara::graph
