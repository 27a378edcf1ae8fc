// SPDX-License-Identifier: Apache-2.0
#include "wire/can/dbc.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace alara::wire::can {
namespace {

std::uint64_t mask_of(unsigned bits) { return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

// Position of a big-endian field's first bit when bits are counted from the highest of byte 0 onwards.
unsigned first_bit(const BitField& field) { return field.start / 8u * 8u + (7u - field.start % 8u); }

}  // namespace

std::size_t BitField::bytes() const {
  const unsigned last = (big_endian ? first_bit(*this) : start) + length;  // one behind
  return (last + 7u) / 8u;
}

std::uint64_t BitField::extract(std::span<const std::uint8_t> data) const {
  std::uint64_t value = 0;
  if (!big_endian) {
    std::size_t byte = start / 8u;
    unsigned bit = start % 8u;
    for (unsigned got = 0; got < length; bit = 0, ++byte) {
      const unsigned take = std::min(8u - bit, length - got);
      value |= (data[byte] >> bit & mask_of(take)) << got;
      got += take;
    }
    return value;
  }
  unsigned at = first_bit(*this);
  for (unsigned left = length; left > 0;) {
    const unsigned bit = at % 8u, take = std::min(8u - bit, left);
    const std::uint64_t part = data[at / 8u] >> (8u - bit - take) & mask_of(take);
    value = take == 64 ? part : value << take | part;
    at += take;
    left -= take;
  }
  return value;
}

void BitField::insert(std::uint64_t bits, std::span<std::uint8_t> data) const {
  const auto put = [&data](std::size_t byte, unsigned shift, unsigned take, std::uint64_t part) {
    const auto mask = static_cast<std::uint8_t>(mask_of(take) << shift);
    data[byte] = static_cast<std::uint8_t>((data[byte] & ~mask) | (part << shift & mask));
  };
  if (!big_endian) {
    std::size_t byte = start / 8u;
    unsigned bit = start % 8u;
    for (unsigned done = 0; done < length; bit = 0, ++byte) {
      const unsigned take = std::min(8u - bit, length - done);
      put(byte, bit, take, bits >> done);
      done += take;
    }
    return;
  }
  unsigned at = first_bit(*this);
  for (unsigned left = length; left > 0;) {
    const unsigned bit = at % 8u, take = std::min(8u - bit, left);
    left -= take;
    put(at / 8u, 8u - bit - take, take, bits >> left);
    at += take;
  }
}

double DbcSignal::value(std::span<const std::uint8_t> data) const {
  const std::uint64_t raw = bits.extract(data);
  double number = 0;
  if (kind == Kind::float32) {
    number = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
  } else if (kind == Kind::float64) {
    number = std::bit_cast<double>(raw);
  } else if (is_signed) {
    const unsigned unused = 64u - bits.length;
    number = static_cast<double>(static_cast<std::int64_t>(raw << unused) >> unused);
  } else {
    number = static_cast<double>(raw);
  }
  return number * factor + offset;
}

Status DbcSignal::put(double value, std::span<std::uint8_t> data) const {
  if (!std::isfinite(value)) return fail(ErrorKind::refused, "{}: {} is not a number that can be sent", name, value);
  if (least < most && (value < least || value > most))
    return fail(ErrorKind::refused, "{}: {:g} is not within {:g} to {:g}", name, value, least, most);
  const double number = (value - offset) / factor;
  std::uint64_t raw = 0;
  if (kind == Kind::float32) {
    raw = std::bit_cast<std::uint32_t>(static_cast<float>(number));
  } else if (kind == Kind::float64) {
    raw = std::bit_cast<std::uint64_t>(number);
  } else {
    const double whole = std::nearbyint(number);
    const double low = is_signed ? -std::ldexp(1.0, bits.length - 1) : 0;
    const double high = std::ldexp(1.0, is_signed ? bits.length - 1 : bits.length);  // one behind
    if (whole < low || whole >= high)
      return fail(ErrorKind::refused, "{}: {:g} does not fit its {} bits", name, value, bits.length);
    raw = is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) : static_cast<std::uint64_t>(whole);
  }
  bits.insert(raw, data);
  return {};
}

const DbcSignal* DbcMessage::find(std::string_view signal) const {
  const auto found = std::ranges::find(signals, signal, &DbcSignal::name);
  return found == signals.end() ? nullptr : &*found;
}

bool DbcMessage::has(const DbcSignal& signal, std::span<const std::uint8_t> data) const {
  if (signal.bits.bytes() > data.size()) return false;
  const DbcSignal* at = &signal;
  while (at->depends_on) {
    const DbcSignal& chosen = signals[*at->depends_on];
    if (chosen.bits.bytes() > data.size()) return false;
    const std::uint64_t raw = chosen.bits.extract(data);
    const auto within = [raw](const auto& range) { return raw >= range.first && raw <= range.second; };
    if (std::ranges::none_of(at->present_for, within)) return false;
    at = &chosen;
  }
  return true;
}

Status DbcMessage::make_room(const DbcSignal& signal, std::span<std::uint8_t> data) const {
  const DbcSignal* at = &signal;
  while (at->depends_on) {
    const DbcSignal& chosen = signals[*at->depends_on];
    if (at->present_for.empty() || chosen.bits.bytes() > data.size())
      return fail(ErrorKind::refused, "{}.{}: no value of {} brings it into the message", name, at->name, chosen.name);
    if (!has(*at, data)) chosen.bits.insert(at->present_for.front().first, data);
    at = &chosen;
  }
  return {};
}

const DbcMessage* Dbc::find(std::string_view message) const {
  const auto found = std::ranges::find(messages, message, &DbcMessage::name);
  return found == messages.end() ? nullptr : &*found;
}

}  // namespace alara::wire::can
