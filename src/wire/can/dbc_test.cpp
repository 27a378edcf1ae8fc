// SPDX-License-Identifier: Apache-2.0
// Golden values are worked out by hand from the bit numbering of DBC files; see the comments.
#include "wire/can/dbc.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace alara::wire::can {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kFile = R"(VERSION "1.0"

NS_ :
	CM_
	BA_DEF_
	SG_MUL_VAL_

BS_:

BU_: Engine Dash

BO_ 291 Motor: 8 Engine
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" Dash
 SG_ Torque : 23|12@0- (0.5,-10) [-1034|1013] "N*m"  Dash,Engine
 SG_ Ready : 32|1@1+ (1,0) [0|1] "" Dash
 SG_ Temperature : 40|8@1+ (1,-40) [-40|215] "degC" Vector__XXX

BO_ 2364540158 EEC1: 8 Engine
 SG_ EngineSpeed : 24|16@1+ (0.125,0) [0|8031.875] "rpm" Dash

BO_ 500 Cells: 8 Engine
 SG_ Page M : 0|8@1+ (1,0) [0|0] "" Dash
 SG_ Voltage m0 : 8|16@1+ (0.001,0) [0|0] "V" Dash
 SG_ Current m1 : 8|32@1- (1,0) [0|0] "A" Dash
 SG_ Detail m2M : 8|8@1+ (1,0) [0|0] "" Dash
 SG_ Deep m0 : 16|8@1+ (1,0) [0|0] "" Dash

CM_ SG_ 291 Speed "a comment; with a semicolon,
and a second line";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
VAL_ 291 Ready 0 "no" 1 "yes; really";
SIG_VALTYPE_ 500 Current : 1;
SG_MUL_VAL_ 500 Deep Detail 3-5, 9-9;
)";

Dbc parsed(std::string_view text) {
  auto dbc = parse_dbc(text, "plant.dbc");
  EXPECT_TRUE(dbc.has_value()) << dbc.error().text();
  return dbc ? std::move(*dbc) : Dbc{};
}
std::string error_of(std::string_view text) {
  const auto dbc = parse_dbc(text, "plant.dbc");
  return dbc ? "" : dbc.error().text();
}

TEST(Dbc, ReadsMessagesAndSignals) {
  const Dbc dbc = parsed(kFile);
  ASSERT_EQ(dbc.messages.size(), 3u);
  const DbcMessage& motor = dbc.messages[0];
  EXPECT_EQ(motor.id, 291u);
  EXPECT_FALSE(motor.extended);
  ASSERT_EQ(motor.signals.size(), 4u);
  EXPECT_EQ(motor.signals[1].unit, "N*m");
  EXPECT_TRUE(motor.signals[1].is_signed);
  EXPECT_TRUE(motor.signals[1].bits.big_endian);
  EXPECT_EQ(dbc.messages[1].id, 0x0CF00400u | 0xFEu);
  EXPECT_TRUE(dbc.messages[1].extended);
}

TEST(Dbc, TakesValuesOutOfBytes) {
  const Dbc dbc = parsed(kFile);
  const DbcMessage& motor = dbc.messages[0];
  // Speed: bytes 0 and 1, low byte first: 0x1F40 = 8000 * 0.25. Torque: from bit 23, the highest of byte 2, 12 bits
  // downwards: 0xFF 0xE… is 0xFFE = -2, * 0.5 - 10. Ready: bit 0 of byte 4. Temperature: 100 - 40.
  const Bytes data{0x40, 0x1F, 0xFF, 0xE0, 0x01, 100, 0, 0};
  EXPECT_EQ(motor.find("Speed")->value(data), 2000);
  EXPECT_EQ(motor.find("Torque")->value(data), -11);
  EXPECT_EQ(motor.find("Ready")->value(data), 1);
  EXPECT_EQ(motor.find("Temperature")->value(data), 60);
}

