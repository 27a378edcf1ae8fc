// SPDX-License-Identifier: Apache-2.0
// Messages of points in formats that others have tools for: Protocol Buffers, FlatBuffers and MessagePack. The schemas,
// and when to choose which, are in docs/formats/README.md. JSON is not among them: it is read by declared paths
// (payload_json.hpp), whatever its shape.
//
// A point goes by a name, by an alias (a number that stands for a name it was sent with once), or by neither when the
// topic says which point it is. What an alias means is remembered by who uses the codec, not by the codec.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "core/sample.hpp"
#include "wire/payload.hpp"

namespace alara::wire {

// Longer names and units are a fault of their point: a FlatBuffer may let many points share one text, and each costs.
inline constexpr std::size_t kMaxPointText = 1024;

enum class PointFormat : std::uint8_t { protobuf, flatbuffers, messagepack };
[[nodiscard]] std::string_view name_of(PointFormat format);  // "protobuf", "flatbuffers", "messagepack"
[[nodiscard]] std::optional<PointFormat> point_format_named(std::string_view name);

// One point, to be written or as it was read; texts are UTF-8 and borrowed.
struct Point {
  std::string_view name = {};
  std::uint32_t alias = 0;  // 0 = none
  double value = 0;
  Nanos time = 0;  // of the source, since the epoch; 0 = none
  Quality quality = Quality::good;
  // Of this point alone, when read: missing (no value, or null), wrong_type, not_finite, bad_time; or, of its texts,
  // not_utf8 and too_large (above kMaxPointText), and then they are empty.
  PayloadFault fault = PayloadFault::none;
  std::string_view unit = {};  // "degC"; "" = not said
};

// Writes and reads one format; keeps its memory between calls, which grows with the largest message. Not thread-safe.
class PointCodec {
 public:
  virtual ~PointCodec() = default;

  // Replaces `out` by one message of these points. A value that is not finite is written as it is, where the format
  // can (all three can), and is a fault of that point when read.
  virtual void write(std::span<const Point> points, std::string& out) = 0;
  // Replaces `out` by the points of a message, in their order. Faults of the whole payload: truncated, too_large,
  // malformed, too_many, wrong_type; `out` is then meaningless. Texts are valid as long as `payload`, and until the
  // next call.
  [[nodiscard]] virtual PayloadFault read(std::span<const std::uint8_t> payload, const PayloadLimits& limits,
                                          std::vector<Point>& out) = 0;
};
[[nodiscard]] std::unique_ptr<PointCodec> make_point_codec(PointFormat format);

// For codecs: what is to be checked of a point in any format, once all of it is read.
void settle(Point& point);
// For codecs: a quality written as 0, 1 or 2; any other number is bad.
[[nodiscard]] Quality quality_of_code(std::uint64_t code);

[[nodiscard]] std::unique_ptr<PointCodec> make_protobuf_codec();
[[nodiscard]] std::unique_ptr<PointCodec> make_flatbuffers_codec();
[[nodiscard]] std::unique_ptr<PointCodec> make_messagepack_codec();

}  // namespace alara::wire
