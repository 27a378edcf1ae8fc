// SPDX-License-Identifier: Apache-2.0
#include "flow/window/aggregate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "flow/window/sketch.hpp"

namespace alara::flow {
namespace {

constexpr std::array<std::pair<std::string_view, Aggregate>, 14> kNames{{
    {"count", Aggregate::count},
    {"mean", Aggregate::mean},
    {"variance", Aggregate::variance},
    {"std", Aggregate::std},
    {"min", Aggregate::min},
    {"max", Aggregate::max},
    {"range", Aggregate::range},
    {"sum", Aggregate::sum},
    {"rms", Aggregate::rms},
    {"slope", Aggregate::slope},
    {"rate", Aggregate::rate},
    {"first", Aggregate::first},
    {"last", Aggregate::last},
    {"duration", Aggregate::duration},
}};

Result<Wanted> quantile_of(std::string_view text, double fraction) {
  if (!(fraction > 0 && fraction < 1)) {
    auto failed = fail(ErrorKind::bad_input, "'{}' is not a quantile between 0 and 1", text);
    failed.value().hint = "write quantile(0.95) or p95; min and max are the ends";
    return failed;
  }
  std::string name = fmt::format("p{:.6g}", fraction * 100);
  std::replace(name.begin(), name.end(), '.', '_');
  return Wanted{Aggregate::quantile, fraction, std::move(name)};
}

Unit difference_unit(const Unit& unit) { return unit.affine() ? unit.power(1) : unit; }

Unit seconds() {
  auto unit = Unit::parse("s");
  ALARA_ASSERT(unit.has_value(), "the second is a unit");
  return std::move(*unit);
}

}  // namespace

std::vector<std::string_view> aggregate_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, what] : kNames) names.push_back(name);
  names.insert(names.end(), {"median", "p95", "quantile(0.95)"});
  return names;
}

Result<Wanted> parse_aggregate(std::string_view text) {
  for (const auto& [name, what] : kNames)
    if (name == text) return Wanted{what, 0, std::string(name)};
  if (text == "median") return Wanted{Aggregate::quantile, 0.5, "median"};
  if (text.starts_with("quantile(") && text.ends_with(")")) {
    const std::string_view inner = trim(text.substr(9, text.size() - 10));
    if (const auto fraction = parse_number(inner)) return quantile_of(text, *fraction);
  } else if (text.size() > 1 && text[0] == 'p' && text[1] >= '0' && text[1] <= '9') {
    std::string digits(text.substr(1));
    std::replace(digits.begin(), digits.end(), '_', '.');
    if (const auto percent = parse_number(digits)) return quantile_of(text, *percent / 100);
  }
  auto failed = fail(ErrorKind::bad_input, "unknown aggregate '{}'", text);
  const auto names = aggregate_names();
  const std::string guess = nearest(text, std::span<const std::string_view>(names));
  failed.value().hint =
      guess.empty() ? fmt::format("allowed are {}", enumerate(names)) : fmt::format("did you mean '{}'?", guess);
  return failed;
}

ValueInfo describe(const Wanted& wanted, const ValueInfo& input) {
  ValueInfo info;
  info.name = wanted.name;
  switch (wanted.what) {
    case Aggregate::count:
      break;
    case Aggregate::variance:
      info.unit = difference_unit(input.unit).power(2);
      break;
    case Aggregate::std:
    case Aggregate::range:
      info.unit = difference_unit(input.unit);
      break;
    case Aggregate::slope:
    case Aggregate::rate:
      info.unit = difference_unit(input.unit).over(seconds());
      break;
    case Aggregate::duration:
      info.unit = seconds();
      break;
    default:
      info.unit = input.unit;
  }
  return info;
}

Needs needs_of(const std::vector<Wanted>& use) {
  Needs needs;
  for (const Wanted& wanted : use) {
    switch (wanted.what) {
      case Aggregate::slope:
        needs.trend = needs.times = true;
        break;
      case Aggregate::rate:
      case Aggregate::duration:
        needs.times = true;
        break;
      case Aggregate::quantile:
        needs.sketch = true;
        break;
      case Aggregate::min:
      case Aggregate::max:
      case Aggregate::range:
        needs.extremes = true;
        break;
      default:
        break;
    }
  }
  return needs;
}

double value_of(const Wanted& wanted, const Summary& s) {
  switch (wanted.what) {
    case Aggregate::count:
      return s.n;
    case Aggregate::mean:
      return s.mean;
    case Aggregate::variance:
      return s.variance;
    case Aggregate::std:
      return std::sqrt(s.variance);
    case Aggregate::min:
      return s.low;
    case Aggregate::max:
      return s.high;
    case Aggregate::range:
      return s.high - s.low;
    case Aggregate::sum:
      return s.mean * s.n;
    case Aggregate::rms:
      return std::sqrt(s.variance + s.mean * s.mean);
    case Aggregate::slope:
      return s.slope;
    case Aggregate::rate:
      return s.seconds > 0 ? s.increase / s.seconds : Summary::kNone;
    case Aggregate::first:
      return s.first;
    case Aggregate::last:
      return s.last;
    case Aggregate::duration:
      return s.seconds;
    case Aggregate::quantile:
      return s.sketch != nullptr ? s.sketch->quantile(wanted.fraction) : Summary::kNone;
  }
  return Summary::kNone;
}

}  // namespace alara::flow
