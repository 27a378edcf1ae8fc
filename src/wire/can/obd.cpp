// SPDX-License-Identifier: Apache-2.0
#include "wire/can/obd.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

namespace alara::wire::can {
namespace {

using Data = std::span<const std::uint8_t>;
constexpr std::uint8_t kLiveValues = 0x01, kAnswer = 0x40;

double percent(Data d) { return d[0] * 100.0 / 255; }
double trim_percent(Data d) { return d[0] * 100.0 / 128 - 100; }
double celsius(Data d) { return d[0] - 40.0; }
double word(Data d) { return 256.0 * d[0] + d[1]; }

constexpr std::array kParameters{
    ObdParameter{0x04, "engine_load", "%", 1, percent},
    ObdParameter{0x05, "coolant_temperature", "degC", 1, celsius},
    ObdParameter{0x06, "short_fuel_trim", "%", 1, trim_percent},
    ObdParameter{0x07, "long_fuel_trim", "%", 1, trim_percent},
    ObdParameter{0x0A, "fuel_pressure", "kPa", 1, [](Data d) { return 3.0 * d[0]; }},
    ObdParameter{0x0B, "intake_pressure", "kPa", 1, [](Data d) { return 1.0 * d[0]; }},
    ObdParameter{0x0C, "engine_speed", "rpm", 2, [](Data d) { return word(d) / 4; }},
    ObdParameter{0x0D, "vehicle_speed", "km/h", 1, [](Data d) { return 1.0 * d[0]; }},
    ObdParameter{0x0E, "timing_advance", "deg", 1, [](Data d) { return d[0] / 2.0 - 64; }},
    ObdParameter{0x0F, "intake_temperature", "degC", 1, celsius},
    ObdParameter{0x10, "air_flow", "g/s", 2, [](Data d) { return word(d) / 100; }},
    ObdParameter{0x11, "throttle", "%", 1, percent},
    ObdParameter{0x1F, "run_time", "s", 2, word},
    ObdParameter{0x21, "distance_with_fault", "km", 2, word},
    ObdParameter{0x2C, "exhaust_recirculation", "%", 1, percent},
    ObdParameter{0x2F, "fuel_level", "%", 1, percent},
    ObdParameter{0x31, "distance_since_clear", "km", 2, word},
    ObdParameter{0x33, "barometric_pressure", "kPa", 1, [](Data d) { return 1.0 * d[0]; }},
    ObdParameter{0x42, "module_voltage", "V", 2, [](Data d) { return word(d) / 1000; }},
    ObdParameter{0x43, "absolute_load", "%", 2, [](Data d) { return word(d) * 100 / 255; }},
    ObdParameter{0x46, "ambient_temperature", "degC", 1, celsius},
    ObdParameter{0x5C, "oil_temperature", "degC", 1, celsius},
    ObdParameter{0x5E, "fuel_rate", "l/h", 2, [](Data d) { return word(d) / 20; }},
};

}  // namespace

std::span<const ObdParameter> obd_parameters() { return kParameters; }

Result<const ObdParameter*> obd_parameter(std::string_view text) {
  unsigned pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid, 16);
  const bool number = error == std::errc{} && end == text.data() + text.size() && text.size() == 2;
  for (const ObdParameter& parameter : kParameters)
    if (parameter.name == text || (number && parameter.pid == pid)) return &parameter;
  std::vector<std::string_view> names;
  for (const ObdParameter& parameter : kParameters) names.push_back(parameter.name);
  const std::string guess = nearest(text, std::span<const std::string_view>(names));
  Error unknown{ErrorKind::bad_input, fmt::format("there is no OBD parameter '{}' here", text), {}, {}};
  unknown.hint = guess.empty() ? "a name as engine_speed, or a number of two digits as 0C"
                               : fmt::format("did you mean '{}'?", guess);
  return tl::unexpected<Error>(std::move(unknown));
}

std::vector<std::uint8_t> obd_request(const ObdParameter& parameter) { return {kLiveValues, parameter.pid}; }

std::optional<double> obd_value(const ObdParameter& parameter, std::span<const std::uint8_t> answer) {
  if (answer.size() < 2u + parameter.bytes || answer[0] != (kLiveValues | kAnswer) || answer[1] != parameter.pid)
    return std::nullopt;
  return parameter.value(answer.subspan(2));
}

}  // namespace alara::wire::can