TEST(Dbc, MultiplexedSignalsAreThereWhenTheirSwitchSaysSo) {
  const Dbc dbc = parsed(kFile);
  const DbcMessage& cells = dbc.messages[2];
  const auto has = [&](const char* signal, const Bytes& data) { return cells.has(*cells.find(signal), data); };
  const Bytes zero{0, 0x10, 0x27, 0, 0, 0, 0, 0}, one{1, 0, 0, 0xC0, 0x3F, 0, 0, 0};
  EXPECT_TRUE(has("Voltage", zero));
  EXPECT_FALSE(has("Voltage", one));
  EXPECT_NEAR(cells.find("Voltage")->value(zero), 10.0, 1e-12);
  EXPECT_TRUE(has("Current", one));
  EXPECT_EQ(cells.find("Current")->value(one), 1.5) << "an IEEE float";
  EXPECT_TRUE(has("Deep", {2, 4, 7, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(has("Deep", {2, 9, 7, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(has("Deep", {2, 6, 7, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(has("Deep", {0, 4, 7, 0, 0, 0, 0, 0})) << "its own switch is not there";
  EXPECT_FALSE(has("Voltage", {0, 1})) << "the message is too short";
}

TEST(Dbc, PutsValuesInAndRefusesWhatDoesNotFit) {
  const Dbc dbc = parsed(kFile);
  const DbcMessage& motor = dbc.messages[0];
  Bytes data(8);
  EXPECT_TRUE(motor.find("Torque")->put(-11, data).has_value());
  EXPECT_EQ(data, (Bytes{0, 0, 0xFF, 0xE0, 0, 0, 0, 0}));
  EXPECT_TRUE(motor.find("Speed")->put(2000, data).has_value());
  EXPECT_EQ(motor.find("Torque")->value(data), -11) << "the neighbour is left alone";
  EXPECT_FALSE(motor.find("Speed")->put(16'001, data).has_value()) << "beyond its declared greatest value";
  EXPECT_FALSE(motor.find("Speed")->put(NAN, data).has_value());
  EXPECT_FALSE(dbc.messages[2].find("Voltage")->put(70, data).has_value()) << "more than 16 bits hold";
  const DbcMessage& cells = dbc.messages[2];
  Bytes deep(8);
  EXPECT_TRUE(cells.make_room(*cells.find("Deep"), deep).has_value());
  EXPECT_EQ(deep[0], 2);
  EXPECT_EQ(deep[1], 3);
  EXPECT_TRUE(cells.has(*cells.find("Deep"), deep));
}

// Every field of every place, length and order: what is put in comes out, and nothing else changes.
TEST(Dbc, FieldsOfAllPlacesAndLengthsRoundTrip) {
  std::mt19937_64 random(1);
  for (const bool big : {false, true})
    for (std::uint16_t start = 0; start < 64; ++start)
      for (std::uint8_t length = 1; length <= 64; ++length) {
        const BitField field{start, length, big};
        if (field.bytes() > 8) continue;
        Bytes data(8), before;
        for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
        before = data;
        const std::uint64_t value = length == 64 ? random() : random() & ((std::uint64_t{1} << length) - 1);
        const std::uint64_t old = field.extract(data);
        field.insert(value, data);
        ASSERT_EQ(field.extract(data), value) << start << '|' << int{length} << '@' << !big;
        field.insert(old, data);
        ASSERT_EQ(data, before);
      }
}

TEST(Dbc, ErrorsNameTheirPlace) {
  EXPECT_EQ(error_of("BO_ 1 M: 8 X\n SG_ S : 0|65@1+ (1,0) [0|0] \"\" X\n").find("plant.dbc:2:"), 0u);
  EXPECT_NE(error_of("BO_ 1 M: 8 X\n SG_ S : 0|65@1+ (1,0) [0|0] \"\" X\n").find("no run of 1 to 64 bits"),
            std::string::npos);
  EXPECT_NE(error_of(" SG_ S : 0|8@1+ (1,0) [0|0] \"\" X\n").find("before the first message"), std::string::npos);
  EXPECT_NE(error_of("BO_ 1 M: 8 X\nBO_ 1 N: 8 X\n").find("there twice"), std::string::npos);
  EXPECT_NE(error_of("BO_ 1 M: 9999 X\n").find("9999 bytes"), std::string::npos);
  EXPECT_NE(error_of("BO_ 9999 M: 8 X\n").find("no CAN id"), std::string::npos);
  EXPECT_NE(error_of("BO_ x M: 8 X\n").find("a number is expected"), std::string::npos);
  EXPECT_NE(error_of("BO_ 1 M: 8 X\n SG_ S : 0|8@1+ (0,0) [0|0] \"\" X\n").find("gives no value"), std::string::npos);
  EXPECT_NE(error_of("BO_ 1 M: 8 X\n SG_ S m1 : 0|8@1+ (1,0) [0|0] \"\" X\n").find("no multiplexor"),
            std::string::npos);
  EXPECT_NE(error_of("BO_ 1 M: 8 X\n SG_ A m0M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ B m0M : 0|8@1+ (1,0) [0|0] \"\" X\n"
                     "SG_MUL_VAL_ 1 A B 0-0;\nSG_MUL_VAL_ 1 B A 0-0;\n")
                .find("depends on itself"),
            std::string::npos);
}

TEST(Dbc, AnEmptyFileHasNoMessages) { EXPECT_TRUE(parsed("").messages.empty()); }

}  // namespace
}  // namespace alara::wire::can
