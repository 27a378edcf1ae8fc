// SPDX-License-Identifier: Apache-2.0
// Physical units as people write them ("mm/s2", "degC", "kW*h", "rpm", "%"), reduced to SI dimensions so that
// expressions can be checked at load time and values converted. The prefixes and symbols follow the SI Brochure (9th
// ed.).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace alara {

// value_in_SI = value * scale + offset; the exponents are of m, kg, s, A, K, mol, cd, rad (angle is kept apart so that
// rpm and Hz differ).
class Unit {
 public:
  static constexpr int kMaxExponent = 60;

  Unit() = default;  // dimensionless, scale 1, written ""

  // Accepts products and quotients of known symbols with integer exponents: "m/s2", "m/s^2", "N*m", "1/min",
  // "W/(m2*K)". In a product or power a temperature scale stands for a difference ("degC/min" is K/min).
  // Fails with the nearest known symbol.
  [[nodiscard]] static Result<Unit> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] double offset() const { return offset_; }
  [[nodiscard]] bool dimensionless() const;
  [[nodiscard]] bool same_dimension(const Unit& other) const { return exponents_ == other.exponents_; }
  // A temperature scale with its own zero (degC, degF): may be compared and subtracted, not multiplied.
  [[nodiscard]] bool affine() const { return offset_ != 0; }

  // The SI unit of the same dimension, scale 1 and no offset: "K" for degF, "W" for kW.
  [[nodiscard]] Unit coherent() const;

  // Units of a product, a quotient and a power of two quantities: those of the plain product of the two numbers, so
  // mA times V has scale 1e-3. The text is a short one that parse() reads back ("mW", "mm2/s4"). Results beyond
  // kMaxExponent, or beyond the range of scales, are overflowed().
  [[nodiscard]] Unit times(const Unit& other) const;
  [[nodiscard]] Unit over(const Unit& other) const;
  // Fails when an exponent would not be whole (sqrt of m3), or the scale has no text (sqrt of kJ/kg: take coherent()).
  [[nodiscard]] Result<Unit> root(int degree) const;
  [[nodiscard]] Unit power(int exponent) const;
  [[nodiscard]] bool overflowed() const;

  // `value`, measured in `from`, in this unit. Fails when the dimensions differ, naming both units.
  [[nodiscard]] Result<double> convert(double value, const Unit& from) const;

 private:
  [[nodiscard]] Unit combined(const Unit& other, int factor) const;

  static constexpr int kDimensions = 8;
  std::array<std::int8_t, kDimensions> exponents_{};
  double scale_ = 1;
  double offset_ = 0;
  std::string text_;
};

}  // namespace alara
