// SPDX-License-Identifier: Apache-2.0
// A Modbus connector's options in a site file, each with its default, limits and sentence.
#pragma once

#include "connect/modbus/settings.hpp"
#include "core/connector.hpp"

namespace alara::modbus {

[[nodiscard]] const Schema& options_schema();
[[nodiscard]] Result<Settings> settings_of(const Options& options);

}  // namespace alara::modbus
