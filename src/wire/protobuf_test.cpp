// SPDX-License-Identifier: Apache-2.0
#include "wire/protobuf.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace alara::wire::protobuf {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(Protobuf, WritesVarintsAsItsDocumentationSays) {
  std::string out;
  put_number(1, 150, out);
  put_bytes(2, "testing", out);
  EXPECT_EQ(out, "\x08\x96\x01\x12\x07testing");
}

TEST(Protobuf, FieldsOfEveryKindComeBack) {
  std::string out;
  put_number(1, UINT64_MAX, out);
  put_fixed32(2, 0xDEADBEEF, out);
  put_fixed64(300, 0x0123456789ABCDEF, out);
  put_bytes(4, "", out);
  const Bytes bytes(out.begin(), out.end());
  Fields fields(bytes);
  ASSERT_TRUE(fields.next() && fields.is(1, kVarint));
  EXPECT_EQ(fields.number(), UINT64_MAX);
  ASSERT_TRUE(fields.next() && fields.is(2, kFixed32));
  EXPECT_EQ(fields.number(), 0xDEADBEEF);
  ASSERT_TRUE(fields.next() && fields.is(300, kFixed64));
  EXPECT_EQ(fields.number(), 0x0123456789ABCDEFu);
  ASSERT_TRUE(fields.next() && fields.is(4, kBytes));
  EXPECT_TRUE(fields.bytes().empty());
  EXPECT_FALSE(fields.next());
  EXPECT_TRUE(fields.ok());
}

TEST(Protobuf, SmallNumbersOfEitherSignAreShort) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, INT64_MIN, INT64_MAX})
    EXPECT_EQ(unzigzag(zigzag(value)), value);
  EXPECT_EQ(zigzag(-1), 1u);
  EXPECT_EQ(zigzag(1), 2u);
}

TEST(Protobuf, WhatIsNoFieldEndsTheWalk) {
  const std::vector<Bytes> bad{
      {0x08},                                                                    // no value
      {0x08, 0x80},                                                              // a varint without end
      {0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01},  // eleven bytes
      {0x12, 0x05, 'a'},                                                         // five bytes announced, one there
      {0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01},        // a length beyond any memory
      {0x09, 1, 2, 3},                                                           // half a number of eight bytes
      {0x0B},                                                                    // a group, long gone
      {0x00, 0x00}};                                                             // field 0
  for (const Bytes& bytes : bad) {
    Fields fields(bytes);
    while (fields.next()) continue;
    EXPECT_FALSE(fields.ok()) << static_cast<int>(bytes.front());
    EXPECT_FALSE(fields.next());
  }
}

}  // namespace
}  // namespace alara::wire::protobuf
