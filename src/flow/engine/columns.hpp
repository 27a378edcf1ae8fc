// SPDX-License-Identifier: Apache-2.0
// The loops over whole columns that every sample pays for, built for the vector units there are.
#pragma once

#include <cstdint>
#include <span>

#include "core/sample.hpp"

namespace alara::flow {

[[nodiscard]] std::uint32_t greatest_id(std::span<const SignalId> ids);  // 0 when empty
[[nodiscard]] Nanos greatest_time(std::span<const Nanos> times);         // INT64_MIN when empty
[[nodiscard]] std::uint64_t count_nan(std::span<const double> values);
// times[i] = time0 + i * step.
void fill_times(Nanos time0, Nanos step, std::span<Nanos> times);

}  // namespace alara::flow
