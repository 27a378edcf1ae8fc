// SPDX-License-Identifier: Apache-2.0
// Topics, topic filters and the addresses of a site file: "topic" or "topic#path".
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMaxTopicBytes = 1024;  // MQTT allows 65,535; no plant needs it

struct Address {
  std::string topic;
  std::string path;  // behind the first '#'; "" = the whole payload
};
[[nodiscard]] Result<Address> parse_address(std::string_view text);

[[nodiscard]] Status check_topic(std::string_view topic);      // one to publish to: no wildcards
[[nodiscard]] Status check_pattern(std::string_view pattern);  // one to subscribe to: "+" and "#" at their places
// Whether `pattern` (also "$share/<group>/…") matches `topic`, by the rules of MQTT 5, section 4.7.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view topic);

}  // namespace alara::mqtt
