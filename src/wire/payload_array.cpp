// SPDX-License-Identifier: Apache-2.0
#include "wire/payload_array.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/result.hpp"

namespace alara::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied, not swapped");

constexpr std::uint8_t kMagic0 = 0xA1;
constexpr std::uint8_t kMagic1 = 0xED;
constexpr std::uint8_t kFlagTimed = 1;
constexpr std::uint8_t kFlagStepped = 2;

struct TypeRow {
  std::string_view name;
  std::size_t size;
};
constexpr std::array<TypeRow, 10> kTypes{{{"int8", 1},
                                          {"uint8", 1},
                                          {"int16", 2},
                                          {"uint16", 2},
                                          {"int32", 4},
                                          {"uint32", 4},
                                          {"int64", 8},
                                          {"uint64", 8},
                                          {"float32", 4},
                                          {"float64", 8}}};

const TypeRow& row_of(ElementType type) { return kTypes[static_cast<std::size_t>(type) - 1]; }

template <typename T>
T load(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(T value, std::vector<std::uint8_t>& out) {
  const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Calls `use` with a value of the element's C++ type.
template <typename Use>
auto with_type(ElementType type, Use&& use) {
  switch (type) {
    case ElementType::int8:
      return use(std::int8_t{});
    case ElementType::uint8:
      return use(std::uint8_t{});
    case ElementType::int16:
      return use(std::int16_t{});
    case ElementType::uint16:
      return use(std::uint16_t{});
    case ElementType::int32:
      return use(std::int32_t{});
    case ElementType::uint32:
      return use(std::uint32_t{});
    case ElementType::int64:
      return use(std::int64_t{});
    case ElementType::uint64:
      return use(std::uint64_t{});
    case ElementType::float32:
      return use(float{});
    case ElementType::float64:
      break;
  }
  return use(double{});
}

template <typename T>
std::size_t decode_as(const std::uint8_t* from, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(load<T>(from + i * sizeof(T)));
  if constexpr (std::is_integral_v<T>) return 0;
  // x - x is 0 for every finite x and NaN for the others; the sum keeps a NaN, so the common case is one pass.
  double residue = 0;
  for (const double value : out) residue += value - value;
  if (residue == 0) return 0;
  std::size_t count = 0;
  for (const double value : out) count += std::isfinite(value) ? 0 : 1;
  return count;
}

template <typename T>
T narrow(double value) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value);
  } else {
    if (std::isnan(value)) return 0;
    // The limits as doubles: the upper one of 64-bit types rounds up to a value just out of range, hence >=.
    constexpr double kLeast = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double kMost = static_cast<double>(std::numeric_limits<T>::max());
    if (value <= kLeast) return std::numeric_limits<T>::min();
    if (value >= kMost) return std::numeric_limits<T>::max();
    return static_cast<T>(std::nearbyint(value));
  }
}

}  // namespace

std::size_t size_of(ElementType type) { return row_of(type).size; }
std::string_view name_of(ElementType type) { return row_of(type).name; }

std::optional<ElementType> element_type_named(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<ElementType>(i + 1);
  return std::nullopt;
}

PayloadFault read_array(std::span<const std::uint8_t> payload, const PayloadLimits& limits, ArrayView& out) {
  if (payload.size() > limits.bytes) return PayloadFault::too_large;
  if (payload.size() < kArrayHeaderBytes) return PayloadFault::truncated;
  const std::uint8_t* const bytes = payload.data();
  if (bytes[0] != kMagic0 || bytes[1] != kMagic1) return PayloadFault::malformed;
  const std::uint8_t type = bytes[2], flags = bytes[3];
  if (type < 1 || type > kTypes.size()) return PayloadFault::wrong_type;
  if ((flags & ~(kFlagTimed | kFlagStepped)) != 0) return PayloadFault::malformed;

  ArrayView view;
  view.type = static_cast<ElementType>(type);
  view.count = load<std::uint32_t>(bytes + 4);
  if (view.count > limits.count) return PayloadFault::too_many;
  const Nanos time = load<Nanos>(bytes + 8);
  if ((flags & kFlagTimed) != 0) {
    if (time < 0) return PayloadFault::bad_time;
    view.time = time;
  }
  std::size_t at = kArrayHeaderBytes;
  if ((flags & kFlagStepped) != 0) {
    if (payload.size() < at + kArrayStepBytes) return PayloadFault::truncated;
    view.step = load<Nanos>(bytes + at);
    if (view.step <= 0 || view.step > kHour) return PayloadFault::malformed;
    at += kArrayStepBytes;
  }
  const std::size_t expected = at + view.count * size_of(view.type);
  if (payload.size() < expected) return PayloadFault::truncated;
  if (payload.size() > expected) return PayloadFault::malformed;
  if (view.time && view.count > 0 && view.step > (kNever - *view.time) / static_cast<Nanos>(view.count))
    return PayloadFault::bad_time;
  view.elements = bytes + at;
  out = view;
  return PayloadFault::none;
}

PayloadFault read_bare_array(std::span<const std::uint8_t> payload, ElementType type, const PayloadLimits& limits,
                             ArrayView& out) {
  if (payload.size() > limits.bytes) return PayloadFault::too_large;
  if (payload.empty() || payload.size() % size_of(type) != 0) return PayloadFault::truncated;
  if (payload.size() / size_of(type) > limits.count) return PayloadFault::too_many;
  out = ArrayView{type, payload.size() / size_of(type), std::nullopt, 0, payload.data()};
  return PayloadFault::none;
}

std::size_t decode_elements(const ArrayView& view, std::span<double> out) {
  ALARA_ASSERT(out.size() <= view.count, "decode_elements: more elements asked for than the array has");
  return with_type(view.type, [&](auto like) { return decode_as<decltype(like)>(view.elements, out); });
}

void write_array(const ArrayHeader& header, std::span<const double> values, std::vector<std::uint8_t>& out) {
  out.clear();
  out.push_back(kMagic0);
  out.push_back(kMagic1);
  out.push_back(static_cast<std::uint8_t>(header.type));
  out.push_back(static_cast<std::uint8_t>((header.time ? kFlagTimed : 0) | (header.step > 0 ? kFlagStepped : 0)));
  store(static_cast<std::uint32_t>(values.size()), out);
  store(header.time.value_or(0), out);
  if (header.step > 0) store(header.step, out);
  with_type(header.type, [&](auto like) {
    for (const double value : values) store(narrow<decltype(like)>(value), out);
  });
}

}  // namespace alara::wire
