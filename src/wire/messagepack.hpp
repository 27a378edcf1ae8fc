// SPDX-License-Identifier: Apache-2.0
// MessagePack (github.com/msgpack/msgpack, spec.md) as a stream of items: no tree is built, nothing is allocated, and
// passing over what nobody wants takes no recursion, however deep it is nested.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "wire/payload.hpp"

namespace alara::wire::messagepack {

inline constexpr std::int8_t kTimestamp = -1;  // extension type

enum class Kind : std::uint8_t { nil, boolean, integer, real, text, bytes, array, map, extension };

// One item. Of arrays and maps only the head: their elements are the items that follow.
struct Item {
  Kind kind = Kind::nil;
  double number = 0;           // of integer and real; of boolean 0 or 1
  std::int64_t whole = 0;      // of integer, INT64_MAX when greater
  std::uint32_t count = 0;     // elements of an array, pairs of a map
  std::string_view text = {};  // of text; bytes of bytes and extension; borrowed
  std::int8_t extension = 0;   // type of extension
};

// Walks over a payload, which must outlive it.
class Items {
 public:
  explicit Items(std::span<const std::uint8_t> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Takes the next item; false at a fault (truncated, malformed), which stays.
  [[nodiscard]] bool next(Item& out);
  // Passes over whatever `head`, just taken, is the head of.
  [[nodiscard]] bool skip(const Item& head);
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] PayloadFault fault() const { return fault_; }

 private:
  bool fail(PayloadFault fault);
  bool take(std::size_t size, const std::uint8_t*& from);
  bool unsigned_number(std::size_t size, std::uint64_t& out);  // big-endian
  bool sized(Kind kind, std::size_t size_bytes, Item& out);
  bool blob(Kind kind, std::uint64_t size, Item& out);
  bool number(std::uint8_t lead, Item& out);
  bool real(std::uint8_t lead, Item& out);

  const std::uint8_t* at_;
  const std::uint8_t* const end_;
  PayloadFault fault_ = PayloadFault::none;
};

// A timestamp extension of 4, 8 or 12 bytes as an instant; negative when it is none, or lies before 1970 or after 2262.
[[nodiscard]] Nanos instant_of(const Item& extension);

// Each appends one item in its shortest form.
void put_array(std::uint32_t count, std::string& out);
void put_map(std::uint32_t pairs, std::string& out);
void put_text(std::string_view text, std::string& out);
void put_unsigned(std::uint64_t value, std::string& out);
void put_real(double value, std::string& out);      // in 4 bytes when nothing is lost
void put_instant(Nanos instant, std::string& out);  // not negative

}  // namespace alara::wire::messagepack
