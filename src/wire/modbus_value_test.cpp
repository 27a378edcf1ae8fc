// SPDX-License-Identifier: Apache-2.0
#include "wire/modbus_value.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace alara::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Golden {
  RegisterType type;
  double value;
  std::array<Bytes, 4> bytes;  // in ABCD, BADC, CDAB, DCBA
};

// Written down by hand from the values' big-endian bytes, and compared with Python's struct module.
const std::vector<Golden>& golden_vectors() {
  static const std::vector<Golden> vectors{
      {RegisterType::int16, -4660, {{{0xED, 0xCC}, {0xCC, 0xED}, {0xED, 0xCC}, {0xCC, 0xED}}}},
      {RegisterType::uint16, 0xBEEF, {{{0xBE, 0xEF}, {0xEF, 0xBE}, {0xBE, 0xEF}, {0xEF, 0xBE}}}},
      {RegisterType::bcd16, 1234, {{{0x12, 0x34}, {0x34, 0x12}, {0x12, 0x34}, {0x34, 0x12}}}},
      {RegisterType::int32,
       -123456789,
       {{{0xF8, 0xA4, 0x32, 0xEB}, {0xA4, 0xF8, 0xEB, 0x32}, {0x32, 0xEB, 0xF8, 0xA4}, {0xEB, 0x32, 0xA4, 0xF8}}}},
      {RegisterType::uint32,
       0xDEADBEEF,
       {{{0xDE, 0xAD, 0xBE, 0xEF}, {0xAD, 0xDE, 0xEF, 0xBE}, {0xBE, 0xEF, 0xDE, 0xAD}, {0xEF, 0xBE, 0xAD, 0xDE}}}},
      {RegisterType::float32,
       123.456F,
       {{{0x42, 0xF6, 0xE9, 0x79}, {0xF6, 0x42, 0x79, 0xE9}, {0xE9, 0x79, 0x42, 0xF6}, {0x79, 0xE9, 0xF6, 0x42}}}},
      {RegisterType::bcd32,
       12345678,
       {{{0x12, 0x34, 0x56, 0x78}, {0x34, 0x12, 0x78, 0x56}, {0x56, 0x78, 0x12, 0x34}, {0x78, 0x56, 0x34, 0x12}}}},
      {RegisterType::int64,
       -81985529216486896.0,
       {{{0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10},
         {0xDC, 0xFE, 0x98, 0xBA, 0x54, 0x76, 0x10, 0x32},
         {0x32, 0x10, 0x76, 0x54, 0xBA, 0x98, 0xFE, 0xDC},
         {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE}}}},
      {RegisterType::uint64,
       0x123456789ABCD0,
       {{{0x00, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xD0},
         {0x12, 0x00, 0x56, 0x34, 0x9A, 0x78, 0xD0, 0xBC},
         {0xBC, 0xD0, 0x78, 0x9A, 0x34, 0x56, 0x00, 0x12},
         {0xD0, 0xBC, 0x9A, 0x78, 0x56, 0x34, 0x12, 0x00}}}},
      {RegisterType::float64,
       -123.456,
       {{{0xC0, 0x5E, 0xDD, 0x2F, 0x1A, 0x9F, 0xBE, 0x77},
         {0x5E, 0xC0, 0x2F, 0xDD, 0x9F, 0x1A, 0x77, 0xBE},
         {0xBE, 0x77, 0x1A, 0x9F, 0xDD, 0x2F, 0xC0, 0x5E},
         {0x77, 0xBE, 0x9F, 0x1A, 0x2F, 0xDD, 0x5E, 0xC0}}}},
      {RegisterType::bcd64,
       1234567890123456,
       {{{0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56},
         {0x34, 0x12, 0x78, 0x56, 0x12, 0x90, 0x56, 0x34},
         {0x34, 0x56, 0x90, 0x12, 0x56, 0x78, 0x12, 0x34},
         {0x56, 0x34, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12}}}},
  };
  return vectors;
}

TEST(RegisterValue, DecodesEveryTypeInEveryOrder) {
  for (const Golden& golden : golden_vectors())
    for (std::size_t order = 0; order < 4; ++order) {
      const RegisterFormat format{.type = golden.type, .order = static_cast<ByteOrder>(order)};
      ASSERT_EQ(2 * registers_of(format), golden.bytes[order].size());
      EXPECT_EQ(decode_value(format, golden.bytes[order].data()), golden.value)
          << name_of(golden.type) << ' ' << name_of(format.order);
    }
}

TEST(RegisterValue, EncodesEveryTypeInEveryOrder) {
  for (const Golden& golden : golden_vectors())
    for (std::size_t order = 0; order < 4; ++order) {
      const RegisterFormat format{.type = golden.type, .order = static_cast<ByteOrder>(order)};
      Bytes bytes(2 * registers_of(format), 0xAA);
      ASSERT_TRUE(encode_value(format, golden.value, bytes));
      EXPECT_EQ(bytes, golden.bytes[order]) << name_of(golden.type) << ' ' << name_of(format.order);
    }
}

TEST(RegisterValue, ReadsSingleBitsInBothByteOrders) {
  const Bytes bytes{0x80, 0x02};  // 0x8002: bits 15 and 1
  for (int bit = 0; bit < 16; ++bit) {
    RegisterFormat format{.type = RegisterType::bit, .bit = static_cast<std::uint8_t>(bit)};
    EXPECT_EQ(decode_value(format, bytes.data()), bit == 15 || bit == 1 ? 1 : 0);
    format.order = ByteOrder::badc;  // 0x0280: bits 9 and 7
    EXPECT_EQ(decode_value(format, bytes.data()), bit == 9 || bit == 7 ? 1 : 0);
  }
}

