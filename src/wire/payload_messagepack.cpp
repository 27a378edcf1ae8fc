// SPDX-License-Identifier: Apache-2.0
// Points as MessagePack: an array of maps (or a single map) with the members that points have in JSON, under short or
// long names; docs/formats/README.md has the table. Written are the short ones.
#include <algorithm>

#include "base/quantity.hpp"
#include "wire/messagepack.hpp"
#include "wire/payload_points.hpp"

namespace alara::wire {
namespace {

using messagepack::Item;
using messagepack::Items;
using messagepack::Kind;

enum class Member : std::uint8_t { name, alias, value, time, quality, unit, unknown };

Member member_named(std::string_view key) {
  if (key == "n" || key == "name") return Member::name;
  if (key == "a" || key == "alias") return Member::alias;
  if (key == "v" || key == "value") return Member::value;
  if (key == "t" || key == "ts" || key == "time" || key == "timestamp") return Member::time;
  if (key == "q" || key == "quality") return Member::quality;
  if (key == "u" || key == "unit") return Member::unit;
  return Member::unknown;
}

void put_point(const Point& point, std::string& out) {
  using namespace messagepack;
  const bool named = !point.name.empty(), aliased = point.alias != 0, timed = point.time > 0;
  const bool doubtful = point.quality != Quality::good, has_unit = !point.unit.empty();
  put_map(1u + named + aliased + timed + doubtful + has_unit, out);
  if (named) {
    put_text("n", out);
    put_text(point.name, out);
  }
  if (aliased) {
    put_text("a", out);
    put_unsigned(point.alias, out);
  }
  put_text("v", out);
  put_real(point.value, out);
  if (timed) {
    put_text("t", out);
    put_instant(point.time, out);
  }
  if (doubtful) {
    put_text("q", out);
    put_unsigned(static_cast<std::uint64_t>(point.quality), out);
  }
  if (has_unit) {
    put_text("u", out);
    put_text(point.unit, out);
  }
}

PayloadFault take_value(const Item& item, double& out) {
  if (item.kind == Kind::nil) return PayloadFault::missing;
  if (item.kind != Kind::integer && item.kind != Kind::real && item.kind != Kind::boolean)
    return PayloadFault::wrong_type;
  out = item.number;
  return PayloadFault::none;
}

// The instant that an item says, in any of the ways that are common; nullopt when it says none.
std::optional<Nanos> time_of(const Item& item) {
  if (item.kind == Kind::nil) return 0;
  if (item.kind == Kind::integer) return instant_of(item.whole);
  if (item.kind == Kind::real) return instant_of(item.number);
  if (item.kind == Kind::extension) {
    const Nanos instant = messagepack::instant_of(item);
    return instant < 0 ? std::nullopt : std::optional(instant);
  }
  if (item.kind != Kind::text) return std::nullopt;
  const auto parsed = parse_instant(item.text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

Quality quality_of(const Item& item) {
  if (item.kind == Kind::text) return wire::quality_of(item.text);
  if (item.kind == Kind::boolean) return item.number != 0 ? Quality::good : Quality::bad;
  if (item.kind == Kind::integer || item.kind == Kind::real) return wire::quality_of(item.number);
  return Quality::bad;
}

// False when the message is no message of points.
bool take_member(Member member, const Item& item, PayloadFault& time_fault, Point& point) {
  switch (member) {
    case Member::name:
    case Member::unit:
      if (item.kind != Kind::text && item.kind != Kind::nil) return false;
      (member == Member::name ? point.name : point.unit) = item.kind == Kind::text ? item.text : std::string_view{};
      return true;
    case Member::alias:
      if (item.kind != Kind::integer || item.whole < 0 || item.whole > UINT32_MAX) return false;
      point.alias = static_cast<std::uint32_t>(item.whole);
      return true;
    case Member::value:
      point.fault = take_value(item, point.value);
      return true;
    case Member::time: {
      const auto time = time_of(item);
      time_fault = time ? PayloadFault::none : PayloadFault::bad_time;
      point.time = time.value_or(0);
      return true;
    }
    case Member::quality:
      point.quality = quality_of(item);
      return true;
    case Member::unknown:
      break;
  }
  return true;
}

// The members of a map whose head was just taken. A fault of the whole payload is returned.
PayloadFault read_point(Items& items, const Item& head, Point& point) {
  if (head.kind != Kind::map) {
    point.fault = PayloadFault::wrong_type;
    return items.skip(head) ? PayloadFault::none : items.fault();
  }
  point.fault = PayloadFault::missing;  // until a value is there
  PayloadFault time_fault = PayloadFault::none;
  for (std::uint32_t left = head.count; left > 0; --left) {
    Item key, item;
    if (!items.next(key) || !items.skip(key) || !items.next(item) || !items.skip(item)) return items.fault();
    if (key.kind == Kind::text && !take_member(member_named(key.text), item, time_fault, point))
      return PayloadFault::malformed;
  }
  if (point.fault == PayloadFault::none) point.fault = time_fault;
  settle(point);
  return PayloadFault::none;
}

PayloadFault read_points(Items& items, std::uint32_t count, std::size_t most, std::vector<Point>& out) {
  if (count > most) return PayloadFault::too_many;
  for (std::uint32_t i = 0; i < count; ++i) {
    Item head;
    if (!items.next(head)) return items.fault();
    if (const PayloadFault fault = read_point(items, head, out.emplace_back()); fault != PayloadFault::none)
      return fault;
  }
  return PayloadFault::none;
}

class MessagePackCodec final : public PointCodec {
 public:
  void write(std::span<const Point> points, std::string& out) override {
    out.clear();
    messagepack::put_array(static_cast<std::uint32_t>(points.size()), out);
    for (const Point& point : points) put_point(point, out);
  }

  PayloadFault read(std::span<const std::uint8_t> payload, const PayloadLimits& limits,
                    std::vector<Point>& out) override {
    out.clear();
    if (payload.size() > limits.bytes) return PayloadFault::too_large;
    Items items(payload);
    Item head;
    if (!items.next(head)) return items.fault();
    if (head.kind != Kind::array && head.kind != Kind::map) return PayloadFault::wrong_type;
    const PayloadFault fault = head.kind == Kind::map ? read_point(items, head, out.emplace_back())
                                                      : read_points(items, head.count, limits.count, out);
    if (fault != PayloadFault::none) return fault;
    return items.at_end() ? PayloadFault::none : PayloadFault::malformed;
  }
};

}  // namespace

std::unique_ptr<PointCodec> make_messagepack_codec() { return std::make_unique<MessagePackCodec>(); }

}  // namespace alara::wire
