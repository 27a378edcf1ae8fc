// SPDX-License-Identifier: Apache-2.0
#include "wire/messagepack.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace alara::wire::messagepack {
namespace {

// Lead bytes, by their names in the specification.
enum Lead : std::uint8_t {
  kFixMap = 0x80,
  kFixArray = 0x90,
  kFixText = 0xA0,
  kNil = 0xC0,
  kUnused = 0xC1,
  kFalse = 0xC2,
  kTrue = 0xC3,
  kBytes8 = 0xC4,
  kExtension8 = 0xC7,
  kFloat32 = 0xCA,
  kFloat64 = 0xCB,
  kUnsigned8 = 0xCC,
  kSigned8 = 0xD0,
  kFixExtension1 = 0xD4,
  kFixExtension4 = 0xD6,
  kFixExtension8 = 0xD7,
  kText8 = 0xD9,
  kArray16 = 0xDC,
  kMap16 = 0xDE,
  kNegativeFix = 0xE0,
};

std::uint64_t big_endian(const std::uint8_t* from, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | from[i];
  return value;
}

void put_big_endian(std::uint64_t value, int bytes, std::string& out) {
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
}

void put_lead(int lead, std::string& out) { out += static_cast<char>(lead); }

}  // namespace

bool Items::fail(PayloadFault fault) {
  fault_ = fault;
  at_ = end_;
  return false;
}

bool Items::take(std::size_t size, const std::uint8_t*& from) {
  if (size > static_cast<std::size_t>(end_ - at_)) return fail(PayloadFault::truncated);
  from = at_;
  at_ += size;
  return true;
}

bool Items::unsigned_number(std::size_t size, std::uint64_t& out) {
  const std::uint8_t* from = nullptr;
  if (!take(size, from)) return false;
  out = big_endian(from, size);
  return true;
}

bool Items::blob(Kind kind, std::uint64_t size, Item& out) {
  const std::uint8_t* from = nullptr;
  if (kind == Kind::extension) {
    if (!take(1, from)) return false;
    out.extension = static_cast<std::int8_t>(*from);
  }
  if (!take(static_cast<std::size_t>(size), from)) return false;
  out.kind = kind;
  out.text = {reinterpret_cast<const char*>(from), static_cast<std::size_t>(size)};
  return true;
}

// What has its size or count in `size_bytes` bytes before it.
bool Items::sized(Kind kind, std::size_t size_bytes, Item& out) {
  std::uint64_t size = 0;
  if (!unsigned_number(size_bytes, size)) return false;
  if (kind != Kind::array && kind != Kind::map) return blob(kind, size, out);
  out.kind = kind;
  out.count = static_cast<std::uint32_t>(size);
  return true;
}

bool Items::number(std::uint8_t lead, Item& out) {
  const std::size_t size = std::size_t{1} << (lead & 3);
  std::uint64_t bits = 0;
  if (!unsigned_number(size, bits)) return false;
  out.kind = Kind::integer;
  if (lead < kSigned8) {
    out.whole = static_cast<std::int64_t>(std::min<std::uint64_t>(bits, INT64_MAX));
    out.number = static_cast<double>(bits);
    return true;
  }
  const std::size_t unused = 64 - 8 * size;
  out.whole = static_cast<std::int64_t>(bits << unused) >> unused;
  out.number = static_cast<double>(out.whole);
  return true;
}

bool Items::real(std::uint8_t lead, Item& out) {
  std::uint64_t bits = 0;
  if (!unsigned_number(lead == kFloat32 ? 4 : 8, bits)) return false;
  out.kind = Kind::real;
  out.number = lead == kFloat32 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits)) : std::bit_cast<double>(bits);
  return true;
}

bool Items::next(Item& out) {
  const std::uint8_t* from = nullptr;
  if (!take(1, from)) return false;
  const std::uint8_t lead = *from;
  if (lead < kFixMap || lead >= kNegativeFix) {
    out.kind = Kind::integer;
    out.whole = lead < kFixMap ? lead : lead - 256;
    out.number = static_cast<double>(out.whole);
    return true;
  }
  if (lead < kFixText) {
    out.kind = lead < kFixArray ? Kind::map : Kind::array;
    out.count = lead & 0xFu;
    return true;
  }
  if (lead < kNil) return blob(Kind::text, lead & 0x1Fu, out);
  if (lead == kNil || lead == kUnused) {
    out.kind = Kind::nil;
    return lead == kNil || fail(PayloadFault::malformed);
  }
  if (lead <= kTrue) {
    out.kind = Kind::boolean;
    out.number = lead == kTrue ? 1 : 0;
    return true;
  }
  if (lead < kExtension8) return sized(Kind::bytes, std::size_t{1} << (lead - kBytes8), out);
  if (lead < kFloat32) return sized(Kind::extension, std::size_t{1} << (lead - kExtension8), out);
  if (lead <= kFloat64) return real(lead, out);
  if (lead < kFixExtension1) return number(lead, out);
  if (lead < kText8) return blob(Kind::extension, std::uint64_t{1} << (lead - kFixExtension1), out);
  if (lead < kArray16) return sized(Kind::text, std::size_t{1} << (lead - kText8), out);
  return sized(lead < kMap16 ? Kind::array : Kind::map, (lead & 1) == 0 ? 2 : 4, out);
}

