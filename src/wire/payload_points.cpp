// SPDX-License-Identifier: Apache-2.0
#include "wire/payload_points.hpp"

#include <array>
#include <cmath>

#include "base/text.hpp"

namespace alara::wire {
namespace {

constexpr std::array<std::string_view, 3> kNames{"protobuf", "flatbuffers", "messagepack"};

PayloadFault fault_of(std::string_view text) {
  if (text.size() > kMaxPointText) return PayloadFault::too_large;
  return ascii(text) || valid_utf8(text) ? PayloadFault::none : PayloadFault::not_utf8;
}

}  // namespace

std::string_view name_of(PointFormat format) { return kNames[static_cast<std::size_t>(format)]; }

std::optional<PointFormat> point_format_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<PointFormat>(i);
  return std::nullopt;
}

std::unique_ptr<PointCodec> make_point_codec(PointFormat format) {
  switch (format) {
    case PointFormat::protobuf:
      return make_protobuf_codec();
    case PointFormat::flatbuffers:
      return make_flatbuffers_codec();
    case PointFormat::messagepack:
      break;
  }
  return make_messagepack_codec();
}

void settle(Point& point) {
  for (std::string_view* const text : {&point.name, &point.unit}) {
    if (text->empty()) continue;
    const PayloadFault fault = fault_of(*text);
    if (fault == PayloadFault::none) continue;
    point.fault = fault;
    *text = {};
  }
  if (point.fault != PayloadFault::none) return;
  if (!std::isfinite(point.value)) point.fault = PayloadFault::not_finite;
  if (point.time < 0) point.fault = PayloadFault::bad_time;
}

Quality quality_of_code(std::uint64_t code) { return code < 2 ? static_cast<Quality>(code) : Quality::bad; }

}  // namespace alara::wire
