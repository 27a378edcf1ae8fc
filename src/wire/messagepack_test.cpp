// SPDX-License-Identifier: Apache-2.0
#include "wire/messagepack.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace alara::wire::messagepack {
namespace {

using Bytes = std::vector<std::uint8_t>;
using nlohmann::json;

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// The only item of these bytes.
Item only(const Bytes& bytes) {
  Items items(bytes);
  Item item;
  EXPECT_TRUE(items.next(item));
  EXPECT_TRUE(items.skip(item));
  EXPECT_TRUE(items.at_end());
  return item;
}

TEST(MessagePack, ReadsWhatAnotherImplementationWrites) {
  for (const std::int64_t number :
       {INT64_MIN, -2147483649l, -32769l, -129l, -33l, -32l, -1l, 0l, 127l, 128l, 65536l, 4294967296l, INT64_MAX}) {
    const Item item = only(json::to_msgpack(json(number)));
    EXPECT_EQ(item.kind, Kind::integer);
    EXPECT_EQ(item.whole, number);
    EXPECT_EQ(item.number, static_cast<double>(number));
  }
  EXPECT_EQ(only(json::to_msgpack(json(UINT64_MAX))).number, 0x1p64);
  EXPECT_EQ(only(json::to_msgpack(json(UINT64_MAX))).whole, INT64_MAX);
  for (const double number : {0.1, -1.5, 1e300}) {
    EXPECT_EQ(only(json::to_msgpack(json(number))).kind, Kind::real);
    EXPECT_EQ(only(json::to_msgpack(json(number))).number, number);
  }
  EXPECT_EQ(only(json::to_msgpack(json(true))).number, 1);
  EXPECT_EQ(only(json::to_msgpack(json())).kind, Kind::nil);
  for (const std::size_t size : {0u, 31u, 32u, 255u, 256u, 70'000u}) {
    const std::string text(size, 'x');
    EXPECT_EQ(only(json::to_msgpack(json(text))).text, text);
    const Bytes blob = json::to_msgpack(json::binary(bytes_of(text)));
    const Item binary = only(blob);
    EXPECT_EQ(binary.kind, Kind::bytes);
    EXPECT_EQ(binary.text, text);
    const Bytes typed = json::to_msgpack(json::binary(bytes_of(text), 5));
    const Item extension = only(typed);
    EXPECT_EQ(extension.kind, Kind::extension);
    EXPECT_EQ(extension.extension, 5);
    EXPECT_EQ(extension.text, text);
    EXPECT_EQ(only(json::to_msgpack(json(std::vector<int>(size, 1)))).count, size);
  }
  json map;
  for (int i = 0; i < 70'000; ++i) map[std::to_string(i)] = {i, {{"deeper", i}}};
  EXPECT_EQ(only(json::to_msgpack(map)).count, 70'000u);
}

TEST(MessagePack, AnotherImplementationReadsWhatItWrites) {
  for (const std::uint64_t number : {0ul, 127ul, 128ul, 255ul, 256ul, 65'536ul, 4294967296ul, UINT64_MAX}) {
    std::string out;
    put_unsigned(number, out);
    EXPECT_EQ(bytes_of(out), json::to_msgpack(json(number)));
  }
  for (const std::size_t size : {0u, 15u, 16u, 31u, 32u, 255u, 256u, 70'000u}) {
    const std::string text(size, 'x');
    std::string out;
    put_text(text, out);
    EXPECT_EQ(json::from_msgpack(bytes_of(out)), json(text));
    out.clear();
    put_array(static_cast<std::uint32_t>(size), out);
    for (std::size_t i = 0; i < size; ++i) put_unsigned(1, out);
    EXPECT_EQ(bytes_of(out), json::to_msgpack(json(std::vector<int>(size, 1))));
    out.clear();
    json map = json::object();
    put_map(static_cast<std::uint32_t>(size), out);
    for (std::size_t i = 0; i < size; ++i) {
      map[std::to_string(i)] = 1;
      put_text(std::to_string(i), out);
      put_unsigned(1, out);
    }
    EXPECT_EQ(json::from_msgpack(bytes_of(out)), map);
  }
}

TEST(MessagePack, NumbersTakeFourBytesWhenNothingIsLost) {
  for (const double value : {0.0, -0.0, 21.5, -2.0, static_cast<double>(INFINITY)}) {
    std::string out;
    put_real(value, out);
    EXPECT_EQ(out.size(), 5u);
    EXPECT_EQ(only(bytes_of(out)).number, value);
    EXPECT_EQ(std::signbit(only(bytes_of(out)).number), std::signbit(value));
  }
  for (const double value : {0.1, 1e300, 1e-300, 16777217.0}) {
    std::string out;
    put_real(value, out);
    EXPECT_EQ(out.size(), 9u);
    EXPECT_EQ(only(bytes_of(out)).number, value);
  }
  std::string out;
  put_real(NAN, out);
  EXPECT_TRUE(std::isnan(only(bytes_of(out)).number));
}

TEST(MessagePack, InstantsAreTimestampsOfTheSpecification) {
  std::string out;
  put_instant(1'600'000'000 * kSecond, out);
  EXPECT_EQ(bytes_of(out), (Bytes{0xD6, 0xFF, 0x5F, 0x5E, 0x10, 0x00}));
  out.clear();
  put_instant(1'600'000'000 * kSecond + kMillisecond, out);
  EXPECT_EQ(bytes_of(out), (Bytes{0xD7, 0xFF, 0x00, 0x3D, 0x09, 0x00, 0x5F, 0x5E, 0x10, 0x00}));
  for (const Nanos instant : {Nanos{0}, Nanos{1}, 5'000'000'000 * kSecond, INT64_MAX}) {
    out.clear();
    put_instant(instant, out);
    EXPECT_EQ(instant_of(only(bytes_of(out))), instant);
  }
  const Bytes twelve{0xC7, 12, 0xFF, 0, 0, 0, 5, 0, 0, 0, 0, 0x5F, 0x5E, 0x10, 0x00};
  EXPECT_EQ(instant_of(only(twelve)), 1'600'000'000 * kSecond + 5);
  const std::vector<Bytes> none{{0xC7, 12, 0xFF, 0x32, 0xFA, 0x6C, 0xC0, 0, 0, 0, 2, 0x25, 0xC1, 0x7D, 0x04},  // 2262
                                {0xD6, 0x01, 0, 0, 0, 1},                                 // of another type
                                {0xD5, 0xFF, 0, 1},                                       // of another size
                                {0xD7, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0, 0, 0, 0},         // beyond a second
                                {0xC7, 12, 0xFF, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0}};  // before 1970
  for (const Bytes& bytes : none) EXPECT_LT(instant_of(only(bytes)), 0);
  EXPECT_LT(instant_of(Item{}), 0);
}

TEST(MessagePack, EveryTruncationIsSeen) {
  const Bytes whole = json::to_msgpack(json{{"a", {1, 2.5, "text", nullptr, {{"b", 70'000}}}}, {"c", false}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Items items(cut);
    Item item;
    EXPECT_FALSE(items.next(item) && items.skip(item)) << size;
    EXPECT_EQ(items.fault(), PayloadFault::truncated);
  }
}

TEST(MessagePack, DepthAndCountsCostNothingButTheirBytes) {
  Bytes deep(1'000'000, 0x91);  // lists within lists
  deep.push_back(0xC0);
  only(deep);
  const Bytes promised{0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDF, 0xFF, 0xFF, 0xFF, 0xFF};  // maps of 2^32 - 1 pairs
  Items items(promised);
  Item item;
  ASSERT_TRUE(items.next(item));
  EXPECT_FALSE(items.skip(item));
  EXPECT_EQ(items.fault(), PayloadFault::truncated);
}

TEST(MessagePack, TheByteThatMeansNothingIsMalformed) {
  const Bytes bytes{0xC1};
  Items items(bytes);
  Item item;
  EXPECT_FALSE(items.next(item));
  EXPECT_EQ(items.fault(), PayloadFault::malformed);
}

}  // namespace
}  // namespace alara::wire::messagepack
