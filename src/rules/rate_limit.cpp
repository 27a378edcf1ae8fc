// SPDX-License-Identifier: Apache-2.0
#include "rules/rate_limit.hpp"

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::rules {

Result<Rate> Rate::parse(std::string_view text) {
  const auto wrong = [&] {
    return tl::unexpected<Error>(
        Error{ErrorKind::bad_input, fmt::format("'{}' is no rate", text), {}, "write 5 per 1min"});
  };
  const std::size_t per = text.find(" per ");
  if (per == std::string_view::npos) return wrong();
  const auto count = parse_integer(trim(text.substr(0, per)));
  const auto length = parse_duration(trim(text.substr(per + 5)));
  if (!count || !length || *count < 1 || *length <= 0) return wrong();
  if (*count > kMaxRateLimit)
    return fail(ErrorKind::bad_input, "a rate limit counts at most {}, not {}", kMaxRateLimit, *count);
  return Rate{static_cast<std::uint32_t>(*count), *length};
}

}  // namespace alara::rules
