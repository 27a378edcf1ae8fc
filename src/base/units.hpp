// SPDX-License-Identifier: Apache-2.0
// Physical units as people write them ("mm/s2", "degC", "kW*h", "rpm", "%"), reduced to SI dimensions so that
// expressions can be checked at load time and values converted. The prefixes and symbols follow the SI Brochure (9th ed.).
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
  Unit() = default;  // dimensionless, scale 1, written ""

  // Accepts products and quotients of known symbols with integer exponents: "m/s2", "m/s^2", "N*m", "1/min".
  // Fails with the nearest known symbol.
  [[nodiscard]] static Result<Unit> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] double offset() const { return offset_; }
  [[nodiscard]] bool dimensionless() const;
  [[nodiscard]] bool same_dimension(const Unit& other) const { return exponents_ == other.exponents_; }
  // A temperature scale with its own zero (degC, degF): may be compared and subtracted, not multiplied.
  [[nodiscard]] bool affine() const { return offset_ != 0; }

  // Units of a product, a quotient and a power of two quantities. The text is the canonical SI one.
  [[nodiscard]] Unit times(const Unit& other) const;
  [[nodiscard]] Unit over(const Unit& other) const;
  // nullopt-like failure when an exponent would not be whole (sqrt of m3).
  [[nodiscard]] Result<Unit> root(int degree) const;
  [[nodiscard]] Unit power(int exponent) const;

  // `value`, measured in `from`, in this unit. Fails when the dimensions differ, naming both units.
  [[nodiscard]] Result<double> convert(double value, const Unit& from) const;

 private:
  static constexpr int kDimensions = 8;
  std::array<std::int8_t, kDimensions> exponents_{};
  double scale_ = 1;
  double offset_ = 0;
  std::string text_;
};

}  // namespace alara
