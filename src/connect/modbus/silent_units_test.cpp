// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/silent_units.hpp"

#include <gtest/gtest.h>

namespace alara::modbus {
namespace {

constexpr Nanos kTimeout = 100, kRetry = 1000;

class SilentUnitsTest : public testing::Test {
 protected:
  SilentUnitsTest() {
    settings_.timeout = kTimeout;
    settings_.retry = kRetry;
  }
  SilentUnits on_a_line() {
    settings_.serial.emplace();
    return {settings_, true, telemetry_};
  }
  // When it may be asked again after a silence at `now`.
  static Nanos rest_after(SilentUnits& units, std::uint8_t unit, Nanos now) {
    units.silent(unit, now);
    Nanos until = now;
    while (units.rests(unit, until)) ++until;
    return until - now;
  }
  Settings settings_;
  Telemetry telemetry_;
};

TEST_F(SilentUnitsTest, OnALineTheRestDoublesUpToRetryWhileOthersSpeak) {
  SilentUnits units = on_a_line();
  units.answered(1);
  for (const Nanos rest : {100, 200, 400, 800, 1000, 1000}) EXPECT_EQ(rest_after(units, 2, 5000), rest);
  EXPECT_FALSE(units.rests(1, 5000));
  EXPECT_EQ(telemetry_.silent_units, 1u);
  units.answered(2);
  EXPECT_EQ(telemetry_.silent_units, 0u);
  EXPECT_EQ(rest_after(units, 2, 9000), 100);
}

TEST_F(SilentUnitsTest, OnALineWhereNobodySpeaksNobodyRestsLongerThanALateAnswerMayTake) {
  SilentUnits units = on_a_line();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rest_after(units, 2, 5000), kTimeout);
}

TEST_F(SilentUnitsTest, ALateAnswerEndsTheRestAndAStrangersIsNone) {
  SilentUnits units = on_a_line();
  units.silent(2, 0);
  EXPECT_TRUE(units.rests(2, 50));
  EXPECT_FALSE(units.late(3));
  EXPECT_TRUE(units.late(2));
  EXPECT_FALSE(units.rests(2, 50));
}

TEST_F(SilentUnitsTest, OpeningTheLineAnewEndsNoRest) {
  SilentUnits units = on_a_line();
  units.silent(2, 0);
  units.connected();
  EXPECT_TRUE(units.rests(2, 50));
}

TEST_F(SilentUnitsTest, BehindATcpGatewayTheSecondSilenceMakesItRestAndAConnectionEndsThat) {
  SilentUnits units(settings_, true, telemetry_);
  EXPECT_EQ(rest_after(units, 2, 5000), 0);
  EXPECT_EQ(rest_after(units, 2, 5000), kRetry);
  units.connected();
  EXPECT_FALSE(units.rests(2, 5000));
}

TEST_F(SilentUnitsTest, ADeviceAloneIsNeverLeftAlone) {
  SilentUnits units(settings_, false, telemetry_);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rest_after(units, 1, 5000), 0);
}

}  // namespace
}  // namespace alara::modbus
