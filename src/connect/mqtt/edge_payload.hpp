// SPDX-License-Identifier: Apache-2.0
// The Sparkplug B payloads of an edge node, in the terms of this program: what births, data and deaths say, and what a
// command asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/sample.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMaxCommandBytes = 1u << 20;
inline constexpr std::size_t kMaxCommandMetrics = 10'000;

struct EdgeMetric {
  std::string_view name;               // "" = by alias only
  std::optional<std::uint64_t> alias;  // of this metric, unique on the edge node
  SignalType type = SignalType::float64;
  double value = 0;
  bool null = false;
  bool historical = false;
  Nanos time = 0;
  std::optional<Quality> quality;  // as property "Quality"
  std::string_view unit;           // as property "engUnit"; "" = none
};

// Replaces `out` with a payload of these metrics; NDEATH has no sequence number.
void encode_edge_payload(Nanos time, std::optional<std::uint8_t> seq, std::span<const EdgeMetric> metrics,
                         std::string& out);

// One metric of a command as it came.
struct WrittenMetric {
  std::string name;  // "" = by alias
  std::optional<std::uint64_t> alias;
  std::optional<double> value;  // none: null, or no number
  bool null = false;
  int untyped_bits = 0;  // 32 or 64: an integer whose datatype was left out, so that its sign depends on the metric
};
[[nodiscard]] Result<std::vector<WrittenMetric>> decode_command(std::span<const std::uint8_t> payload);

}  // namespace alara::mqtt
