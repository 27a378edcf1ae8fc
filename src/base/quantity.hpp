// SPDX-License-Identifier: Apache-2.0
// The texts people write for amounts, read strictly: "10ms", "64MB", "6400Hz", and their readable printing.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara {

// "250us", "10ms", "1.5s", "5min", "2h", "1d"; never negative; an error lists the suffixes.
[[nodiscard]] Result<Nanos> parse_duration(std::string_view text);
// "512B", "64KB", "1.5MB", "2GB" (powers of 1000) and "64KiB", "1MiB", "1GiB" (powers of 1024).
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
// "100Hz", "6.4kHz", "2MHz"; positive.
[[nodiscard]] Result<double> parse_frequency(std::string_view text);
// A whole text as a number; "nan" and "inf" are refused.
[[nodiscard]] Result<double> parse_number(std::string_view text);
[[nodiscard]] Result<std::int64_t> parse_integer(std::string_view text);

[[nodiscard]] std::string format_duration(Nanos duration);     // "12.5ms"
[[nodiscard]] std::string format_size(std::uint64_t bytes);    // "1.4 MB"
[[nodiscard]] std::string format_instant(Nanos wall);          // "2013-12-02T21:15:00.000Z"
[[nodiscard]] std::string format_instant_exactly(Nanos wall);  // with as many digits as it needs, up to nanoseconds
// ISO 8601 ("2013-12-02 21:15:00", "…T21:15:00.250Z", "…+02:00"), without a zone taken as UTC.
[[nodiscard]] Result<Nanos> parse_instant(std::string_view text);

}  // namespace alara
