// SPDX-License-Identifier: Apache-2.0
// Where a training stands, as one file: what it needs to go on exactly as if it had not been interrupted. Free of
// libtorch. Format: "ALARATR1", the header's length, a JSON header (state, names and shapes), the numbers, a checksum.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "graph/tensor.hpp"
#include "learn/plan/train_options.hpp"

namespace alara::learn {

inline constexpr std::uint64_t kMaxCheckpointBytes = std::uint64_t{16} << 30;
inline constexpr std::uint64_t kMaxCheckpointHeader = 64u << 20;

struct Checkpoint {
  std::string fingerprint;  // of the training that wrote it
  int epoch = 0;            // epochs that are done
  std::int64_t batch = 0;   // batches of the next one that are done
  std::int64_t step = 0;    // optimiser steps in all
  double loss_sum = 0;      // over those batches
  std::int64_t rows = 0, right = 0;
  double seconds = 0;  // of the epoch so far
  int best_epoch = 0;
  double best_score = 0;
  LearningCurve curve;
  std::map<std::string, graph::Tensor> tensors;  // "parameter/conv.weight", "momentum/conv.weight", …
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

[[nodiscard]] std::string to_bytes(const Checkpoint& checkpoint);
// The file around a header and numbers.
[[nodiscard]] std::string sealed(std::string_view header, std::string_view numbers);
// Errors: corrupt (no checkpoint, cut off, changed).
[[nodiscard]] Result<Checkpoint> parse_checkpoint(std::span<const std::byte> bytes);
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);
// All or nothing: an interrupted write leaves the one before.
Status write_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);

}  // namespace alara::learn
