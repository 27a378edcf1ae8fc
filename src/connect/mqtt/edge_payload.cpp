// SPDX-License-Identifier: Apache-2.0
// An edge node writes few of the message's fields, and of a command reads fewer. Field numbers are those of
// sparkplug_b.proto (Sparkplug 3.0, section 6.4).
#include "connect/mqtt/edge_payload.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/text.hpp"
#include "wire/protobuf.hpp"

namespace alara::mqtt {
namespace {

using wire::protobuf::Fields;
using wire::protobuf::kBytes;
using wire::protobuf::kFixed32;
using wire::protobuf::kFixed64;
using wire::protobuf::kVarint;
using wire::protobuf::put_bytes;
using wire::protobuf::put_fixed32;
using wire::protobuf::put_fixed64;
using wire::protobuf::put_number;

enum DataType : std::uint32_t {
  kInt8 = 1,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kFloat,
  kDouble,
  kBoolean,
  kString
};

std::uint32_t data_type(SignalType type) {
  switch (type) {
    case SignalType::boolean:
      return kBoolean;
    case SignalType::int16:
      return kInt16;
    case SignalType::uint16:
      return kUInt16;
    case SignalType::int32:
      return kInt32;
    case SignalType::uint32:
      return kUInt32;
    case SignalType::int64:
      return kInt64;
    case SignalType::uint64:
      return kUInt64;
    case SignalType::float32:
      return kFloat;
    case SignalType::float64:
      return kDouble;
  }
  return kDouble;
}

// The nearest integer within [least, most], as two's complement.
std::uint64_t integer_of(double value, double least, double most) {
  const double kept = std::clamp(std::nearbyint(value), least, most);
  return kept < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(kept)) : static_cast<std::uint64_t>(kept);
}

void put_value(const EdgeMetric& metric, std::string& out) {
  const double value = metric.value;
  const auto int_value = [&](double least, double most) {
    put_number(10, static_cast<std::uint32_t>(integer_of(value, least, most)), out);
  };
  switch (metric.type) {
    case SignalType::boolean:
      return put_number(14, value != 0 ? 1 : 0, out);
    case SignalType::int16:
      return int_value(-32768, 32767);
    case SignalType::uint16:
      return int_value(0, 65535);
    case SignalType::int32:
      return int_value(-0x1p31, 0x1p31 - 1);
    case SignalType::uint32:
      return int_value(0, 0x1p32 - 1);
    // The largest doubles below 2^63 and 2^64.
    case SignalType::int64:
      return put_number(11, integer_of(value, -0x1p63, 0x1p63 - 1024), out);
    case SignalType::uint64:
      return put_number(11, integer_of(value, 0, 0x1p64 - 2048), out);
    case SignalType::float32:
      return put_fixed32(12, std::bit_cast<std::uint32_t>(static_cast<float>(value)), out);
    case SignalType::float64:
      return put_fixed64(13, std::bit_cast<std::uint64_t>(value), out);
  }
}

// Quality as Sparkplug numbers it: good 192, stale 500, bad 0.
std::uint32_t quality_code(Quality quality) {
  return quality == Quality::good ? 192 : quality == Quality::uncertain ? 500 : 0;
}

// A property set is a list of keys and a list of as many values.
std::string properties_of(const EdgeMetric& metric) {
  std::string keys, values;
  if (metric.quality) {
    std::string value;
    put_number(1, kInt32, value);
    put_number(3, quality_code(*metric.quality), value);
    put_bytes(1, "Quality", keys);
    put_bytes(2, value, values);
  }
  if (!metric.unit.empty()) {
    std::string value;
    put_number(1, kString, value);
    put_bytes(8, metric.unit, value);
    put_bytes(1, "engUnit", keys);
    put_bytes(2, value, values);
  }
  return keys + values;
}

std::uint64_t milliseconds(Nanos time) { return static_cast<std::uint64_t>(std::max<Nanos>(time, 0) / kMillisecond); }

// An integer of a declared type, its sign restored.
double integer_value(std::uint64_t raw, std::uint64_t type) {
  switch (type) {
    case kInt8:
      return static_cast<std::int8_t>(raw);
    case kInt16:
      return static_cast<std::int16_t>(raw);
    case kInt32:
      return static_cast<std::int32_t>(raw);
    case kInt64:
      return static_cast<double>(static_cast<std::int64_t>(raw));
    default:
      return static_cast<double>(raw);
  }
}

Result<WrittenMetric> decode_metric(std::span<const std::uint8_t> bytes) {
  WrittenMetric out;
  Fields fields(bytes);
  std::uint64_t type = 0, raw = 0;
  int bits = 0;
  while (fields.next()) {
    if (fields.is(1, kBytes)) {
      out.name = fields.text();
    } else if (fields.is(2, kVarint)) {
      out.alias = fields.number();
    } else if (fields.is(4, kVarint)) {
      type = fields.number();
    } else if (fields.is(7, kVarint)) {
      out.null = fields.number() != 0;
    } else if (fields.is(10, kVarint) || fields.is(11, kVarint)) {
      bits = fields.is(10, kVarint) ? 32 : 64;
      raw = fields.number();
    } else if (fields.is(12, kFixed32)) {
      out.value = std::bit_cast<float>(static_cast<std::uint32_t>(fields.number()));
    } else if (fields.is(13, kFixed64)) {
      out.value = std::bit_cast<double>(fields.number());
    } else if (fields.is(14, kVarint)) {
      out.value = fields.number() != 0 ? 1 : 0;
    }
  }
  if (!fields.ok()) return fail(ErrorKind::corrupt, "a metric of the command is no Sparkplug metric");
  if (!valid_utf8(out.name)) return fail(ErrorKind::corrupt, "a metric's name is not UTF-8 text");
  if (bits != 0) out.value = integer_value(bits == 32 ? raw & UINT32_MAX : raw, type);
  if (bits != 0 && type == 0) out.untyped_bits = bits;
  if (out.null) out.value.reset();
  return out;
}

}  // namespace