bool Items::skip(const Item& head) {
  // At most 2^33 for each byte of the payload: no overflow.
  const auto within = [](const Item& item) -> std::uint64_t {
    return item.kind == Kind::map ? 2ull * item.count : item.kind == Kind::array ? item.count : 0;
  };
  Item item;
  for (std::uint64_t left = within(head); left > 0; left += within(item) - 1)
    if (!next(item)) return false;
  return true;
}

Nanos instant_of(const Item& item) {
  if (item.kind != Kind::extension || item.extension != kTimestamp) return -1;
  const auto* const from = reinterpret_cast<const std::uint8_t*>(item.text.data());
  std::uint64_t seconds = 0, nanoseconds = 0;
  if (item.text.size() == 4) {
    seconds = big_endian(from, 4);
  } else if (item.text.size() == 8) {
    const std::uint64_t both = big_endian(from, 8);
    nanoseconds = both >> 34;
    seconds = both & ((1ull << 34) - 1);
  } else if (item.text.size() == 12) {
    nanoseconds = big_endian(from, 4);
    seconds = big_endian(from + 4, 8);
  } else {
    return -1;
  }
  constexpr std::uint64_t kMost = INT64_MAX / kSecond;
  if (nanoseconds >= kSecond || seconds > kMost || (seconds == kMost && nanoseconds > INT64_MAX % kSecond)) return -1;
  return static_cast<Nanos>(seconds * kSecond + nanoseconds);
}

void put_array(std::uint32_t count, std::string& out) {
  if (count < 16) return put_lead(kFixArray | static_cast<int>(count), out);
  put_lead(count <= UINT16_MAX ? kArray16 : kArray16 + 1, out);
  put_big_endian(count, count <= UINT16_MAX ? 2 : 4, out);
}

void put_map(std::uint32_t pairs, std::string& out) {
  if (pairs < 16) return put_lead(kFixMap | static_cast<int>(pairs), out);
  put_lead(pairs <= UINT16_MAX ? kMap16 : kMap16 + 1, out);
  put_big_endian(pairs, pairs <= UINT16_MAX ? 2 : 4, out);
}

void put_text(std::string_view text, std::string& out) {
  const std::size_t size = text.size();
  if (size < 32) {
    put_lead(kFixText | static_cast<int>(size), out);
  } else {
    const int power = size <= UINT8_MAX ? 0 : size <= UINT16_MAX ? 1 : 2;
    put_lead(kText8 + power, out);
    put_big_endian(size, 1 << power, out);
  }
  out += text;
}

void put_unsigned(std::uint64_t value, std::string& out) {
  if (value < kFixMap) return put_lead(static_cast<int>(value), out);
  const int power = value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;
  put_lead(kUnsigned8 + power, out);
  put_big_endian(value, 1 << power, out);
}

void put_real(double value, std::string& out) {
  const auto narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) == value || std::isnan(value)) {
    put_lead(kFloat32, out);
    return put_big_endian(std::bit_cast<std::uint32_t>(narrow), 4, out);
  }
  put_lead(kFloat64, out);
  put_big_endian(std::bit_cast<std::uint64_t>(value), 8, out);
}

void put_instant(Nanos instant, std::string& out) {
  const auto seconds = static_cast<std::uint64_t>(instant / kSecond);
  const auto nanoseconds = static_cast<std::uint64_t>(instant % kSecond);
  const bool whole = nanoseconds == 0 && seconds <= UINT32_MAX;
  put_lead(whole ? kFixExtension4 : kFixExtension8, out);
  put_lead(kTimestamp, out);
  put_big_endian(whole ? seconds : nanoseconds << 34 | seconds, whole ? 4 : 8, out);
}

}  // namespace alara::wire::messagepack
