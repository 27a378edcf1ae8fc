// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_units.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace alara::opcua {
namespace {

using Code = std::pair<std::string_view, std::string_view>;
constexpr std::array<Code, 44> kCodes{{
    {"%", "P1"},     {"A", "AMP"},  {"Hz", "HTZ"},   {"J", "JOU"},    {"K", "KEL"},   {"L", "LTR"},
    {"L/min", "L2"}, {"N", "NEW"},  {"N*m", "NU"},   {"Pa", "PAL"},   {"V", "VLT"},   {"W", "WTT"},
    {"bar", "BAR"},  {"deg", "DD"}, {"degC", "CEL"}, {"degF", "FAH"}, {"g", "GRM"},   {"h", "HUR"},
    {"kHz", "KHZ"},  {"kJ", "KJO"}, {"kN", "B47"},   {"kPa", "KPA"},  {"kV", "KVT"},  {"kW", "KWT"},
    {"kW*h", "KWH"}, {"kg", "KGM"}, {"km", "KMT"},   {"km/h", "KMH"}, {"m", "MTR"},   {"m/s", "MTS"},
    {"m/s2", "MSK"}, {"m3", "MTQ"}, {"m3/h", "MQH"}, {"mA", "4K"},    {"mV", "2Z"},   {"mbar", "MBR"},
    {"min", "MIN"},  {"mm", "MMT"}, {"mm/s", "C16"}, {"ms", "C26"},   {"rad", "C81"}, {"rpm", "RPM"},
    {"s", "SEC"},    {"um", "4H"},
}};

}  // namespace

std::int32_t unece_unit_id(std::string_view unit) {
  const auto found = std::ranges::find(kCodes, unit, &Code::first);
  if (found == kCodes.end()) return kNoUnitId;
  std::int32_t id = 0;
  for (const char c : found->second) id = id * 256 + static_cast<unsigned char>(c);
  return id;
}

}  // namespace alara::opcua
