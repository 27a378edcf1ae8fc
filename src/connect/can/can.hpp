// SPDX-License-Identifier: Apache-2.0
// CAN as a protocol of the node: SocketCAN interfaces, slcan serial adapters and candump logs; values by DBC files,
// J1939 messages and faults, OBD-II parameters; frames written.
#pragma once

#include "core/connector.hpp"

namespace alara::can {

[[nodiscard]] const Protocol& can_protocol();

}  // namespace alara::can
