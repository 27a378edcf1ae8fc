// SPDX-License-Identifier: Apache-2.0
// Protocol Buffers by hand (protobuf.dev, "Encoding"): fields put one after another, and walked over again. Enough for
// the few messages we speak; which field means what is the business of each message's own file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace alara::wire::protobuf {

enum Wire : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline void put_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
inline void put_little_endian(std::uint64_t bits, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(bits >> (8 * i));
}
inline void put_number(std::uint32_t field, std::uint64_t value, std::string& out) {
  put_varint(field << 3 | kVarint, out);
  put_varint(value, out);
}
inline void put_fixed32(std::uint32_t field, std::uint32_t bits, std::string& out) {
  put_varint(field << 3 | kFixed32, out);
  put_little_endian(bits, 4, out);
}
inline void put_fixed64(std::uint32_t field, std::uint64_t bits, std::string& out) {
  put_varint(field << 3 | kFixed64, out);
  put_little_endian(bits, 8, out);
}
inline void put_bytes(std::uint32_t field, std::string_view bytes, std::string& out) {
  put_varint(field << 3 | kBytes, out);
  put_varint(bytes.size(), out);
  out += bytes;
}

// Signed integers of the type sint64: small ones of either sign in few bytes.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

// Walks over the fields of a message; stops, with ok() false, at what is no field. Borrows the bytes.
class Fields {
 public:
  explicit Fields(std::span<const std::uint8_t> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool next() {
    if (at_ == end_ || !ok_) return false;
    const std::uint64_t tag = varint();
    field_ = tag >> 3;
    wire_ = static_cast<std::uint32_t>(tag & 7);
    if (wire_ == kVarint) {
      number_ = varint();
    } else if (wire_ == kFixed64) {
      number_ = little_endian(8);
    } else if (wire_ == kFixed32) {
      number_ = little_endian(4);
    } else if (wire_ == kBytes) {
      bytes_ = take(varint());
    } else {
      ok_ = false;
    }
    return ok_ && (ok_ = field_ != 0);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool is(std::uint64_t field, std::uint32_t wire) const { return field_ == field && wire_ == wire; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

 private:
  std::span<const std::uint8_t> take(std::uint64_t size) {
    ok_ = ok_ && size <= static_cast<std::uint64_t>(end_ - at_);
    if (!ok_) return {};
    const std::span taken(at_, static_cast<std::size_t>(size));
    at_ += taken.size();
    return taken;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70 && at_ != end_; shift += 7) {
      const std::uint8_t byte = *at_++;
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::uint64_t little_endian(std::size_t size) {
    std::uint64_t value = 0;
    const auto taken = take(size);
    for (std::size_t i = 0; i < taken.size(); ++i) value |= static_cast<std::uint64_t>(taken[i]) << (8 * i);
    return value;
  }

  const std::uint8_t* at_;
  const std::uint8_t* const end_;
  std::span<const std::uint8_t> bytes_;
  std::uint64_t field_ = 0, number_ = 0;
  std::uint32_t wire_ = 0;
  bool ok_ = true;
};

}  // namespace alara::wire::protobuf
