// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the point formats have in common: any bytes are a fault or points, points without a fault
// are fit for use, and what was read is the same when it was written and read again.
#pragma once

#include <cmath>
#include <cstdlib>

#include "base/text.hpp"
#include "wire/payload_points.hpp"

namespace alara::wire {

inline bool same(const Point& a, const Point& b) {
  return a.name == b.name && a.alias == b.alias && a.value == b.value && a.time == b.time && a.quality == b.quality &&
         a.unit == b.unit;
}

inline int fuzz_points(PointFormat format, std::span<const std::uint8_t> payload) {
  PayloadLimits limits;
  limits.count = 1000;
  const auto codec = make_point_codec(format);
  std::vector<Point> points;
  if (codec->read(payload, limits, points) != PayloadFault::none) return 0;
  if (points.size() > limits.count) std::abort();
  std::erase_if(points, [](const Point& point) { return point.fault != PayloadFault::none; });
  for (const Point& point : points)
    if (!std::isfinite(point.value) || point.time < 0 || !valid_utf8(point.name) || !valid_utf8(point.unit))
      std::abort();

  std::string written;
  codec->write(points, written);
  limits.bytes = written.size();
  std::vector<Point> again;
  const auto other = make_point_codec(format);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(written.data()), written.size());
  if (other->read(bytes, limits, again) != PayloadFault::none || again.size() != points.size()) std::abort();
  for (std::size_t i = 0; i < points.size(); ++i)
    if (again[i].fault != PayloadFault::none || !same(points[i], again[i])) std::abort();
  return 0;
}

}  // namespace alara::wire
