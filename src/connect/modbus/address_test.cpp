// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/address.hpp"

#include <gtest/gtest.h>

namespace alara::modbus {
namespace {

using wire::ByteOrder;
using wire::RegisterType;

Address read(std::string_view text, const AddressDefaults& defaults = {}) {
  const auto address = parse_address(text, defaults);
  EXPECT_TRUE(address) << text << ": " << (address ? "" : address.error().text());
  return address.value_or(Address{});
}

std::string refusal(std::string_view text, const AddressDefaults& defaults = {}) {
  const auto address = parse_address(text, defaults);
  EXPECT_FALSE(address) << text;
  return address ? "" : address.error().text();
}

TEST(ModbusAddress, ReadsTableNumberTypeAndOrder) {
  const Address address = read("holding/102:float32be");
  EXPECT_EQ(address.table, Table::holding);
  EXPECT_EQ(address.first, 102);
  EXPECT_EQ(address.count, 2);
  EXPECT_EQ(address.unit, 1);
  EXPECT_EQ(address.format.type, RegisterType::float32);
  EXPECT_EQ(address.format.order, ByteOrder::abcd);
}

TEST(ModbusAddress, ReadsScaleAndOffset) {
  const Address address = read("input/7:int16*0.1+5");
  EXPECT_EQ(address.table, Table::input);
  EXPECT_DOUBLE_EQ(address.format.scale, 0.1);
  EXPECT_DOUBLE_EQ(address.format.offset, 5);
  EXPECT_DOUBLE_EQ(read("input/7*1e-3-2.5").format.offset, -2.5);
  EXPECT_DOUBLE_EQ(read("input/7*-2").format.scale, -2);
  EXPECT_DOUBLE_EQ(read("input/7-40").format.offset, -40);
}

TEST(ModbusAddress, ReadsBitsAndTables) {
  EXPECT_EQ(read("coil/3").table, Table::coil);
  EXPECT_EQ(read("discrete/4:bool").table, Table::discrete);
  const Address bit = read("holding/10.3");
  EXPECT_EQ(bit.format.type, RegisterType::bit);
  EXPECT_EQ(bit.format.bit, 3);
  EXPECT_EQ(bit.count, 1);
}

TEST(ModbusAddress, ReadsUnitPollAndText) {
  const Address address = read("2@holding/20:string8?poll=100ms");
  EXPECT_EQ(address.unit, 2);
  EXPECT_EQ(address.count, 8);
  EXPECT_EQ(address.format.type, RegisterType::text);
  EXPECT_EQ(address.poll, 100 * kMillisecond);
}

TEST(ModbusAddress, TakesOrdersInAllSpellings) {
  for (const auto& [text, order] : {std::pair{"holding/0:int32CDAB", ByteOrder::cdab},
                                    {"holding/0:int32cdab", ByteOrder::cdab},
                                    {"holding/0:int32:BADC", ByteOrder::badc},
                                    {"holding/0:float64le", ByteOrder::dcba},
                                    {"holding/0:int16BA", ByteOrder::badc},
                                    {"holding/0:int64GHEFCDAB", ByteOrder::cdab},
                                    {"holding/0:int32CDAB*2-1", ByteOrder::cdab}})
    EXPECT_EQ(read(text).format.order, order) << text;
}

TEST(ModbusAddress, TakesWhatIsLeftOpenFromTheOptions) {
  const AddressDefaults defaults{.unit = 17, .order = ByteOrder::cdab, .first_address = 1};
  const Address address = read("holding/1:float32", defaults);
  EXPECT_EQ(address.unit, 17);
  EXPECT_EQ(address.format.order, ByteOrder::cdab);
  EXPECT_EQ(address.first, 0);
  EXPECT_EQ(read("holding/65536", defaults).first, 65535);
  EXPECT_EQ(read("holding/5").format.type, RegisterType::uint16);
}

TEST(ModbusAddress, SaysWhatIsWrongAndWhatIsRight) {
  EXPECT_NE(refusal("holdin/1").find("did you mean 'holding'"), std::string::npos);
  EXPECT_NE(refusal("xyz/1").find("coil, discrete, holding and input"), std::string::npos);
  EXPECT_NE(refusal("holding/1:flaot32").find("did you mean 'float32'"), std::string::npos);
  EXPECT_NE(refusal("holding/1:float32ACBD").find("ABCD (be), BADC, CDAB and DCBA (le)"), std::string::npos);
  EXPECT_NE(refusal("holding/1:bool").find("holding/1.0"), std::string::npos);
  EXPECT_NE(refusal("300@holding/1").find("0 to 255"), std::string::npos);
  EXPECT_NE(refusal("holding/0", {.first_address = 1}).find("from 1 to 65536"), std::string::npos);
  EXPECT_NE(refusal("holding/1?poll=10parsecs").find("parsecs"), std::string::npos);
}

TEST(ModbusAddress, RefusesNonsense) {
  for (const char* text : {"",
                           "/",
                           "holding",
                           "holding/",
                           "holding/-1",
                           "holding/65536",
                           "holding/99999999999",
                           "holding/1.16",
                           "holding/1.",
                           "coil/1.2",
                           "coil/1:int16",
                           "holding/1:",
                           "holding/1:string",
                           "holding/1:string0",
                           "holding/1:string61",
                           "holding/65535:float32",
                           "holding/1*",
                           "holding/1*0",
                           "holding/1+",
                           "holding/1+-5",
                           "holding/1*nan",
                           "holding/1*inf",
                           "holding/1?",
                           "holding/1?pol=1s",
                           "holding/1?poll=1us",
                           "holding/1 ",
                           " holding/1",
                           "@holding/1",
                           "-1@holding/1",
                           "holding/1:int32:",
                           "holding/1.3:int16",
                           "holding/1+1e999"})
    refusal(text);
}

}  // namespace
}  // namespace alara::modbus
