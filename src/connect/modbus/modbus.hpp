// SPDX-License-Identifier: Apache-2.0
// Modbus TCP: reads registers and bits on a fixed schedule, writes coils and registers.
#pragma once

#include "core/connector.hpp"

namespace alara::modbus {

[[nodiscard]] const Protocol& modbus_protocol();

}  // namespace alara::modbus
