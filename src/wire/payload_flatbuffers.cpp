// SPDX-License-Identifier: Apache-2.0
// Points as FlatBuffers, of the schema docs/formats/alara.fbs. Nothing is looked at before the Verifier has seen all of
// it; then points are read where they lie.
#include <algorithm>
#include <cstring>

#include "alara_generated.h"
#include "wire/payload_points.hpp"

namespace alara::wire {
namespace {

using Texts = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;
using TextOffset = flatbuffers::Offset<flatbuffers::String>;

constexpr std::size_t kAlignment = alignof(flatbuffers::uoffset_t);
constexpr std::size_t kMostUnits = UINT16_MAX;

std::string_view text_at(const Texts* texts, std::size_t index) {
  if (texts == nullptr || index >= texts->size()) return {};
  const flatbuffers::String* const text = texts->Get(static_cast<flatbuffers::uoffset_t>(index));
  return {text->c_str(), text->size()};
}

class FlatBuffersCodec final : public PointCodec {
 public:
  void write(std::span<const Point> points, std::string& out) override {
    builder_.Clear();
    unit_texts_.clear();
    units_.clear();
    structs_.clear();
    for (const Point& point : points)
      structs_.emplace_back(point.time, point.value, point.alias, unit_number(point.unit),
                            static_cast<format::Quality>(point.quality));
    const auto structs = builder_.CreateVectorOfStructs(structs_);
    const auto names = put_names(points);
    const auto units = put_units();
    builder_.Finish(format::CreatePoints(builder_, structs, names, units), format::PointsIdentifier());
    out.assign(reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize());
  }

  PayloadFault read(std::span<const std::uint8_t> payload, const PayloadLimits& limits,
                    std::vector<Point>& out) override {
    if (payload.size() > limits.bytes) return PayloadFault::too_large;
    payload = aligned(payload);
    flatbuffers::Verifier verifier(payload.data(), payload.size());
    if (!format::VerifyPointsBuffer(verifier)) return PayloadFault::malformed;
    const format::Points& message = *format::GetPoints(payload.data());
    const std::size_t count = message.points() == nullptr ? 0 : message.points()->size();
    if (count > limits.count) return PayloadFault::too_many;
    const Texts* const names = message.names();
    if (names != nullptr && names->size() != count) return PayloadFault::malformed;

    out.resize(count);
    // The Verifier vouches for an alignment of 4, doubles have 8.
    const std::uint8_t* from = count == 0 ? nullptr : message.points()->Data();
    for (std::size_t i = 0; i < count; ++i, from += sizeof(format::Point)) {
      format::Point point;
      std::memcpy(&point, from, sizeof point);
      out[i] = {.name = text_at(names, i),
                .alias = point.alias(),
                .value = point.value(),
                .time = point.time(),
                .quality = quality_of_code(static_cast<std::uint64_t>(point.quality())),
                .unit = point.unit() == 0 ? std::string_view{} : text_at(message.units(), point.unit() - 1u)};
      settle(out[i]);
    }
    return PayloadFault::none;
  }

 private:
  // FlatBuffers begin at a multiple of 4; a payload within a larger packet may not.
  std::span<const std::uint8_t> aligned(std::span<const std::uint8_t> payload) {
    if (reinterpret_cast<std::uintptr_t>(payload.data()) % kAlignment == 0) return payload;
    copy_.assign(payload.begin(), payload.end());
    return copy_;
  }

  // One more than the unit's place among those of the message. Messages have few units, neighbours often the same.
  std::uint16_t unit_number(std::string_view unit) {
    if (unit.empty()) return 0;
    const auto found = std::find(unit_texts_.rbegin(), unit_texts_.rend(), unit);
    if (found != unit_texts_.rend()) return static_cast<std::uint16_t>(unit_texts_.rend() - found);
    if (unit_texts_.size() == kMostUnits) return 0;
    unit_texts_.push_back(unit);
    return static_cast<std::uint16_t>(unit_texts_.size());
  }

  flatbuffers::Offset<Texts> put_names(std::span<const Point> points) {
    if (std::ranges::all_of(points, [](const Point& point) { return point.name.empty(); })) return 0;
    offsets_.clear();
    TextOffset nameless;
    for (const Point& point : points) {
      if (!point.name.empty()) {
        offsets_.push_back(builder_.CreateString(point.name.data(), point.name.size()));
        continue;
      }
      if (nameless.IsNull()) nameless = builder_.CreateString("");
      offsets_.push_back(nameless);
    }
    return builder_.CreateVector(offsets_);
  }

  flatbuffers::Offset<Texts> put_units() {
    if (unit_texts_.empty()) return 0;
    for (const std::string_view unit : unit_texts_) units_.push_back(builder_.CreateString(unit.data(), unit.size()));
    return builder_.CreateVector(units_);
  }

  flatbuffers::FlatBufferBuilder builder_;
  std::vector<format::Point> structs_;
  std::vector<std::string_view> unit_texts_;
  std::vector<TextOffset> units_, offsets_;
  std::vector<std::uint8_t> copy_;
};

}  // namespace

std::unique_ptr<PointCodec> make_flatbuffers_codec() { return std::make_unique<FlatBuffersCodec>(); }

}  // namespace alara::wire