TEST(RegisterValue, AppliesScaleAndOffsetBothWays) {
  const RegisterFormat format{.type = RegisterType::int16, .scale = 0.1, .offset = 5};
  const Bytes bytes{0x00, 0xFA};  // 250
  EXPECT_DOUBLE_EQ(decode_value(format, bytes.data()), 30.0);
  Bytes written(2);
  ASSERT_TRUE(encode_value(format, 30.0, written));
  EXPECT_EQ(written, bytes);
}

TEST(RegisterValue, RefusesToWriteWhatDoesNotFit) {
  Bytes bytes(8, 0x55);
  const auto fits = [&](RegisterType type, double value) { return encode_value({.type = type}, value, bytes); };
  EXPECT_TRUE(fits(RegisterType::int16, 32767.4));
  EXPECT_FALSE(fits(RegisterType::int16, 32767.6));
  EXPECT_TRUE(fits(RegisterType::int16, -32768));
  EXPECT_FALSE(fits(RegisterType::int16, -32769));
  EXPECT_TRUE(fits(RegisterType::uint16, -0.4));
  EXPECT_FALSE(fits(RegisterType::uint16, -1));
  EXPECT_FALSE(fits(RegisterType::uint16, 65536));
  EXPECT_TRUE(fits(RegisterType::uint32, 4294967295.0));
  EXPECT_FALSE(fits(RegisterType::uint32, 4294967296.0));
  EXPECT_FALSE(fits(RegisterType::int64, 0x1p63));
  EXPECT_TRUE(fits(RegisterType::int64, -0x1p63));
  EXPECT_FALSE(fits(RegisterType::uint64, 0x1p64));
  EXPECT_FALSE(fits(RegisterType::float32, 1e39));
  EXPECT_TRUE(fits(RegisterType::float32, -3e38));
  EXPECT_FALSE(fits(RegisterType::bcd16, 10000));
  EXPECT_FALSE(fits(RegisterType::bcd16, -1));
  EXPECT_FALSE(fits(RegisterType::float64, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(fits(RegisterType::float64, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(fits(RegisterType::bit, 1));
  EXPECT_FALSE(encode_value({.type = RegisterType::float64}, 1, std::span(bytes).first(4)));
}

TEST(RegisterValue, HasNoNumberForBadDigitsAndFloatsThatAreNone) {
  const Bytes bcd{0x12, 0x3A};
  EXPECT_TRUE(std::isnan(decode_value({.type = RegisterType::bcd16}, bcd.data())));
  const Bytes nan{0x7F, 0xC0, 0x00, 0x00};
  EXPECT_TRUE(std::isnan(decode_value({.type = RegisterType::float32}, nan.data())));
}

TEST(RegisterValue, ReadsTextAsTheNumberItSpells) {
  const auto number = [](std::string text, ByteOrder order) {
    text.resize((text.size() + 1) / 2 * 2);
    const RegisterFormat format{
        .type = RegisterType::text, .order = order, .text_registers = static_cast<std::uint8_t>(text.size() / 2)};
    return decode_value(format, reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  EXPECT_EQ(number("  12.50 ", ByteOrder::abcd), 12.5);
  EXPECT_EQ(number("+7", ByteOrder::abcd), 7);
  EXPECT_EQ(number("1-52", ByteOrder::badc), -125);
}

TEST(RegisterValue, HasNoNumberForTextThatIsNone) {
  for (const char* text : {"12.5mm", "ERR ", "--", "+-1 ", "1e999 ", "nan ", "inf "}) {
    std::string padded(text);
    padded.resize(8);
    const RegisterFormat format{.type = RegisterType::text, .text_registers = 4};
    EXPECT_TRUE(std::isnan(decode_value(format, reinterpret_cast<const std::uint8_t*>(padded.data())))) << text;
  }
}

TEST(RegisterValue, ShowsTextForPeople) {
  const Bytes bytes{'P', 'u', 'm', 'p', 0x07, '7', ' ', ' ', 0, 'x'};
  EXPECT_EQ(decode_text(ByteOrder::abcd, bytes), "Pump.7");
  const Bytes swapped{'u', 'P', 'p', 'm'};
  EXPECT_EQ(decode_text(ByteOrder::badc, swapped), "Pump");
  EXPECT_EQ(decode_text(ByteOrder::badc, std::span(swapped).first(3)), "Pu") << "an odd byte has no partner";
}

TEST(RegisterValue, KnowsTheNamesOfTypesAndOrders) {
  EXPECT_EQ(register_type_named("float32"), RegisterType::float32);
  EXPECT_EQ(register_type_named("bit"), std::nullopt);
  EXPECT_EQ(register_type_named("string"), std::nullopt);
  EXPECT_EQ(byte_order_named("CdAb"), ByteOrder::cdab);
  EXPECT_EQ(byte_order_named("be"), ByteOrder::abcd);
  EXPECT_EQ(byte_order_named("LE"), ByteOrder::dcba);
  EXPECT_EQ(byte_order_named("ghefcdab"), ByteOrder::cdab);
  EXPECT_EQ(byte_order_named(""), std::nullopt);
  EXPECT_EQ(byte_order_named("abcdefghi"), std::nullopt);
}

}  // namespace
}  // namespace alara::wire
