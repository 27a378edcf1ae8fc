// SPDX-License-Identifier: Apache-2.0
// What a host sees of a Sparkplug B payload, for tests: a plain reading of Protocol Buffers, independent of what the
// connector uses.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alara::contract {

struct SeenMetric {
  std::string name;
  std::optional<std::uint64_t> alias;
  std::uint64_t type = 0;
  std::int64_t time = 0;  // milliseconds
  bool historical = false, null = false;
  double value = 0;
  std::optional<int> quality;
  std::string unit;
};
struct SeenPayload {
  std::int64_t time = 0;  // milliseconds
  std::optional<std::uint64_t> seq;
  std::vector<SeenMetric> metrics;
};

// Calls `take(field, number, bytes)` for each field; false when the bytes are no message.
inline bool walk_fields(std::string_view rest,
                        const std::function<void(std::uint64_t, std::uint64_t, std::string_view)>& take) {
  const auto varint = [&](std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7Fu) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  while (!rest.empty()) {
    std::uint64_t tag = 0, number = 0;
    if (!varint(tag)) return false;
    std::string_view bytes;
    std::size_t size = 0;
    switch (tag & 7) {
      case 0:
        if (!varint(number)) return false;
        break;
      case 1:
        size = 8;
        break;
      case 5:
        size = 4;
        break;
      case 2:
        if (!varint(number)) return false;
        size = static_cast<std::size_t>(number);
        break;
      default:
        return false;
    }
    if (size > rest.size()) return false;
    bytes = rest.substr(0, size);
    rest.remove_prefix(size);
    take(tag >> 3, number, bytes);
  }
  return true;
}

inline SeenMetric read_metric(std::string_view metric) {
  SeenMetric out;
  walk_fields(metric, [&](std::uint64_t field, std::uint64_t number, std::string_view bytes) {
    if (field == 1) out.name = bytes;
    if (field == 2) out.alias = number;
    if (field == 3) out.time = static_cast<std::int64_t>(number);
    if (field == 4) out.type = number;
    if (field == 5) out.historical = number != 0;
    if (field == 7) out.null = number != 0;
    if (field == 10) out.value = out.type <= 3 ? static_cast<std::int32_t>(number) : static_cast<double>(number);
    if (field == 11 || field == 14) out.value = static_cast<double>(number);
    if (field == 12) {
      float value = 0;
      std::memcpy(&value, bytes.data(), sizeof value);
      out.value = value;
    }
    if (field == 13) std::memcpy(&out.value, bytes.data(), sizeof out.value);
    if (field != 9) return;
    std::vector<std::string> keys;
    std::size_t next = 0;
    walk_fields(bytes, [&](std::uint64_t part, std::uint64_t, std::string_view text) {
      if (part == 1) keys.emplace_back(text);
    });
    walk_fields(bytes, [&](std::uint64_t part, std::uint64_t, std::string_view property) {
      if (part != 2 || next >= keys.size()) return;
      const std::string key = keys[next++];
      walk_fields(property, [&](std::uint64_t value_field, std::uint64_t value, std::string_view text) {
        if (key == "Quality" && value_field == 3) out.quality = static_cast<int>(value);
        if (key == "engUnit" && value_field == 8) out.unit = text;
      });
    });
  });
  return out;
}

inline std::optional<SeenPayload> read_sparkplug(std::string_view payload) {
  SeenPayload out;
  const bool whole = walk_fields(payload, [&](std::uint64_t field, std::uint64_t number, std::string_view bytes) {
    if (field == 1) out.time = static_cast<std::int64_t>(number);
    if (field == 2) out.metrics.push_back(read_metric(bytes));
    if (field == 3) out.seq = number;
  });
  return whole ? std::optional(out) : std::nullopt;
}

}  // namespace alara::contract
