// SPDX-License-Identifier: Apache-2.0
// Units as OPC UA's EUInformation carries them: the UNECE Recommendation 20 code where we know it (OPC UA Part
// 8, 5.6.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace alara::opcua {

inline constexpr std::int32_t kNoUnitId = -1;

// The three characters of the common code as a number; kNoUnitId for units without one here.
[[nodiscard]] std::int32_t unece_unit_id(std::string_view unit);

}  // namespace alara::opcua
