// SPDX-License-Identifier: Apache-2.0
// Compact binary arrays of points: bare little-endian elements, or the same behind a 16-byte header that tells type,
// count and event time (24 bytes with a sample step). 100 float32 points take 416 bytes. docs/formats/array.md is the
// format's definition. Reading allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "wire/payload.hpp"

namespace alara::wire {

enum class ElementType : std::uint8_t {  // the numbers are those of the format
  int8 = 1,
  uint8 = 2,
  int16 = 3,
  uint16 = 4,
  int32 = 5,
  uint32 = 6,
  int64 = 7,
  uint64 = 8,
  float32 = 9,
  float64 = 10,
};
[[nodiscard]] std::size_t size_of(ElementType type);
[[nodiscard]] std::string_view name_of(ElementType type);
[[nodiscard]] std::optional<ElementType> element_type_named(std::string_view name);

inline constexpr std::size_t kArrayHeaderBytes = 16;
inline constexpr std::size_t kArrayStepBytes = 8;

// A checked view into a payload; valid as long as the payload.
struct ArrayView {
  ElementType type = ElementType::float32;
  std::size_t count = 0;
  std::optional<Nanos> time;  // event time of element 0
  Nanos step = 0;             // between consecutive elements of a waveform; 0 = not a waveform, or unknown
  const std::uint8_t* elements = nullptr;
};

// A payload with header. Faults: truncated, too_large, too_many, malformed (magic, flags, trailing bytes, negative
// step), wrong_type (unknown element type), bad_time. `out` is unchanged on a fault.
[[nodiscard]] PayloadFault read_array(std::span<const std::uint8_t> payload, const PayloadLimits& limits,
                                      ArrayView& out);
// A payload that is nothing but elements. Faults: truncated (empty, or not a whole number of elements), too_large,
// too_many.
[[nodiscard]] PayloadFault read_bare_array(std::span<const std::uint8_t> payload, ElementType type,
                                           const PayloadLimits& limits, ArrayView& out);

// Elements [0, out.size()) as doubles; out.size() must not exceed view.count. Returns how many are NaN or infinite.
std::size_t decode_elements(const ArrayView& view, std::span<double> out);

struct ArrayHeader {
  ElementType type = ElementType::float32;
  std::optional<Nanos> time = {};
  Nanos step = 0;
};
// Replaces `out` by header and elements. Values outside the type's range are clamped to it; NaN becomes 0 in integers.
void write_array(const ArrayHeader& header, std::span<const double> values, std::vector<std::uint8_t>& out);

}  // namespace alara::wire
