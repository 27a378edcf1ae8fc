// SPDX-License-Identifier: Apache-2.0
// CoRE link format (RFC 6690): what /.well-known/core says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::coap {

struct Link {
  std::string path;               // "/sensors/1"
  std::string title, type, unit;  // title, rt and u, where it says them
  std::vector<unsigned> formats;  // content formats (ct)
  bool observable = false;
};

// At most kMostLinks of them; links to other hosts are left out.
inline constexpr std::size_t kMostLinks = 10'000;
[[nodiscard]] Result<std::vector<Link>> parse_links(std::string_view text);

}  // namespace alara::coap