void encode_edge_payload(Nanos time, std::optional<std::uint8_t> seq, std::span<const EdgeMetric> metrics,
                         std::string& out) {
  out.clear();
  put_number(1, milliseconds(time), out);
  std::string bytes;
  for (const EdgeMetric& metric : metrics) {
    bytes.clear();
    if (!metric.name.empty()) put_bytes(1, metric.name, bytes);
    if (metric.alias) put_number(2, *metric.alias, bytes);
    put_number(3, milliseconds(metric.time), bytes);
    put_number(4, data_type(metric.type), bytes);
    if (metric.historical) put_number(5, 1, bytes);
    if (metric.null) put_number(7, 1, bytes);
    if (metric.quality || !metric.unit.empty()) put_bytes(9, properties_of(metric), bytes);
    if (!metric.null) put_value(metric, bytes);
    put_bytes(2, bytes, out);
  }
  if (seq) put_number(3, *seq, out);
}

Result<std::vector<WrittenMetric>> decode_command(std::span<const std::uint8_t> payload) {
  if (payload.size() > kMaxCommandBytes)
    return fail(ErrorKind::exhausted, "a command of {} bytes is larger than {}", payload.size(), kMaxCommandBytes);
  std::vector<WrittenMetric> out;
  Fields fields(payload);
  while (fields.next()) {
    if (!fields.is(2, kBytes)) continue;
    if (out.size() >= kMaxCommandMetrics)
      return fail(ErrorKind::exhausted, "a command has more than {} metrics", kMaxCommandMetrics);
    ALARA_TRY(WrittenMetric metric, decode_metric(fields.bytes()));
    out.push_back(std::move(metric));
  }
  if (!fields.ok()) return fail(ErrorKind::corrupt, "the command is no Sparkplug payload");
  return out;
}

}  // namespace alara::mqtt
