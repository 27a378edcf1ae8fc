// SPDX-License-Identifier: Apache-2.0
// What a device has: the resources that it lists, for people who look for the address of a value.
#pragma once

#include "connect/coap/link_format.hpp"
#include "connect/coap/settings.hpp"

namespace alara::coap {

// Asks for /.well-known/core. Blocks for at most a few times the settings' timeout.
[[nodiscard]] Result<std::vector<Link>> discover(const Settings& settings, Clock& clock);

// For a terminal, and as the signals and `from` entries of a site file (`connector` is the name used there).
[[nodiscard]] std::string format_links(const std::vector<Link>& links);
[[nodiscard]] std::string format_signals(const std::vector<Link>& links, const std::string& connector);

}  // namespace alara::coap
