// SPDX-License-Identifier: Apache-2.0
// Points as Protocol Buffers; field numbers are those of docs/formats/alara.proto. Fields that are 0 are left out, as
// proto3 has it, and unknown ones are passed over.
#include <bit>

#include "wire/payload_points.hpp"
#include "wire/protobuf.hpp"

namespace alara::wire {
namespace {

using namespace protobuf;

constexpr std::uint32_t kTime = 1, kPoints = 2;                                                       // of Points
constexpr std::uint32_t kName = 1, kAlias = 2, kValue = 3, kTimeOffset = 4, kQuality = 5, kUnit = 6;  // of Point

// Instants wrap around and back instead of overflowing.
Nanos plus(Nanos a, Nanos b) {
  return static_cast<Nanos>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
Nanos minus(Nanos a, Nanos b) {
  return static_cast<Nanos>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

void put_point(const Point& point, Nanos base, std::string& out) {
  if (!point.name.empty()) put_bytes(kName, point.name, out);
  if (point.alias != 0) put_number(kAlias, point.alias, out);
  const auto bits = std::bit_cast<std::uint64_t>(point.value);
  if (bits != 0) put_fixed64(kValue, bits, out);
  if (point.time != base) put_number(kTimeOffset, zigzag(minus(point.time, base)), out);
  if (point.quality != Quality::good) put_number(kQuality, static_cast<std::uint64_t>(point.quality), out);
  if (!point.unit.empty()) put_bytes(kUnit, point.unit, out);
}

// False when the bytes are no point.
bool read_point(std::span<const std::uint8_t> bytes, Nanos base, Point& out) {
  std::uint64_t alias = 0;
  out.time = base;
  Fields fields(bytes);
  while (fields.next()) {
    if (fields.is(kName, kBytes)) {
      out.name = fields.text();
    } else if (fields.is(kAlias, kVarint)) {
      alias = fields.number();
    } else if (fields.is(kValue, kFixed64)) {
      out.value = std::bit_cast<double>(fields.number());
    } else if (fields.is(kTimeOffset, kVarint)) {
      out.time = plus(base, unzigzag(fields.number()));
    } else if (fields.is(kQuality, kVarint)) {
      out.quality = quality_of_code(fields.number());
    } else if (fields.is(kUnit, kBytes)) {
      out.unit = fields.text();
    }
  }
  out.alias = static_cast<std::uint32_t>(alias);
  settle(out);
  return fields.ok() && alias <= UINT32_MAX;
}

class ProtobufCodec final : public PointCodec {
 public:
  void write(std::span<const Point> points, std::string& out) override {
    out.clear();
    const Nanos base = points.empty() ? 0 : points.front().time;
    if (base != 0) put_fixed64(kTime, static_cast<std::uint64_t>(base), out);
    for (const Point& point : points) {
      bytes_.clear();
      put_point(point, base, bytes_);
      put_bytes(kPoints, bytes_, out);
    }
  }

  PayloadFault read(std::span<const std::uint8_t> payload, const PayloadLimits& limits,
                    std::vector<Point>& out) override {
    out.clear();
    if (payload.size() > limits.bytes) return PayloadFault::too_large;
    Nanos base = 0;
    std::size_t count = 0;
    Fields first(payload);  // the time may stand behind the points
    while (first.next()) {
      if (first.is(kTime, kFixed64)) base = static_cast<Nanos>(first.number());
      if (first.is(kPoints, kBytes)) ++count;
    }
    if (!first.ok()) return PayloadFault::malformed;
    if (count > limits.count) return PayloadFault::too_many;
    Fields second(payload);
    while (second.next())
      if (second.is(kPoints, kBytes) && !read_point(second.bytes(), base, out.emplace_back()))
        return PayloadFault::malformed;
    return PayloadFault::none;
  }

 private:
  std::string bytes_;  // of one point
};

}  // namespace

std::unique_ptr<PointCodec> make_protobuf_codec() { return std::make_unique<ProtobufCodec>(); }

}  // namespace alara::wire
