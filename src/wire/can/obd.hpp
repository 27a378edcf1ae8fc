// SPDX-License-Identifier: Apache-2.0
// OBD-II (ISO 15031-5, SAE J1979): live values by service 01. The formulas are those of the standard's parameter table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::wire::can {

inline constexpr std::uint32_t kObdRequestId = 0x7DF;  // to all control units
inline constexpr std::uint32_t kObdFirstAnswerId = 0x7E8, kObdLastAnswerId = 0x7EF;

struct ObdParameter {
  std::uint8_t pid = 0;
  std::string_view name, unit;
  std::uint8_t bytes = 1;  // of data: A, B, C, D
  double (*value)(std::span<const std::uint8_t> data) = nullptr;
};

[[nodiscard]] std::span<const ObdParameter> obd_parameters();
// By name ("engine_speed") or number ("0C"); the error names the nearest.
[[nodiscard]] Result<const ObdParameter*> obd_parameter(std::string_view text);

// The data of the ISO-TP message that asks for a parameter.
[[nodiscard]] std::vector<std::uint8_t> obd_request(const ObdParameter& parameter);
// What an answer says: empty when it is none to a question for this parameter, or is too short.
[[nodiscard]] std::optional<double> obd_value(const ObdParameter& parameter, std::span<const std::uint8_t> answer);

}  // namespace alara::wire::can
