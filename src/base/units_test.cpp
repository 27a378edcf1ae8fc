// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace alara {
namespace {

Unit unit(std::string_view text) {
  auto parsed = Unit::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().text());
  return parsed ? *parsed : Unit{};
}

double in(std::string_view to, double value, std::string_view from) {
  const auto converted = unit(to).convert(value, unit(from));
  EXPECT_TRUE(converted) << to << " from " << from;
  return converted.value_or(NAN);
}

TEST(Units, ConvertBetweenPlantUnits) {
  const struct {
    std::string_view to;
    double expected, value;
    std::string_view from;
  } cases[] = {{"V", 1500, 1.5, "kV"},
               {"A", 0.02, 20, "mA"},
               {"degC", 100, 373.15, "K"},
               {"degF", 212, 100, "degC"},
               {"°C", -40, -40, "°F"},
               {"K", 273.15, 0, "degC"},
               {"mm/s2", 9806.65, 1, "gn"},
               {"kg", 0.001, 1, "g"},
               {"rad/s", std::numbers::pi, 30, "rpm"},
               {"Pa", 6894.757293168361, 1, "psi"},
               {"bar", 0.25, 250, "mbar"},
               {"J", 3.6e6, 1, "kWh"},
               {"J", 3.6e6, 1, "kW*h"},
               {"m3/h", 0.06, 1, "l/min"},
               {"%", 50, 0.5, ""},
               {"ppm", 10000, 1, "%"},
               {"deg", 180, std::numbers::pi, "rad"},
               {"h", 2, 120, "min"},
               {"mm", 25.4, 1, "in"},
               {"um", 1000, 1, "mm"},
               {"µm", 1, 1, "um"},
               {"W", 4.2, 4.2, "N*m/s"},
               {"J/(kg*K)", 4186, 4.186, "kJ/kg/K"},
               {"m/s²", 1, 1, "m/s^2"},
               {"1/min", 60, 1, "Hz"},
               {"mAh", 1000, 3600, "C"},
               {"lx", 1, 1, "lm/m2"},
               {"1/s", 5, 5, "s-1"},
               {"K/min", 3, 3, "degC/min"},
               {"d", 1, 24, "h"}};
  for (const auto& c : cases)
    EXPECT_NEAR(in(c.to, c.value, c.from), c.expected, 1e-9 * (1 + std::abs(c.expected))) << c.to << " from " << c.from;
}

TEST(Units, KeepAngleApartSoThatSpeedIsNotFrequency) {
  EXPECT_FALSE(unit("rpm").same_dimension(unit("Hz")));
  EXPECT_FALSE(unit("Hz").convert(1, unit("rpm")));
}

TEST(Units, NameBothUnitsWhenTheyDoNotConvert) {
  const auto converted = unit("V").convert(1, unit("A"));
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().message, "'A' can not be converted to 'V'");
}

TEST(Units, PreferTheWholeSymbolToAPrefix) {
  EXPECT_TRUE(unit("min").same_dimension(unit("s")));
  EXPECT_TRUE(unit("cd").same_dimension(unit("mcd")));
  EXPECT_TRUE(unit("Pa").same_dimension(unit("bar")));
  EXPECT_TRUE(unit("pH").dimensionless());
  EXPECT_FALSE(unit("mH").dimensionless());
}

TEST(Units, MultiplyAndDivideWithTextsThatReadBack) {
  const std::string_view texts[] = {"A",     "mA",  "V",  "kV",    "mm/s2", "m/s", "rpm", "N*m",      "degC", "%",
                                    "l/min", "min", "kg", "1/min", "bar",   "kWh", "pcs", "W/(m2*K)", ""};
  for (const auto a : texts)
    for (const auto b : texts)
      for (const Unit& made : {unit(a).times(unit(b)), unit(a).over(unit(b)), unit(a).power(-2)}) {
        const Unit back = unit(made.text());
        EXPECT_TRUE(back.same_dimension(made)) << a << " and " << b << " make " << made.text();
        EXPECT_NEAR(back.scale() / made.scale(), 1, 1e-9) << a << " and " << b << " make " << made.text();
      }
}

TEST(Units, GiveProductsTheirUsualNames) {
  EXPECT_EQ(unit("A").times(unit("V")).text(), "W");
  EXPECT_EQ(unit("mA").times(unit("V")).text(), "mW");
  EXPECT_EQ(unit("kV").times(unit("A")).text(), "kW");
  EXPECT_EQ(unit("mm/s2").power(2).text(), "mm2/s4");
  EXPECT_EQ(unit("m").over(unit("s")).text(), "m/s");
  EXPECT_EQ(unit("N").over(unit("m2")).text(), "Pa");
  EXPECT_EQ(unit("s").power(-1).text(), "1/s");
  EXPECT_EQ(unit("V").over(unit("V")).text(), "");
  EXPECT_EQ(unit("l/min").times(unit("min")).text(), "l");
}

TEST(Units, TakeRootsOnlyOfWholePowers) {
  EXPECT_EQ(unit("mm2/s4").root(2)->text(), "mm/s2");
  EXPECT_EQ(unit("V").power(2).root(2)->text(), "V");
  EXPECT_FALSE(unit("m3").root(2));
  EXPECT_FALSE(unit("kJ/kg").root(2));
  EXPECT_EQ(unit("kJ/kg").coherent().root(2)->text(), "m/s");
}

TEST(Units, ForgetAnOffsetInProducts) {
  EXPECT_TRUE(unit("degC").affine());
  EXPECT_FALSE(unit("degC/min").affine());
  EXPECT_FALSE(unit("degC").times(Unit{}).affine());
  EXPECT_EQ(unit("degF").coherent().text(), "K");
}

TEST(Units, SayTheNearestSymbol) {
  const struct {
    std::string_view text, message, near;
  } cases[] = {{"degc", "unknown unit 'degc'", "degC"},
               {"Amp", "unknown unit 'Amp'", ""},
               {"rmp", "unknown unit 'rmp'", "rpm"},
               {"mm/sec", "unknown unit 'sec' in 'mm/sec'", ""},
               {"KW", "unknown unit 'KW'", "kW"}};
  for (const auto& c : cases) {
    const auto parsed = Unit::parse(c.text);
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_EQ(parsed.error().message, c.message);
    EXPECT_NE(parsed.error().hint.find(c.near), std::string::npos) << parsed.error().text();
  }
}

TEST(Units, RefuseMalformedTexts) {
  for (const std::string_view text : {"m//s", "/s", "m*", "m^", "m^-", "(m", "m)", "((((((m))))))", "m s", "m13",
                                      "m^99", "2m", "m.s", "\xff", "m\n", "*", "kmin", "m12*m12*m12*m12*m12*m12"})
    EXPECT_FALSE(Unit::parse(text)) << text;
  EXPECT_FALSE(Unit::parse(std::string(257, 'm')));
}

TEST(Units, SayWhenPowersLeaveTheRange) {
  EXPECT_FALSE(unit("m12").power(5).overflowed());
  EXPECT_TRUE(unit("m12").power(6).overflowed());
  EXPECT_TRUE(unit("m12").power(1'000'000).overflowed());
  EXPECT_TRUE(unit("ppb").power(40).overflowed()) << "a scale of 1e-360 is no number";
}

}  // namespace
}  // namespace alara
